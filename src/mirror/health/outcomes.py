"""How the last of some jobs or builds ended, and how long it took."""

from __future__ import annotations

from collections.abc import Sequence

from mirror.health.declaration import Deviating
from mirror.health.errors import NotApplicableError
from mirror.health.finding import Finding, Status
from mirror.health.judging import Judgement
from mirror.health.runs import Ended
from mirror.health.spans import span
from mirror.health.thresholds import TimeBounds


def last_outcome(ended: Sequence[Ended], reason: str | None, what: str) -> Finding:
    """PASSED when the newest succeeded. Raises NotApplicableError when none has ended yet."""
    newest = _newest(ended, what)
    text = f"the last {what} ended as {newest.status!r} at {newest.finished_at:%Y-%m-%d %H:%M} UTC"
    if newest.good:
        return Finding(Status.PASSED, text, event=newest.rid)
    cause = f": {newest.error.strip().splitlines()[0]}" if newest.error and newest.error.strip() else ""
    return Finding(Status.FAILED, f"{text}{cause}" + (f" ({reason})" if reason else ""), event=newest.rid)


def last_duration(ended: Sequence[Ended], check: Deviating, bounds: Sequence[TimeBounds], what: str) -> Finding:
    """The newest one's wall time against bounds and the wall times before it."""
    newest = _newest(ended, what)
    judgement = Judgement(f"duration of the last {what}", check.reason, span)
    judgement.bounds(bounds, newest.seconds, newest.seconds)
    earlier = [one.seconds for one in ended[:-1]]
    judgement.deviation(check.median_deviation, earlier, newest.seconds, newest.seconds)
    return judgement.finding(newest.seconds, event=newest.rid, measured={"seconds": newest.seconds})


def _newest(ended: Sequence[Ended], what: str) -> Ended:
    if not ended:
        raise NotApplicableError(f"no {what} has ended yet")
    return ended[-1]
