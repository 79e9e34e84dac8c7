"""Text of cells to instants in UTC. Pure pandas, one column at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from fleet_health.ingestion.time_text import part_of, with_leading_zeros, with_words, without_hour_24, without_zone_name
from fleet_health.profiles.source import EPOCHS, SourceTime

_SECOND_60 = r":6[01](?!\d)"
_OFFSET = r"(?:[zZ]|[+-]\d{2}:?\d{2}|[T ]\d{2}\S*\s*[+-]\d{2})$"
_SHORT_OFFSET = r"([+-]\d{2})$"
_ODD_OFFSET = r"[T ].*[+\-zZ]"
_SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "D": 86400.0}
_HELD = (pd.Timestamp("1678-01-01").timestamp(), pd.Timestamp("2262-01-01").timestamp())
_UTC = ("UTC", "GMT", "Z")
_UTC_BEHIND = r"\s*(?:UTC|GMT)$"
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
    decimal: str = ".",
) -> pd.Series[Any]:
    """Instants in UTC; ``NaT`` where the text is no time, or names a local time the zone skipped.

    An offset in the text wins over ``zone``; without both the text is UTC. In the doubled hour at the end of daylight
    saving a device's rows are summer time until the clock has visibly gone back; see :class:`DoubledHour`. A leap
    second (23:59:60 UTC) is the midnight that follows it, as POSIX counts; any other second 60 is no time.

    Args:
        text: one cell per row.
        rule: formats, tried in order; words to replace; where epochs count from; whether 24:00 is a time.
        zone: of text without offset.
        devices: the device of each row, when the rows belong to several.
        seen: what earlier parts of the same file have named; grows.
        decimal: the mark of decimals in epochs.
    """
    cells = with_words(part_of(text, rule.text_pattern).str.strip(), rule.words)
    return _with_leap_seconds(cells, rule, zone, devices, seen, decimal)


def _with_leap_seconds(
    cells: pd.Series[Any],
    rule: SourceTime,
    zone: str | None,
    devices: pd.Series[Any] | None,
    seen: DoubledHour | None,
    decimal: str,
) -> pd.Series[Any]:
    if cells.str.contains(":6", regex=False).any() and (odd := cells.str.contains(_SECOND_60, regex=True)).any():
        # strptime would take 12:30:60 for 12:31:00 and 61 too; iso8601 takes no second 60 at all
        begun = cells.str.replace(_SECOND_60, ":59", regex=True)
        found = _with_leap_seconds(begun, rule, zone, devices, seen, decimal)
        after = found + pd.Timedelta(seconds=1)
        whole = (after == after.dt.normalize()) & ~cells.str.contains(":61", regex=False)
        return found.where(~odd, after.where(whole))
    found = _in_one_format(cells, rule.formats[0], rule, zone, devices, seen, decimal)
    for pattern in rule.formats[1:]:
        left = found.isna() & (cells != "")
        if not left.any():
            break
        of = None if devices is None else devices[left]
        rest = _in_one_format(cells[left], pattern, rule, zone, of, seen, decimal)
        found = found.where(~left, rest.reindex(found.index))
    return found


def _in_one_format(
    cells: pd.Series[Any],
    pattern: str,
    rule: SourceTime,
    zone: str | None,
    devices: pd.Series[Any] | None,
    seen: DoubledHour | None,
    decimal: str,
) -> pd.Series[Any]:
    if pattern in EPOCHS:
        return _counted(cells.str.replace(decimal, ".", regex=False) if decimal != "." else cells, pattern, rule)
    days = pd.Series(0, index=cells.index)
    names = None
    if "%Z" in pattern:
        cells, pattern, names = without_zone_name(cells, pattern)
    cells = with_leading_zeros(cells, pattern)
    if rule.hour_24:
        # before the zone is known: the day that ends is a local one
        cells, days = without_hour_24(cells, pattern)
    whole = pd.to_timedelta(days, unit="D")
    if pattern == "iso8601":
        return _iso8601(cells, whole, zone, devices, seen)
    if pattern.endswith("%z"):
        cells = cells.str.replace(_SHORT_OFFSET, r"\g<1>00", regex=True)
    parsed = pd.to_datetime(cells, format=pattern, errors="coerce", utc="%z" in pattern) + whole
    if parsed.dt.tz is not None:
        return parsed
    return _in_zone(parsed, zone, devices, seen) if names is None else _in_named_zone(parsed, names, zone)


def _counted(cells: pd.Series[Any], pattern: str, rule: SourceTime) -> pd.Series[Any]:
    """Epochs. Days of a spreadsheet are fractions that end between microseconds: 09:00 must not be read before it."""
    numbers = pd.to_numeric(cells, errors="coerce").astype("float64")
    start = pd.Timestamp(rule.counts_from or "1970-01-01")
    # pandas overflows on what it cannot hold, whatever it is told to do with errors
    seconds = numbers * _SECONDS[EPOCHS[pattern]] + start.timestamp()
    held = seconds.between(*_HELD)
    # and where a number is missing, on whatever its memory held before: it gets none to read
    found = pd.to_datetime(numbers.where(held, 0.0), unit=EPOCHS[pattern], origin=start, utc=True, errors="coerce")
    return found.where(held).dt.round("ms" if pattern == "epoch_days" else "us")


def _iso8601(
    cells: pd.Series[Any],
    whole: pd.Series[Any],
    zone: str | None,
    devices: pd.Series[Any] | None,
    seen: DoubledHour | None,
) -> pd.Series[Any]:
    cells = cells.str.replace(_UTC_BEHIND, "Z", regex=True)
    with_offset = cells.str.contains(_OFFSET, regex=True)
    aware = pd.to_datetime(cells.where(with_offset), format="ISO8601", errors="coerce", utc=True) + whole
    if bool(with_offset.all()):
        return aware
    without = ~with_offset & ~cells.str.contains(_ODD_OFFSET, regex=True)
    naive = pd.to_datetime(cells.where(without), format="ISO8601", errors="coerce") + whole
    return aware.where(with_offset, _in_zone(naive, zone, devices, seen))


def _in_named_zone(naive: pd.Series[Any], names: pd.Series[Any], zone: str | None) -> pd.Series[Any]:
    """Local times with the name of their zone: UTC, or what ``zone`` is called then, such as EST or EDT."""
    utc = naive.dt.tz_localize("UTC")
    if zone is None:
        return utc.where(names.isin(_UTC))
    found = utc.where(names.isin(_UTC))
    place = ZoneInfo(zone)
    for early in (True, False):
        local = naive.dt.tz_localize(place, ambiguous=np.full(len(naive), early), nonexistent="NaT")
        called = pd.Series([None if pd.isna(at) else at.tzname() for at in local], index=naive.index, dtype="object")
        found = found.where(found.notna() | (called != names), local.dt.tz_convert("UTC"))
    return found


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
