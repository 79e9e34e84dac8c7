"""Text of cells to values: numbers in stored units, booleans, instants. Pure pandas, one column at a time."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from fleet_health.profiles.model import EPOCHS, Column, Sensor, Source
from fleet_health.profiles.units import conversion

_TRUTH = {"1": True, "0": False, "1.0": True, "0.0": False, "true": True, "false": False}
_NAN = ("nan", "NaN")
_SECOND_60 = r":6[01](?!\d)"
_OFFSET = r"(?:[zZ]|[+-]\d{2}:?\d{2})$"


def read_sensor(
    text: pd.Series[Any], sensor: Sensor, column: Column, source: Source
) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """The values of one sensor and a mask of its unreadable cells.

    Returns:
        values in the sensor's unit (null where missing, NaN or unreadable); ``True`` where the cell held text that is
        neither a value nor one of the profile's words for "missing". Infinite numbers count as unreadable.
    """
    declared = (*source.missing, *column.missing)
    if source.format == "parquet":
        declared = (*declared, "")  # a null of the file
    words = {word.strip() if isinstance(word, str) else f"{word:g}" for word in declared}
    # columns repeat their cells, so each distinct text is understood once
    if sensor.type == "boolean":
        known = {**_TRUTH, **_words(column.true_words, True), **_words(column.false_words, False)}
        truths = {cell: None if (bare := cell.strip()) in words else known.get(bare.lower()) for cell in set(text)}
        truth = pd.Series([truths[cell] for cell in text], index=text.index, dtype="object").astype("boolean")
        wrong = {cell for cell, value in truths.items() if value is None and cell.strip() not in words}
        return truth, _among(text, wrong)
    numbers = {cell: _number(cell, source) for cell in set(text)}
    written = {_number(word, source) for word in words} | {w for w in declared if not isinstance(w, str)}
    sentinels = {value for value in written if not math.isnan(value)}  # `in` finds the same NaN by identity
    missing = {cell for cell, value in numbers.items() if cell.strip() in words or value in sentinels}
    wrong = {c for c, v in numbers.items() if not math.isfinite(v) and c not in missing and c.strip() not in _NAN}
    numbers.update(dict.fromkeys(missing | wrong, math.nan))
    values = pd.Series([numbers[cell] for cell in text], index=text.index, dtype="float64")
    rule = conversion(column.unit or sensor.unit, sensor.unit)
    if rule is not None and not rule.is_identity:
        values = (values + rule.shift) * rule.factor
    return values, _among(text, wrong)


def _words(words: tuple[str, ...], truth: bool) -> dict[str, bool]:
    return {word.strip().lower(): truth for word in words}


def _among(text: pd.Series[Any], cells: set[str]) -> pd.Series[Any]:
    return text.isin(cells) if cells else pd.Series(False, index=text.index)


def _number(cell: str, source: Source) -> float:
    """The nearest double, NaN where the text is no number. pandas' own parser is off by one unit in the last place.

    A separator of thousands anywhere but between groups of three makes no number: ``1.2`` must not read as 12.
    """
    text = cell.strip()
    sign = source.thousands
    if sign is not None and sign in text:
        groups = rf"[+-]?\d{{1,3}}(?:{re.escape(sign)}\d{{3}})+(?:{re.escape(source.decimal)}\d*)?"
        if re.fullmatch(groups, text) is None:
            return math.nan
        text = text.replace(sign, "")
    if source.decimal == ",":
        # a point that nobody declared may be somebody's separator of thousands
        text = "?" if "." in text else text.replace(",", ".")
    try:
        return float(text) if "_" not in text else math.nan
    except ValueError:
        return math.nan


Seen = set[tuple[object, object]]
"""Devices and local times of the doubled hour that one file has named already."""


def read_time(
    text: pd.Series[Any],
    formats: Sequence[str],
    zone: str | None,
    devices: pd.Series[Any] | None = None,
    seen: Seen | None = None,
    counts_from: date | None = None,
) -> pd.Series[Any]:
    """Instants in UTC; ``NaT`` where the text is no time, or names a local time the zone skipped.

    An offset in the text wins over ``zone``; without both the text is UTC. In the doubled hour at the end of daylight
    saving the first row of a device with a local time is summer time and the next one standard time, in the order of
    the file. A leap second (23:59:60 UTC) is the midnight that follows it, as POSIX counts; any other second 60 is no
    time.

    Args:
        text: one cell per row.
        formats: tried in order: strptime patterns, ``iso8601`` or one of the epochs.
        zone: of text without offset.
        devices: the device of each row, when the rows belong to several.
        seen: what earlier parts of the same file have named; grows.
        counts_from: the UTC day from which epochs count, if not 1970.
    """
    cells = text.str.strip()
    if cells.str.contains(":6", regex=False).any() and (odd := cells.str.contains(_SECOND_60, regex=True)).any():
        # strptime would take 12:30:60 for 12:31:00 and 61 too; iso8601 takes no second 60 at all
        found = read_time(cells.str.replace(_SECOND_60, ":59", regex=True), formats, zone, devices, seen, counts_from)
        after = found + pd.Timedelta(seconds=1)
        whole = (after == after.dt.normalize()) & ~cells.str.contains(":61", regex=False)
        return found.where(~odd, after.where(whole))
    found = _in_one_format(cells, formats[0], zone, devices, seen, counts_from)
    for pattern in formats[1:]:
        left = found.isna() & (cells != "")
        if not left.any():
            break
        of = None if devices is None else devices[left]
        rest = _in_one_format(cells[left], pattern, zone, of, seen, counts_from)
        found = found.where(~left, rest.reindex(found.index))
    return found


def _in_one_format(
    cells: pd.Series[Any],
    pattern: str,
    zone: str | None,
    devices: pd.Series[Any] | None,
    seen: Seen | None,
    counts_from: date | None,
) -> pd.Series[Any]:
    if pattern in EPOCHS:
        numbers = pd.to_numeric(cells, errors="coerce").astype("float64")
        start = pd.Timestamp(counts_from or "1970-01-01")
        return pd.to_datetime(numbers, unit=EPOCHS[pattern], origin=start, utc=True, errors="coerce").dt.round("us")
    if pattern != "iso8601":
        parsed = pd.to_datetime(cells, format=pattern, errors="coerce", utc="%z" in pattern)
        return parsed if parsed.dt.tz is not None else _in_zone(parsed, zone, devices, seen)
    with_offset = cells.str.contains(_OFFSET, regex=True)
    aware = pd.to_datetime(cells.where(with_offset), format="ISO8601", errors="coerce", utc=True)
    if bool(with_offset.all()):
        return aware
    naive = pd.to_datetime(cells.where(~with_offset), format="ISO8601", errors="coerce")
    return aware.where(with_offset, _in_zone(naive, zone, devices, seen))


def _in_zone(
    naive: pd.Series[Any], zone: str | None, devices: pd.Series[Any] | None, seen: Seen | None
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
    known: Seen = set() if seen is None else seen
    for row in naive.index[doubled]:
        key = (None if devices is None else devices[row], naive[row])
        again[row] = key in known
        known.add(key)
    return standard.where(~doubled | again, summer)
