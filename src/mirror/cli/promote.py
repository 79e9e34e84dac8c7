"""``mirror promote``: move logic from one branch to the next, behind the gates of ``ci/branches.yml``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from mirror.cli.context import CliContext
from mirror.cli.shown.promotion_plan import print_plan
from mirror.clock import system_clock

if TYPE_CHECKING:
    from mirror.promotion.promote import PromotionOutcome
    from mirror.promotion.verdict import GateResult, Override

_COLOURS = {"PASS": "green", "FAIL": "red", "ERROR": "red", "NOT_APPLICABLE": "yellow"}


def _branches(context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """What a shell may complete: branches of the repository, which --repo may name; nothing outside a repository."""
    from mirror.errors import MirrorError
    from mirror.promotion.git import Repository

    try:
        names = Repository(Path(context.params.get("repo") or ".")).branches()
    except MirrorError:
        return []
    return [name for name in names if name.startswith(typed)]


@click.command()
@click.argument("source", metavar="FROM", shell_complete=_branches)
@click.option(
    "--to",
    "target",
    required=True,
    metavar="TO",
    help="The protected branch that takes the work.",
    shell_complete=_branches,
)
@click.option("--dry-run", is_flag=True, help="Show the plan; run no gate, change nothing.")
@click.option("--gates-only", is_flag=True, help="Run the gates as well, and stop before the merge.")
@click.option("--approve-as", "approvals", multiple=True, metavar="NAME", help="A person of the policy who approves.")
@click.option(
    "--accept", "accepted", multiple=True, metavar="SUBJECT=REASON", help="Let one breaking contract change through."
)
@click.option(
    "--override",
    "overridden",
    multiple=True,
    metavar="GATE=REASON",
    help="Let one gate's no pass, with --override-as.",
)
@click.option("--override-as", "overrider", metavar="NAME", help="Who answers for overrides; the policy says who may.")
@click.option("--emergency", metavar="REASON", help="Why the usual order cannot be kept; only for emergency steps.")
@click.option("--approve-only", is_flag=True, help="Record the approvals for FROM as it is now, and stop.")
@click.option("--tag", metavar="NAME", help="The release tag, where the next number is not wanted.")
@click.option("--resume", is_flag=True, help="Finish an interrupted promotion.")
@click.option(
    "--repo", default=".", show_default=True, metavar="DIR", help="The git repository; a bare one works as well."
)
@click.pass_obj
def command(
    context: CliContext,
    source: str,
    target: str,
    dry_run: bool,
    gates_only: bool,
    approvals: tuple[str, ...],
    accepted: tuple[str, ...],
    overridden: tuple[str, ...],
    overrider: str | None,
    emergency: str | None,
    approve_only: bool,
    tag: str | None,
    resume: bool,
    repo: str,
) -> int:
    """Promote branch FROM into branch TO.

    Plans, runs the gates of this step on the merged tree, merges (never fast-forward, never in your work tree), tags a
    release, takes over what another branch has computed already, rebuilds the rest on TO, and writes who, what, when
    and on which evidence into refs/mirror/audit.

    A name after --approve-as is a record and no login: where people do not trust each other, protect TO on the git
    server as well (`mirror init --git` in the bare repository). An approval recorded with --approve-only counts until
    FROM gets another commit. An override lets one gate's no pass for this promotion; it is shown for ever.

    \b
    Examples:
      mirror promote feature/flow-range --to staging --dry-run
      mirror promote feature/flow-range --to staging --gates-only
      mirror promote feature/flow-range --to staging --approve-only --approve-as 'Pipeline Owner'
      mirror promote feature/flow-range --to staging --approve-as 'Pipeline Owner'
      mirror promote staging --to release --approve-as 'Release Manager'
      mirror promote staging --to release --resume
      mirror promote hotfix/limits --to release --emergency 'alerts stand still' --approve-as 'Release Manager'
      git show refs/mirror/audit:audit.jsonl

    Exit code 0: done. 1: a gate, the policy or a conflict said no, and nothing moved (or the rebuild failed after the
    merge; the message says which). 2: wrong use, such as a dirty work tree or an unknown branch.
    """
    from mirror.promotion.git import Repository
    from mirror.promotion.promote import Heard, PromotionRequest, approve, promote, show_plan
    from mirror.promotion.promote import resume as resume_promotion

    if sum((dry_run, gates_only, resume, approve_only)) > 1:
        raise click.UsageError("--dry-run, --gates-only, --approve-only and --resume exclude each other.")
    if approve_only and not approvals:
        raise click.UsageError("--approve-only records nobody; say who approves with --approve-as NAME.")
    repository = Repository(Path(repo))
    request = PromotionRequest(
        source,
        target,
        Path(context.workspace_path),
        approvals,
        _reasons(accepted, "--accept"),
        tag,
        _overrides(overridden, overrider),
        emergency,
    )
    if approve_only:
        approved = approve(repository, request, clock=system_clock)
        document = {"approved": approved.source_commit, "by": list(approvals)}
        said = f"{', '.join(approvals)} approved {source} at {approved.source_commit[:12]} for {target}"
        context.emit(document, lambda console: console.print(said, markup=False))
        return 0
    if dry_run:
        plan = show_plan(repository, request, clock=system_clock)
        context.emit({"plan": plan.to_json()}, lambda console: print_plan(console, plan))
        return 0
    progress = context.progress()
    heard = Heard(step=progress.print, gate=lambda result: _print_gate(progress, result))
    outcome = (
        resume_promotion(repository, request, clock=system_clock, heard=heard)
        if resume
        else promote(repository, request, clock=system_clock, heard=heard, gates_only=gates_only)
    )
    context.emit(_document(outcome), lambda console: _print_outcome(console, source, target, outcome))
    return 0


def _reasons(entries: tuple[str, ...], option: str) -> dict[str, str]:
    reasons = {}
    for entry in entries:
        subject, equals, reason = entry.partition("=")
        if not equals or not reason.strip():
            raise click.BadParameter(f"{entry!r} gives no reason; write SUBJECT=REASON.", param_hint=option)
        reasons[subject.strip()] = reason.strip()
    return reasons


def _overrides(entries: tuple[str, ...], by: str | None) -> dict[str, Override]:
    from mirror.promotion.verdict import Override

    if bool(entries) is not bool(by):
        raise click.UsageError("--override GATE=REASON and --override-as NAME are given together.")
    return {gate: Override(str(by), reason) for gate, reason in _reasons(entries, "--override").items()}


def _document(outcome: PromotionOutcome) -> dict[str, object]:
    return {
        "plan": outcome.plan.to_json() if outcome.plan else None,
        "gates": [result.to_json() for result in outcome.gates],
        "merge": outcome.merge,
        "tag": outcome.tag,
        "rebuilt": outcome.rebuilt,
    }


def _print_gate(console: Console, result: GateResult) -> None:
    colour = _COLOURS[result.outcome]
    console.print(f"[{colour}]{result.outcome.lower().replace('_', ' '):>14}[/] {result.gate} ({result.seconds:.1f} s)")
    console.print(f"               {result.summary}", markup=False)
    if result.override is not None:
        console.print(f"               {result.override}", markup=False)
    if result.blocks:
        for line in result.evidence:
            console.print(f"               | {line}", markup=False)
        console.print(f"               {result.fix}", markup=False)


def _print_outcome(console: Console, source: str, target: str, outcome: PromotionOutcome) -> None:
    if outcome.merge is None:
        console.print(f"every gate lets {source} through to {target}; nothing was merged", markup=False)
        return
    tag = f", tagged {outcome.tag}" if outcome.tag else ""
    rebuilt = f"{target} was rebuilt" if outcome.rebuilt else "the policy names no rebuild for this step"
    console.print(f"{source} is in {target} as {outcome.merge[:12]}{tag}; {rebuilt}", markup=False)
