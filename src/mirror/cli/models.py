"""``mirror models``: what was published, what is released where, and the steps between."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from mirror.cli.context import CliContext
from mirror.errors import ExitCode

if TYPE_CHECKING:
    from mirror.models import Done, Governance, Model, Verdict

ENVIRONMENTS = click.Choice(["staging", "production"])


def _governance(context: CliContext) -> Governance:
    from mirror.models import Governance

    return Governance(context.open_workspace())


def _person() -> str:
    return getpass.getuser()


_approve = click.option(
    "--approve-as", "approved_by", multiple=True, metavar="NAME", help="Who approves; may be repeated."
)
_reason = click.option("--reason", required=True, metavar="TEXT", help="Why; kept in the audit trail.")
_actor = click.option("--as", "actor", default=_person, metavar="NAME", help="Who acts; your login by default.")


def _decides(decide: Callable[..., Done]) -> Any:
    """A command about a model NAME that people answer for.

    ``decide`` gets the governance, the name, its own options, and as keywords who approves, who acts and why.
    """

    def decided(context: CliContext, name: str, **told: Any) -> None:
        _show(context, decide(_governance(context), name, **told))

    made: Any = wraps(decide)(decided)
    for part in (click.pass_obj, _actor, _reason, _approve, click.argument("name")):
        made = part(made)
    return made


@click.group("models")
def command() -> None:
    """Model versions, submissions, releases, rollbacks and halts.

    NAME is a model's path or its end (isolation_forest), or an objective that governs a single model.

    \b
    Examples:
      mirror models list
      mirror models submit isolation_forest
      mirror models release isolation_forest --to staging --approve-as Ada --reason 'trained on May'
    """


@command.command("list")
@click.argument("name", required=False)
@click.pass_obj
def list_models(context: CliContext, name: str | None) -> None:
    """Versions of all models (or one), where each is released, and how its checks stand.

    \b
    Examples:
      mirror models list
      mirror --json models list isolation_forest
    """
    governance = _governance(context)
    registry = governance.registry
    chosen = [registry.model(name)] if name else list(registry.models())
    document = [_model_document(governance, model) for model in chosen]

    def render(console: Console) -> None:
        if not document:
            console.print("no model was published yet; build a training transform first: mirror build")
        for entry in document:
            console.print(_model_table(entry))
            for version in entry["versions"]:
                for judged in version["evaluations"]:
                    figures = ", ".join(f"{name} {value:g}" for name, value in judged["metrics"].items())
                    console.print(f"{version['version']} in evaluation {judged['name']}: {figures}")

    context.emit(document, render, markup=False)


@command.command("submit")
@click.argument("name")
@click.option("--version", metavar="VERSION", help="Semantic version or RID; the newest on the branch by default.")
@click.option(
    "--branch", metavar="BRANCH", help="Where the newest version is looked for; the workspace's default branch."
)
@_actor
@click.pass_obj
def submit(context: CliContext, name: str, version: str | None, branch: str | None, actor: str) -> None:
    """Freeze a version as a submission of its objective and judge it.

    \b
    Examples:
      mirror models submit isolation_forest
      mirror models submit isolation_forest --version 1.2.0
    """
    governance = _governance(context)
    branch = branch or governance.workspace.config.default_branch
    _show(context, governance.submit(name, owner=actor, branch=branch, version=version))


@command.command("evaluate")
@click.argument("name")
@click.option("--version", metavar="VERSION", help="The newest submission by default.")
@_actor
@click.pass_obj
def evaluate(context: CliContext, name: str, version: str | None, actor: str) -> int:
    """Judge a submission again. Exit code 1 when a check that blocks a release does not pass.

    \b
    Examples:
      mirror models evaluate isolation_forest
      mirror models evaluate isolation_forest --version 1.2.0
    """
    done = _governance(context).evaluate(name, actor=actor, version=version)
    _show(context, done)
    return int(ExitCode.REFUSED if any(v.blocks and v.outcome != "PASS" for v in done.verdicts) else ExitCode.DONE)


@command.command("release")
@click.option("--to", type=ENVIRONMENTS, required=True, help="Staging first, then production.")
@click.option("--version", metavar="VERSION", help="Newest submission (staging) or what is in staging (production).")
@_decides
def release(governance: Governance, name: str, **told: Any) -> Done:
    """Put a submitted version in force; scoring follows with its next build.

    \b
    Examples:
      mirror models release isolation_forest --to staging --approve-as Ada --reason 'trained on May'
      mirror models release isolation_forest --to production --approve-as Ada --reason 'a week in staging'
    """
    return governance.release(name, **told)


@command.command("rollback")
@click.option(
    "--env", "environment", type=ENVIRONMENTS, default="production", show_default=True, help="Where it goes back."
)
@click.option("--to", "version", metavar="VERSION", help="The version released before the present one by default.")
@_decides
def rollback(governance: Governance, name: str, **told: Any) -> Done:
    """Put an earlier release in force again.

    \b
    Example:
      mirror models rollback isolation_forest --env production --approve-as Ada --reason 'floods alerts'
    """
    return governance.rollback(name, **told)


@command.command("try")
@click.option(
    "--role", type=click.Choice(["shadow", "canary_live"]), required=True, help="Without effect, or alerting."
)
@click.option("--share", type=float, default=1.0, show_default=True, help="Of the devices; 0 ends the trial.")
@_decides
def try_out(governance: Governance, name: str, **told: Any) -> Done:
    """Let the version in staging score production data beside the one in production.

    \b
    Example:
      mirror models try isolation_forest --role shadow --approve-as Ada --reason 'a week beside production'
    """
    return governance.try_out(name, **told)


@command.command("halt")
@click.option("--trial", is_flag=True, help="Stop the candidate on trial; without it, the version in production.")
@_decides
def halt(governance: Governance, name: str, trial: bool, **told: Any) -> Done:
    """Stop scoring with what is in production: the rules stand in with the next build. Needs no approval.

    \b
    Examples:
      mirror models halt isolation_forest --reason 'PSI above 1 since noon'
      mirror models halt isolation_forest --trial --reason 'site 12 was called five times'
    """
    return governance.halt_trial(name, **told) if trial else governance.halt(name, **told)


@command.command("resume")
@_decides
def resume(governance: Governance, name: str, **told: Any) -> Done:
    """Let a halted version score again, from where it stopped.

    \b
    Example:
      mirror models resume isolation_forest --approve-as Ada --reason 'the unit was wrong, corrected at the source'
    """
    return governance.resume(name, **told)


@command.command("archive")
@click.argument("name")
@click.option("--version", required=True, metavar="VERSION", help="The submitted version.")
@_reason
@_actor
@click.pass_obj
def archive(context: CliContext, name: str, version: str, reason: str, actor: str) -> None:
    """Take a submission that was never released out of the running.

    \b
    Example:
      mirror models archive isolation_forest --version 1.2.0 --reason 'trained on a broken week'
    """
    _show(context, _governance(context).archive(name, version=version, actor=actor, reason=reason))


@command.command("card")
@click.argument("name")
@click.option("--version", metavar="VERSION", help="What is in production by default, else the newest.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the card to a Markdown file.")
@click.pass_obj
def card(context: CliContext, name: str, version: str | None, out: Path | None) -> None:
    """The model card, generated from the run. Exit code 1 when a required field was not recorded.

    \b
    Examples:
      mirror models card isolation_forest
      mirror models card isolation_forest --version 1.2.0 --out card.md
    """
    from mirror.models.card import build_card

    governance = _governance(context)
    found = build_card(governance, name, version, now=governance.workspace.clock())
    if out is not None:
        out.write_text(found.to_markdown(), encoding="utf-8")
    context.emit(found.to_json(), lambda console: console.print(found.to_markdown(), markup=False, end=""))


@command.command("history")
@click.argument("name")
@click.pass_obj
def history(context: CliContext, name: str) -> None:
    """The audit trail of a model: who did what, when, why, and what was refused.

    \b
    Example:
      mirror models history isolation_forest
    """
    governance = _governance(context)
    model = governance.registry.model(name)
    semantic = {v.rid: v.semantic for v in governance.registry.versions(model)}
    document = [
        {**vars(entry), "at": entry.at.isoformat(), "version": semantic.get(entry.version_rid or "")}
        for entry in governance.trail(model)
    ]

    def render(console: Console) -> None:
        table = Table("when", "who", "what", "version", "outcome", "detail", title=model.path)
        for entry in document:
            detail = ", ".join(f"{k}: {v}" for k, v in entry["detail"].items())
            table.add_row(
                entry["at"][:19], entry["actor"], entry["action"], entry["version"] or "", entry["outcome"], detail
            )
        console.print(table)

    context.emit(document, render, markup=False)


def _show(context: CliContext, done: Done) -> None:
    document = {
        "changed": done.changed,
        "done": done.sentence,
        "version": done.version.semantic,
        "version_rid": done.version.rid,
        "sha256": done.version.sha256,
        "checks": [_verdict_document(v) for v in done.verdicts],
    }

    def render(console: Console) -> None:
        console.print(done.sentence)
        for verdict in done.verdicts:
            blocks = f" (blocks {', '.join(verdict.blocks)})" if verdict.blocks else ""
            console.print(f"  {verdict.outcome.value:7} {verdict.name}: {verdict.detail}{blocks}", markup=False)

    context.emit(document, render, markup=False)


def _verdict_document(verdict: Verdict) -> dict[str, Any]:
    return {
        "name": verdict.name,
        "outcome": verdict.outcome.value,
        "detail": verdict.detail,
        "blocks": list(verdict.blocks),
    }


def _model_document(governance: Governance, model: Model) -> dict[str, Any]:
    from mirror.models.records import HALT

    objective = governance.objectives.for_model(model.path)
    submitted = {s.version_rid: s for s in governance.submissions(model)}
    in_force = {e: r for e in ("staging", "production") if (r := governance.in_force(model, e)) is not None}
    halted = {r.version_rid for r in in_force.values() if r.kind == HALT}
    versions = [
        {
            "version": v.semantic,
            "rid": v.rid,
            "branch": v.branch,
            "sha256": v.sha256,
            "size": v.size,
            "published": v.created_at.isoformat(),
            "trained_from": [i["alias"] + "@" + i["transaction"] for i in v.provenance.get("inputs", ())],
            "seeds": v.provenance.get("seeds", {}),
            "experiment": v.experiment,
            "evaluations": list(governance.registry.evaluations(v)),
            "submitted": v.rid in submitted,
            "released": [e for e, r in in_force.items() if r.version_rid == v.rid],
            "halted": v.rid in halted,
            "checks": [_verdict_document(c) for c in governance.verdicts(submitted[v.rid])]
            if v.rid in submitted
            else [],
        }
        for v in governance.registry.versions(model)
    ]
    return {
        "model": model.path,
        "rid": model.rid,
        "objective": objective.name if objective else None,
        "versions": versions,
    }


def _model_table(entry: dict[str, Any]) -> Table:
    title = f"{entry['model']} (objective {entry['objective'] or 'none'})"
    table = Table("version", "branch", "published", "sha256", "submitted", "checks", "released to", title=title)
    for version in entry["versions"]:
        checks = version["checks"]
        passed = f"{sum(c['outcome'] == 'PASS' for c in checks)}/{len(checks)}" if checks else ""
        table.add_row(
            version["version"],
            version["branch"],
            version["published"][:19],
            version["sha256"][:12],
            "yes" if version["submitted"] else "",
            passed,
            ", ".join(version["released"]) + (", halted" if version["halted"] else ""),
        )
    return table
