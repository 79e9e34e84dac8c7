"""How the last of some jobs or builds ended, and how long it took."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mirror.health.declaration import Bounded
from mirror.health.errors import NotApplicableError
from mirror.health.finding import Finding, Status
from mirror.health.judging import Judgement
from mirror.health.runs import Run
from mirror.health.spans import span


def last_outcome(runs: Sequence[Run], reason: str | None, what: str) -> Finding:
    """PASSED when the newest that ended succeeded. Raises NotApplicableError when none has ended yet."""
    newest = _ended(runs, what)[-1]
    text = f"the last {what} ended as {newest.status!r} at {newest.finished_at:%Y-%m-%d %H:%M} UTC"
    if newest.good:
        return Finding(Status.PASSED, text, event=newest.rid)
    cause = f": {newest.error.strip().splitlines()[0]}" if newest.error and newest.error.strip() else ""
    return Finding(Status.FAILED, f"{text}{cause}" + (f" ({reason})" if reason else ""), event=newest.rid)


def last_duration(runs: Sequence[Run], check: Bounded, what: str, now: datetime) -> Finding:
    """The newest one's wall time against bounds and the wall times before it.

    One that still runs is held against upper ends only, and only to its harm: that it is quick is not known yet.
    """
    past = [run.seconds(now) for run in runs if run.finished_at is not None]
    if runs and runs[-1].finished_at is None:
        running = runs[-1]
        elapsed = running.seconds(now)
        judgement = Judgement(f"the {what} that runs since {running.started_at:%Y-%m-%d %H:%M} UTC", check.reason, span)
        judgement.bounds(check.bounds, None, elapsed)
        judgement.deviation(check.median_deviation, past, None, elapsed)
        found = judgement.finding(elapsed, event=running.rid, measured={"seconds": elapsed, "running": True})
        if found.status is Status.FAILED:
            return found
    newest = _ended(runs, what)[-1]
    judgement = Judgement(f"duration of the last {what}", check.reason, span)
    judgement.bounds(check.bounds, past[-1], past[-1])
    judgement.deviation(check.median_deviation, past[:-1], past[-1], past[-1])
    return judgement.finding(past[-1], event=newest.rid, measured={"seconds": past[-1]})


def _ended(runs: Sequence[Run], what: str) -> list[Run]:
    ended = [run for run in runs if run.finished_at is not None]
    if not ended:
        raise NotApplicableError(f"no {what} has ended yet")
    return ended
