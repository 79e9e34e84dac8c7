"""The plan of a promotion, and of a rollback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from mirror.promotion.plan import PromotionPlan
    from mirror.promotion.rebuild_plan import RebuildPlan
    from mirror.promotion.rollback import PromotionRollback

_SHOWN = 20


def print_plan(console: Console, plan: PromotionPlan) -> None:
    """Commits, files, jobs, contracts, models, data, gates: everything the promotion would do."""

    def say(text: str) -> None:
        console.print(text, markup=False)

    say(
        f"{plan.source} {plan.source_commit[:12]} -> {plan.target} {plan.target_commit[:12]}: "
        f"commits: {len(plan.commits)}, files: {len(plan.files)}, "
        f"jobs: {len(plan.jobs.changes)} of {plan.jobs.total}, contracts: {plan.contracts.effect}"
    )
    _some(console, [f"  {commit.sha[:12]} {commit.author}: {commit.subject}" for commit in plan.commits])
    _some(console, [f"  {status} {path}" for status, path in plan.files])
    _some(console, [f"  job {change}" for change in plan.jobs.changes])
    for change in plan.jobs.changes:
        if change.warning:
            say(f"  job {change.reference}: {change.warning}")
    if plan.jobs.problem:
        say(f"  jobs: {plan.jobs.problem}")
    _some(console, [f"  downstream {path}" for path in plan.jobs.affected])
    _some(console, [f"  contract {change}" for change in plan.contracts.changes])
    for move in plan.models:
        say(f"  model {move}")
    table = Table("gate", "why it stands here")
    for settings in plan.step.gates:
        table.add_row(settings.gate, settings.reason)
    console.print(table)
    if plan.tag:
        say(f"tag: {plan.tag}")
    if plan.step.rebuild:
        say(f"then: {' '.join(plan.step.rebuild.command)}")
    if plan.rebuild is not None:
        _print_rebuild(console, plan.rebuild)
    for note in plan.notes:
        say(f"note: {note}")


def print_rollback(console: Console, plan: PromotionRollback, name: str, applied: bool) -> None:
    """What goes back to what."""
    verb = "is" if applied else "would be"
    console.print(f"{plan.target} {verb} without {name} (entry {plan.entry['number']})", markup=False)
    for path, (now, wanted) in plan.data.items():
        console.print(f"  {path}: {now} -> {wanted}", markup=False)
    for path in plan.left:
        console.print(f"  {path}: had no data before, keeps what it has", markup=False)
    for move in plan.models:
        back = move.before or "keeps its version: there was none before"
        console.print(f"  model {move.model} in {move.environment}: {move.after} -> {back}", markup=False)
    if not applied:
        console.print("nothing was done; add --apply", markup=False)


def _print_rebuild(console: Console, plan: RebuildPlan) -> None:
    cost = f"about {plan.seconds:,.0f} s by their history"
    if plan.unmeasured:
        cost += f", {plan.unmeasured} without one"
    console.print(
        f"data of {plan.branch}: {len(plan.runs)} jobs run ({cost}), {len(plan.reused)} datasets are taken over, "
        f"{plan.fresh} jobs are up to date, {len(plan.waiting)} wait",
        markup=False,
    )
    _some(console, [f"  run {', '.join(job.outputs) or job.reference}: {job.reason}" for job in plan.runs])
    _some(console, [f"  take over {path} from {branch}" for path, (branch, _) in plan.reused.items()])
    _some(
        console,
        [f"  start {path} from nothing: no fallback shows what this logic alone made" for path in plan.restarted],
    )
    _some(console, [f"  wait {reference}: {why}" for reference, why in plan.waiting.items()])


def _some(console: Console, lines: list[str]) -> None:
    for line in lines[:_SHOWN]:
        console.print(line, markup=False)
    if len(lines) > _SHOWN:
        console.print(f"  ... and {len(lines) - _SHOWN} more (--json has them all)", markup=False)
