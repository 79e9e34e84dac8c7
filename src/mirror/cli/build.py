"""``mirror build``: decide what is stale, say why, run it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from mirror.cli.context import CliContext
from mirror.errors import ExitCode, MirrorError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from mirror.builds import BuildPlan, BuildReport, Standing
    from mirror.builds.scope import Scope
    from mirror.datasets import Workspace
    from mirror.health.reports import CheckReport


@click.command()
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@click.option("--branch", metavar="B", help="Build this dataset branch (default: the workspace's).")
@click.option("--fallback", metavar="B,B", default="", help="Where to read inputs that lack the branch, in order.")
@click.option("--from", "sources", metavar="D,D", default="", help="Only what lies between these and the TARGETs.")
@click.option("--only", is_flag=True, help="The TARGETs alone, without what they need.")
@click.option("--ignore", metavar="D,D", default="", help="Neither build these nor look beyond them.")
@click.option("--published", is_flag=True, help="JobSpecs of the branch, else its fallbacks; publish none.")
@click.option("--skip-broken", is_flag=True, help="Leave out modules that cannot be imported, and say which.")
@click.option("--abort-on-failure", is_flag=True, help="Cancel everything else as soon as one job fails.")
@click.option("--force", is_flag=True, help="Run everything in the build, up to date or not.")
@click.option("--dry-run", is_flag=True, help="Print the plan and stop.")
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1, 64), help="Jobs at the same time.")
@click.option(
    "--retries", default=0, show_default=True, type=click.IntRange(0, 10), help="After failures that may pass."
)
@click.option("--master", metavar="URL", help="Spark master (default: this machine).")
@click.pass_obj
def command(
    ctx: CliContext,
    targets: tuple[str, ...],
    branch: str | None,
    fallback: str,
    sources: str,
    only: bool,
    ignore: str,
    published: bool,
    skip_broken: bool,
    abort_on_failure: bool,
    force: bool,
    dry_run: bool,
    jobs: int,
    retries: int,
    master: str | None,
) -> int:
    """Build TARGETs and what they need (without a TARGET: everything). What is up to date is skipped.

    Progress goes to stderr: bars on a terminal, lines elsewhere, one JSON document per event with --json.

    \b
    Examples:
      mirror build --dry-run
      mirror build
      mirror build device_features --branch feature/flow --fallback master
      mirror build --from clean_sensor_readings device_alerts
      mirror build hottest --only --force
    """
    from mirror.builds import JobStatus, standing
    from mirror.builds.scope import Scope

    scope = Scope(targets, _names(sources), _names(ignore), only)
    with ctx.open_workspace() as workspace:
        wanted = branch or workspace.config.default_branch
        fallbacks = tuple(name for name in _names(fallback) if name != wanted)
        if dry_run:
            decided = _plan(workspace, scope, wanted, fallbacks, force, published, skip_broken)
            ctx.emit(decided.to_json(), lambda console: _show_plan(console, decided), markup=False)
            return int(ExitCode.DONE)
        report = run_build(
            workspace,
            ctx.progress(),
            scope,
            wanted,
            fallbacks,
            force=force,
            published=published,
            skip_broken=skip_broken,
            abort_on_failure=abort_on_failure,
            jobs=jobs,
            retries=retries,
            master=master,
            as_json=ctx.as_json,
        )
        untouched = [o.dataset for job in report.jobs if job.status is JobStatus.SKIPPED for o in job.outputs]
        stands = standing(workspace, wanted, untouched)
        halted = halt_broken_trials(workspace, ctx.progress(), report)
        health = judge_health(workspace, ctx.progress(), report)

    from mirror.cli.health import print_alarms

    def render(console: Console) -> None:
        show_report(console, report, stands)
        for sentence in halted:
            console.print(f"halted: {sentence}", markup=False)
        print_alarms(console, health)

    ctx.emit({**report.to_json(), "halted": list(halted), "health": [one.to_json() for one in health]}, render)
    return int(report.exit_code)


def halt_broken_trials(workspace: Workspace, progress: Console, report: BuildReport) -> tuple[str, ...]:
    """What was stopped because of what the build showed, a sentence each; the build ends as it would have.

    Candidates are tried where decisions lie, on the default branch; what other branches show stops nothing.
    """
    if report.branch != workspace.config.default_branch:
        return ()
    from mirror.models import Governance

    try:
        return tuple(done.sentence for done in Governance(workspace).halt_broken_trials(_ran(report)))
    except MirrorError as error:
        progress.print(f"the end of a trial is decided and not written down for scoring yet: {error}", markup=False)
        return ()


def _ran(report: BuildReport) -> set[str]:
    """The datasets whose jobs ran, however they ended."""
    from mirror.builds import JobStatus

    ran = (JobStatus.SUCCEEDED, JobStatus.NOTHING_COMMITTED, JobStatus.FAILED, JobStatus.ABORTED)
    return {output.dataset for job in report.jobs if job.status in ran for output in job.outputs}


def judge_health(workspace: Workspace, progress: Console, report: BuildReport) -> tuple[CheckReport, ...]:
    """The failing health checks of what a build ran, from the catalog alone; they never change how the build ends."""
    made = _ran(report)
    if not made or not (workspace.config.repository / "health" / "checks").is_dir():
        return ()
    from mirror.health.errors import HealthCheckFileError
    from mirror.health.monitor import after_build

    try:
        return after_build(workspace, report.branch, made).alarms
    except HealthCheckFileError as error:
        progress.print(f"no health check was evaluated: {error}", markup=False)
        return ()


def run_build(
    workspace: Workspace,
    progress: Console,
    targets: Sequence[str] | Scope = (),
    branch: str | None = None,
    fallbacks: Sequence[str] = (),
    *,
    force: bool = False,
    published: bool = False,
    skip_broken: bool = False,
    abort_on_failure: bool = False,
    jobs: int = 1,
    retries: int = 0,
    master: str | None = None,
    as_json: bool = False,
) -> BuildReport:
    """One build with everything this platform binds; progress goes to ``progress``, as JSON lines when asked for."""
    from mirror.builds import build
    from mirror.cli.progress import watching
    from mirror.cli.progress.driver_log import driver_log

    with watching(workspace, progress, as_json=as_json, jobs=jobs) as watcher, driver_log(progress, as_json=as_json):
        return build(
            workspace,
            targets,
            branch,
            fallbacks=fallbacks,
            force=force,
            published=published,
            skip_broken=skip_broken,
            abort_on_failure=abort_on_failure,
            binders=binders(workspace),
            spark=session_on_demand(workspace, Console(stderr=True, quiet=True) if as_json else progress, master),
            jobs=jobs,
            retries=retries,
            watcher=watcher,
        )


def binders(workspace: Workspace) -> tuple[Any, ...]:
    """What serves parameters other than datasets."""
    from mirror.models.binder import ModelBinder

    return (ModelBinder(workspace),)


def session_on_demand(workspace: Workspace, progress: Console, master: str | None) -> Callable[[], SparkSession]:
    """Starts Spark when asked, and says so."""

    def session() -> SparkSession:
        from mirror.java import find_java
        from mirror.spark import LOCAL_MASTER, start_session

        progress.print(f"starting Spark ({master or LOCAL_MASTER}) on {find_java()}", markup=False)
        return start_session(master=master or LOCAL_MASTER, python_path=[workspace.guest.source_root])

    return session


def _names(listed: str) -> tuple[str, ...]:
    return tuple(filter(None, listed.split(",")))


def _plan(
    workspace: Workspace,
    scope: Scope,
    branch: str,
    fallbacks: Sequence[str],
    force: bool,
    published: bool,
    skip_broken: bool,
) -> BuildPlan:
    from mirror.builds import plan
    from mirror.builds.published import pipeline_of

    pipeline = pipeline_of(workspace, branch, fallbacks, published=published, skip_broken=skip_broken)
    return plan(
        workspace, pipeline, scope, branch, fallbacks=fallbacks, force=force, binders=binders(workspace)
    )  # fmt: skip


def _show_plan(console: Console, decided: BuildPlan) -> None:
    from rich.table import Table

    table = Table("transform", "makes", "decision", "why, and how it will read and write", box=None)
    for job in decided.jobs:
        why = f"{job.reason}\n{job.how}" if job.how else job.reason
        cells = (job.spec.name, "\n".join(job.spec.output_paths), job.decision.value, why)
        table.add_row(*cells)
    console.print(f"plan for branch {decided.branch}: {len(decided.to_run)} of {len(decided.jobs)} jobs run")
    console.print(table)


def show_report(console: Console, report: BuildReport, stands: Mapping[str, Standing]) -> None:
    """The table that a build ends with: one line per output, and why jobs did not run.

    ``stands`` tells how the datasets of skipped jobs are.
    """
    from rich.table import Table
    from rich.text import Text

    from mirror.builds import JobStatus
    from mirror.datasets.ids import short

    table = Table("dataset", "branch", "rows", "transaction", "checks", "seconds", "result", box=None)
    for column in (2, 5):
        table.columns[column].justify = "right"
    waiting: dict[str, list[str]] = {}
    for job in report.jobs:
        if job.status is JobStatus.WAITING:
            waiting.setdefault(job.reason.rsplit(" waits: ", 1)[-1], []).extend(o.dataset for o in job.outputs)
            continue
        for at, output in enumerate(job.outputs):
            rows, transaction = output.rows, output.transaction
            passed, failed = job.count(True, output.dataset), job.count(False, output.dataset)
            if (now := stands.get(output.dataset)) is not None:
                rows, transaction, passed, failed = now.rows, now.transaction, now.passed, now.failed
            result = job.status.value if job.status is JobStatus.SUCCEEDED else f"{job.status.value}: {job.reason}"
            if job.status in (JobStatus.FAILED, JobStatus.ABORTED):
                result = job.status.value
            if output.missing is not None:
                result = "no version was made"
            cells = (
                output.dataset,
                job.branch,
                "-" if rows is None else f"{rows:,}",
                short(transaction or "-"),
                f"{passed}/{failed}" if passed or failed else "-",
                f"{job.seconds:.1f}" if at == 0 and job.seconds else "",
                result,
            )
            table.add_row(*map(Text, cells))
    if table.rows:
        console.print(table)
    for reason, datasets in waiting.items():
        console.print(f"waiting: {reason}", markup=False)
        more = f" and {len(datasets) - 3} more" if len(datasets) > 3 else ""
        console.print(f"    {', '.join(datasets[:3])}{more}", markup=False, style="dim")
    for job in report.jobs:
        for entry in job.checks:
            if not entry.passed:
                said = entry.document.get("detail", "")
                console.print(f"{entry.on_error} {entry.dataset}: {entry.name}: {entry.outcome} {said}", markup=False)
        if job.error:
            console.print(f"{job.status.value}: {job.error}", markup=False)
    unmade = report.unmade
    for output in unmade:
        console.print(f"no version of {output.dataset} was made: {output.missing}", markup=False)
    without = f", {len(unmade)} of its models without a new version" if unmade else ""
    console.print(f"build of {report.branch}: {report.status}{without} (checks are passed/not passed)")
