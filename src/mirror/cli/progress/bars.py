"""Bars: one for the build with the time it still needs, one for each job that runs, with its tasks and rows."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from statistics import median
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from mirror.builds import BuildPlan, JobDecision, JobResult
from mirror.builds.watching import progress_of
from mirror.cli.progress.lines import tell_end

_LOOK_EVERY_SECONDS = 0.5


class Bars:
    """A live display that ends with the build; what a job ended with stays above it.

    Args:
        before: reference -> seconds its last run took. A job without a past is expected to take what the others did;
            with no past at all no time is promised.
        jobs: how many run at the same time.
    """

    def __init__(self, console: Console, before: Mapping[str, float], jobs: int) -> None:
        self._console = console
        self._before = before
        self._jobs = jobs
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}", markup=False, style="dim"),
            console=console,
            transient=True,
        )
        self._left: dict[str, float | None] = {}
        self._running: dict[str, tuple[TaskID, str, float]] = {}
        self._whole: TaskID | None = None
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._looker = threading.Thread(target=self._look, name="mirror-progress", daemon=True)

    def __enter__(self) -> Self:
        self._bars.start()
        self._looker.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._looker.join()
        self._bars.stop()

    def planned(self, decided: BuildPlan, rid: str | None) -> None:
        """The build's own bar."""
        with self._lock:
            self._left = {job.spec.reference: self._before.get(job.spec.reference) for job in decided.to_run}
            if decided.to_run:
                title = f"build of {decided.branch}"
                self._whole = self._bars.add_task(title, total=len(decided.to_run), note=self._promise())

    def started(self, job: JobDecision, rid: str) -> None:
        """A bar without an end yet: how many tasks a job has is known once Spark runs them."""
        with self._lock:
            task = self._bars.add_task(f"  {job.spec.name}", total=None, note=job.reason)
            self._running[job.spec.reference] = (task, rid, time.monotonic())

    def ended(self, job: JobDecision, result: JobResult) -> None:
        """Its bar goes, its line stays."""
        with self._lock:
            if (bar := self._running.pop(job.spec.reference, None)) is not None:
                self._bars.remove_task(bar[0])
            known = job.spec.reference in self._left
            self._left.pop(job.spec.reference, None)
            if known and self._whole is not None:
                self._bars.update(self._whole, advance=1, note=self._promise())
        tell_end(self._console, result)

    def _look(self) -> None:
        while not self._over.wait(_LOOK_EVERY_SECONDS):
            with self._lock:
                running = list(self._running.items())
            seen = {reference: progress_of(rid) for reference, (_, rid, _) in running}
            with self._lock:
                for reference, (task, _, _) in running:
                    now = seen[reference]
                    if reference in self._running and now.tasks:
                        rows = f"{now.rows_read:,} rows read, {now.rows_written:,} written"
                        self._bars.update(task, total=now.tasks, completed=now.done, note=rows)
                if self._whole is not None:
                    self._bars.update(self._whole, note=self._promise())

    def _promise(self) -> str:
        """How long the rest should take, by how long the same jobs took before."""
        known = [seconds for seconds in self._left.values() if seconds is not None]
        if not known:
            return ""
        usual = median(known)
        left = 0.0
        for reference, seconds in self._left.items():
            bar = self._running.get(reference)
            gone = 0.0 if bar is None else time.monotonic() - bar[2]
            left += max(0.0, (usual if seconds is None else seconds) - gone)
        minutes, rest = divmod(round(left / self._jobs), 60)
        return f"about {minutes}:{rest:02} left"
