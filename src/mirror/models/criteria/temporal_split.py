"""The version was validated on later windows than it was trained on, with a gap, and on devices it never saw.

A split that leaks makes every validation figure look better than production will.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from mirror.models.criteria.base import Candidate, Criterion, Finding, only
from mirror.models.records import Outcome

if TYPE_CHECKING:
    from mirror.located import Located

_TIMES = ("training_window_end", "validation_window_start")
_DEVICES = ("training_devices", "validation_devices")


@dataclass(frozen=True)
class TemporalSplit(Criterion):
    """``gap_days``: at least between the end of training and the start of validation; ``devices``: held out too.

    Reads ``training_window_end`` and ``validation_window_start`` (ISO 8601) and, with ``devices``, the lists
    ``training_devices`` and ``validation_devices`` from the adapter's facts or the experiment's parameters.
    """

    kind = "temporal_split"
    gap_days: float
    devices: bool = False

    @classmethod
    def read(cls, item: Located, settings: Mapping[str, Located]) -> Self:
        only(item, settings, ("gap_days", "devices"), required=("gap_days",))
        gap = settings["gap_days"].number("gap_days")
        if gap < 0:
            settings["gap_days"].wrong(f"gap_days is a number of days, not {gap:g}.")
        return cls(gap, bool(settings["devices"].value) if "devices" in settings else False)

    def judge(self, candidate: Candidate) -> Finding:
        version = candidate.version
        known = {**(version.experiment or {}).get("parameters", {}), **version.facts}
        missing = [name for name in (*_TIMES, *(_DEVICES if self.devices else ())) if not known.get(name)]
        if missing:
            return Finding(Outcome.PENDING, f"not recorded: {', '.join(missing)}")
        end, start = (_moment(known[name]) for name in _TIMES)
        if start - end < timedelta(days=self.gap_days):
            found = f"training ends {end:%Y-%m-%d %H:%M}, validation starts {start:%Y-%m-%d %H:%M}"
            return Finding(Outcome.REJECT, f"{found}: less than {self.gap_days:g} days apart")
        shared = sorted(set(known[_DEVICES[0]]) & set(known[_DEVICES[1]])) if self.devices else []
        if shared:
            return Finding(Outcome.REJECT, f"{len(shared)} devices trained and validate, {shared[0]} among them")
        apart = (start - end).total_seconds() / 86_400
        return Finding(Outcome.PASS, f"validation starts {apart:.1f} days after training ends")


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
