"""Text of cells to instants in UTC. Pure pandas, one column at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from fleet_health.profiles.source import EPOCHS, SourceTime

_SECOND_60 = r":6[01](?!\d)"
_OFFSET = r"(?:[zZ]|[+-]\d{2}:?\d{2})$"
_AT_MIDNIGHT = {"M": "0{1,2}", "S": "0{1,2}", "f": "0+"}
_DIRECTIVE = {"Y": r"\d{4}", "j": r"\d{1,3}", "z": r"\S+"}
_FALLS_BACK = pd.Timedelta(minutes=30)


@dataclass
class DoubledHour:
    """What one file has named already of the hour that a clock change doubles, device by device.

    A row is of the second pass when its local time was named before, or once local time has fallen back by more than
    half an hour from one row to the next: with readings at odd minutes no time is ever named twice.
    """

    named: set[tuple[object, pd.Timestamp]] = field(default_factory=set)
    last: dict[object, pd.Timestamp] = field(default_factory=dict)
    second: set[tuple[object, object]] = field(default_factory=set)

    def again(self, device: object, local: pd.Timestamp) -> bool:
        """Whether this row, next in the order of the file, belongs to the second pass."""
        night, last = (device, local.date()), self.last.get(device)
        if last is not None and last.date() == local.date() and last - local > _FALLS_BACK:
            self.second.add(night)
        repeated = (device, local) in self.named or night in self.second
        self.named.add((device, local))
        self.last[device] = local
        return repeated


def read_time(
    text: pd.Series[Any],
    rule: SourceTime,
    zone: str | None,
    devices: pd.Series[Any] | None = None,
    seen: DoubledHour | None = None,
) -> pd.Series[Any]:
    """Instants in UTC; ``NaT`` where the text is no time, or names a local time the zone skipped.

    An offset in the text wins over ``zone``; without both the text is UTC. In the doubled hour at the end of daylight
    saving a device's rows are summer time until the clock has visibly gone back; see :class:`DoubledHour`. A leap
    second (23:59:60 UTC) is the midnight that follows it, as POSIX counts; any other second 60 is no time.

    Args:
        text: one cell per row.
        rule: formats, tried in order; where epochs count from; whether 24:00 is a time.
        zone: of text without offset.
        devices: the device of each row, when the rows belong to several.
        seen: what earlier parts of the same file have named; grows.
    """
    cells = text.str.strip()
    if cells.str.contains(":6", regex=False).any() and (odd := cells.str.contains(_SECOND_60, regex=True)).any():
        # strptime would take 12:30:60 for 12:31:00 and 61 too; iso8601 takes no second 60 at all
        found = read_time(cells.str.replace(_SECOND_60, ":59", regex=True), rule, zone, devices, seen)
        after = found + pd.Timedelta(seconds=1)
        whole = (after == after.dt.normalize()) & ~cells.str.contains(":61", regex=False)
        return found.where(~odd, after.where(whole))
    found = _in_one_format(cells, rule.formats[0], rule, zone, devices, seen)
    for pattern in rule.formats[1:]:
        left = found.isna() & (cells != "")
        if not left.any():
            break
        of = None if devices is None else devices[left]
        rest = _in_one_format(cells[left], pattern, rule, zone, of, seen)
        found = found.where(~left, rest.reindex(found.index))
    return found


def _in_one_format(
    cells: pd.Series[Any],
    pattern: str,
    rule: SourceTime,
    zone: str | None,
    devices: pd.Series[Any] | None,
    seen: DoubledHour | None,
) -> pd.Series[Any]:
    if pattern in EPOCHS:
        numbers = pd.to_numeric(cells, errors="coerce").astype("float64")
        start = pd.Timestamp(rule.counts_from or "1970-01-01")
        return pd.to_datetime(numbers, unit=EPOCHS[pattern], origin=start, utc=True, errors="coerce").dt.round("us")
    days = pd.Series(0, index=cells.index)
    if rule.hour_24:
        # before the zone is known: the day that ends is a local one
        cells, days = _without_hour_24(cells, pattern)
    whole = pd.to_timedelta(days, unit="D")
    if pattern != "iso8601":
        parsed = pd.to_datetime(cells, format=pattern, errors="coerce", utc="%z" in pattern) + whole
        return parsed if parsed.dt.tz is not None else _in_zone(parsed, zone, devices, seen)
    with_offset = cells.str.contains(_OFFSET, regex=True)
    aware = pd.to_datetime(cells.where(with_offset), format="ISO8601", errors="coerce", utc=True) + whole
    if bool(with_offset.all()):
        return aware
    naive = pd.to_datetime(cells.where(~with_offset), format="ISO8601", errors="coerce") + whole
    return aware.where(with_offset, _in_zone(naive, zone, devices, seen))


def _without_hour_24(cells: pd.Series[Any], pattern: str) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """24:00 as 00:00, and the days to add. Only hour 24 itself is one: 24:01 stays as it is, and is no time."""
    midnight = _midnight(pattern)
    if midnight is None or not cells.str.contains("24", regex=False).any():
        return cells, pd.Series(0, index=cells.index)
    found = cells.str.fullmatch(midnight)
    begun = cells.str.replace(f"^{midnight}$", r"\g<before>00\g<after>", regex=True)
    return cells.where(~found, begun), found.astype("int64")


@cache
def _midnight(pattern: str) -> str | None:
    """What matches hour 24 in a format; ``None`` when the format has no hour."""
    if pattern == "iso8601":
        return r"(?P<before>\d{4}-?\d\d-?\d\d[T ])24(?P<after>(?::?00){0,2}(?:[.,]0+)?(?:[zZ]|[+-]\S+)?)"
    if "%H" not in pattern:
        return None
    made = []
    for part in re.findall(r"%.|[^%]+", pattern):
        letter = part[1:]
        if part == "%H":
            made.append("(?P<hour>24)")
        elif part.startswith("%"):
            made.append(_AT_MIDNIGHT.get(letter) or _DIRECTIVE.get(letter, r"\w+"))
        else:
            made.append(re.escape(part))
    before, after = "".join(made).split("(?P<hour>24)")
    return f"(?P<before>{before})24(?P<after>{after})"


def _in_zone(
    naive: pd.Series[Any], zone: str | None, devices: pd.Series[Any] | None, seen: DoubledHour | None
) -> pd.Series[Any]:
    if zone is None:
        return naive.dt.tz_localize("UTC")
    place = ZoneInfo(zone)
    standard, summer = (
        naive.dt.tz_localize(place, ambiguous=np.full(len(naive), early), nonexistent="NaT").dt.tz_convert("UTC")
        for early in (False, True)
    )
    doubled = (standard != summer) & naive.notna() & standard.notna()
    if not doubled.any():
        return standard
    again = pd.Series(False, index=naive.index)
    known = DoubledHour() if seen is None else seen
    for row in naive.index[doubled]:
        again[row] = known.again(None if devices is None else devices[row], naive[row])
    return standard.where(~doubled | again, summer)
