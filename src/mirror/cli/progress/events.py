"""One JSON document per line and event, on stderr, so that stdout stays one document."""

from __future__ import annotations

import json
from typing import IO, Any

from mirror.builds import BuildPlan, JobDecision, JobResult
from mirror.clock import Clock


class Events:
    """``planned``, ``started``, ``ended``; each has ``event`` and ``at`` (UTC, ISO 8601)."""

    def __init__(self, clock: Clock, stream: IO[str]) -> None:
        self._clock = clock
        self._stream = stream

    def planned(self, decided: BuildPlan, rid: str | None) -> None:
        """What will run, and what was decided about everything else."""
        self._say("planned", build=rid, branch=decided.branch, run=len(decided.to_run), of=len(decided.jobs))

    def started(self, job: JobDecision, rid: str) -> None:
        """A job, why it runs and how it will read and write."""
        made = {"transform": job.spec.name, "outputs": job.spec.output_paths}
        self._say("started", job=rid, **made, reason=job.reason, mode=job.how)

    def ended(self, job: JobDecision, result: JobResult) -> None:
        """A job's result as the report will hold it; also of jobs that never start."""
        self._say("ended", **result.to_json())

    def _say(self, event: str, **facts: Any) -> None:
        document = {"event": event, "at": self._clock().isoformat(), **facts}
        print(json.dumps(document, default=str, ensure_ascii=False), file=self._stream, flush=True)
