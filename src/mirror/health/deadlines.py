"""How long somebody has: a plain span, working hours, or until the weekly review."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
REVIEW = "weekly review"
_SPAN = re.compile(r"(\d+(?:\.\d+)?) (min|minutes?|h|hours?|days?|working hours?)")
_SECONDS = {"m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Calendar:
    """Working hours of Monday to Friday in ``zone``, and the weekday of the review, which begins with them."""

    zone: tzinfo = UTC
    begin: time = time(8)
    end: time = time(16)
    review: int = 0

    def after(self, moment: datetime, working: timedelta) -> datetime:
        """When ``working`` hours have passed since ``moment``, in UTC."""
        left = working
        local = moment.astimezone(self.zone)
        while True:
            opens = datetime.combine(local.date(), self.begin, self.zone)
            closes = datetime.combine(local.date(), self.end, self.zone)
            start = max(local, opens)
            if local.weekday() < 5 and start < closes:
                # Subtracted in UTC: on the night clocks change, local spans lie.
                available = closes.astimezone(UTC) - start.astimezone(UTC)
                if left <= available:
                    return start.astimezone(UTC) + left
                left -= available
            local = datetime.combine(local.date() + timedelta(days=1), time(), self.zone)

    def next_review(self, moment: datetime) -> datetime:
        """The first review that begins after ``moment``, in UTC."""
        local = moment.astimezone(self.zone)
        day = local.date() + timedelta(days=(self.review - local.weekday()) % 7)
        found = datetime.combine(day, self.begin, self.zone)
        if found <= local:
            found = datetime.combine(day + timedelta(days=7), self.begin, self.zone)
        return found.astimezone(UTC)


def is_allowance(text: str) -> bool:
    """Whether :func:`deadline` understands ``text``."""
    return text == REVIEW or _SPAN.fullmatch(text) is not None


def deadline(text: str, moment: datetime, calendar: Calendar) -> datetime:
    """When ``text`` (``30 min``, ``2 h``, ``3 days``, ``8 working hours``, ``weekly review``) is over, in UTC.

    Raises ValueError for any other text.
    """
    if text == REVIEW:
        return calendar.next_review(moment)
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(text)
    if found[2].startswith("working"):
        return calendar.after(moment, timedelta(hours=float(found[1])))
    return moment.astimezone(UTC) + timedelta(seconds=float(found[1]) * _SECONDS[found[2][0]])
