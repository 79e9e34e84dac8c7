"""One line when a job starts and one when it ends; nothing about jobs that never start."""

from __future__ import annotations

from rich.console import Console

from mirror.builds import BuildPlan, JobDecision, JobResult


class Lines:
    """What a log file wants."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def planned(self, decided: BuildPlan, rid: str | None) -> None:
        """Nothing: the report tells what was skipped."""

    def started(self, job: JobDecision, rid: str) -> None:
        """``run   clean: input /raw has a new transaction``, and how an incremental one reads it."""
        how = f" ({job.how})" if job.spec.incremental is not None else ""
        self._console.print(f"  run   {job.spec.name}: {job.reason}{how}", markup=False)

    def ended(self, job: JobDecision, result: JobResult) -> None:
        """How it ended, its rows and warnings."""
        tell_end(self._console, result)


def tell_end(console: Console, result: JobResult) -> None:
    """The lines about a job that ran."""
    if not result.seconds:
        return
    rows = "".join(f", {output.rows:,} rows" for output in result.outputs if output.rows is not None)
    how = f"; {result.mode}" if result.spec.incremental is not None and result.mode else ""
    console.print(f"  {result.status.value:5} {result.spec.name} ({result.seconds:.1f} s{rows}{how})", markup=False)
    for warning in result.warnings:
        console.print(f"        warning: {warning}", markup=False)
    if result.error:
        console.print(f"        {result.error}", markup=False, style="red")
