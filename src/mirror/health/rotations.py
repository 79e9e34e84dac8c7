"""Who is on call: people who take turns, handed over at one local time, and who stands in meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo


@dataclass(frozen=True)
class StandIn:
    """``who`` stands in from ``begin`` until before ``end``."""

    who: str
    begin: datetime
    end: datetime


@dataclass(frozen=True)
class Rotation:
    """People who take turns every ``every_days`` days from ``since`` on.

    Hand-over is at the local time of ``since`` in ``zone``, also when clocks change. Without people the rotation is
    called by its own name.
    """

    name: str
    kind: str
    people: tuple[str, ...] = ()
    since: datetime | None = None
    every_days: int = 7
    zone: tzinfo = UTC
    instead: tuple[StandIn, ...] = ()

    def on_call(self, now: datetime) -> str:
        """The first person at ``now``."""
        return self._turn(now, 0)

    def second(self, now: datetime) -> str:
        """Who is called when the first does not answer: whose turn is next, never the one who stands in already."""
        if len(self.people) < 2:
            return f"second person of {self.name}"
        first = self.on_call(now)
        turns = (self._turn(now, ahead, stand_ins=False) for ahead in range(1, len(self.people) + 1))
        return next(person for person in turns if person != first)

    def _turn(self, now: datetime, ahead: int, *, stand_ins: bool = True) -> str:
        if stand_ins:
            for one in self.instead:
                if one.begin <= now < one.end:
                    return one.who
        if not self.people or self.since is None:
            return self.name
        local, start = now.astimezone(self.zone), self.since.astimezone(self.zone)
        days = (local.date() - start.date()).days - (local.time() < start.time())
        return self.people[(days // self.every_days + ahead) % len(self.people)]
