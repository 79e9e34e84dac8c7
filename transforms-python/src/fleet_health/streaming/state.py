"""What is remembered of a device between two of its readings, and its text form for a state store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

Points = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Memory:
    """What one rule remembers of one device. Times are microseconds since 1970.

    Attributes:
        points: the newest readings that the rule still needs.
        medians: earlier medians that a fall is measured against.
        since: first reading of the sequence that is going on.
        run: readings in a row beyond the sensor's range.
        anchor: time of the alert that opened the present silence.
        silenced: alerts suppressed since then.
    """

    points: Points = ()
    medians: Points = ()
    since: int | None = None
    run: int = 0
    anchor: int | None = None
    silenced: int = 0

    def forgotten(self) -> Memory:
        """The same silence, no sequence."""
        return Memory(anchor=self.anchor, silenced=self.silenced)


@dataclass(frozen=True)
class DeviceState:
    """All that is remembered of one device.

    Attributes:
        newest: time of its newest reading.
        seen: time and id of the readings that a copy could still follow.
        rules: memory by rule id.
        late: readings that came after a newer one and were judged alone.
        repeated: copies, not judged again.
        ignored: readings too late to be acute.
    """

    newest: int | None = None
    seen: tuple[tuple[int, str], ...] = ()
    rules: Mapping[str, Memory] = field(default_factory=dict)
    late: int = 0
    repeated: int = 0
    ignored: int = 0

    def counted(self, what: str) -> DeviceState:
        return replace(self, **{what: getattr(self, what) + 1})

    def to_text(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"), sort_keys=True)

    @classmethod
    def from_text(cls, text: str) -> DeviceState:
        told: dict[str, Any] = json.loads(text)
        rules = {
            name: Memory(**{**kept, "points": _pairs(kept["points"]), "medians": _pairs(kept["medians"])})
            for name, kept in told["rules"].items()
        }
        return cls(**{**told, "seen": _pairs(told["seen"]), "rules": rules})


def _pairs(told: list[list[Any]]) -> tuple[Any, ...]:
    return tuple((time, value) for time, value in told)
