"""Text of cells to values: numbers in stored units, booleans, instants. Pure pandas, one column at a time."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from fleet_health.profiles.model import Column, Sensor, Source
from fleet_health.profiles.units import conversion

_TRUTH = {"1": True, "0": False, "1.0": True, "0.0": False, "true": True, "false": False}
_OFFSET = r"(?:[zZ]|[+-]\d{2}:?\d{2})$"


def read_sensor(
    text: pd.Series[Any], sensor: Sensor, column: Column, source: Source
) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """The values of one sensor and a mask of its unreadable cells.

    Returns:
        values in the sensor's unit (null where missing, NaN or unreadable); ``True`` where the cell held text that is
        neither a value nor one of the profile's words for "missing". Infinite numbers count as unreadable.
    """
    words = {word.strip() for word in source.missing}
    if sensor.type == "boolean":
        truth = pd.Series([_TRUTH.get(cell.strip().lower()) for cell in text], index=text.index, dtype="object")
        return truth.astype("boolean"), _not_a_value(text, truth.isna(), words)
    cells = text
    if source.decimal == ",":  # a point would be a thousands separator, whose meaning nobody declared
        cells = text.where(~text.str.contains(".", regex=False), "?").str.replace(",", ".", regex=False)
    numbers = pd.Series([_number(cell) for cell in cells], index=text.index, dtype="float64")
    declared = [word for word in words if word]
    if declared:  # a word for "missing" may be a number, such as -999.9
        numbers = numbers.where(~text.str.strip().isin(declared))
    finite = pd.Series(np.isfinite(numbers), index=numbers.index)
    unreadable = _not_a_value(text, ~finite, {*words, "nan", "NaN"})
    rule = conversion(column.unit or sensor.unit, sensor.unit)
    if rule is not None and not rule.is_identity:
        numbers = (numbers + rule.shift) * rule.factor
    return numbers.where(~unreadable), unreadable


def _number(cell: str) -> float:
    """The nearest double, NaN where the text is no number. pandas' own parser is off by one unit in the last place."""
    try:
        return float(cell) if "_" not in cell else np.nan
    except ValueError:
        return np.nan


def _not_a_value(text: pd.Series[Any], suspects: pd.Series[Any], words: set[str]) -> pd.Series[Any]:
    """Which of the suspects hold something else than a word for "missing"; only they are looked at as text."""
    mask = suspects.to_numpy(dtype=bool, copy=True)
    for place in mask.nonzero()[0]:
        mask[place] = text.iloc[place].strip() not in words
    return pd.Series(mask, index=text.index)


def read_time(text: pd.Series[Any], pattern: str, zone: str | None) -> pd.Series[Any]:
    """Instants in UTC; ``NaT`` where the text is no time, or names a local time the zone skipped.

    An offset in the text wins over ``zone``; without both the text is UTC. The doubled hour at the end of daylight
    saving reads as standard time.
    """
    cells = text.str.strip()
    if pattern != "iso8601":
        parsed = pd.to_datetime(cells, format=pattern, errors="coerce")
        return parsed.dt.tz_convert("UTC") if parsed.dt.tz is not None else _in_zone(parsed, zone)
    with_offset = cells.str.contains(_OFFSET, regex=True)
    aware = pd.to_datetime(cells.where(with_offset), format="ISO8601", errors="coerce", utc=True)
    if bool(with_offset.all()):
        return aware
    naive = pd.to_datetime(cells.where(~with_offset), format="ISO8601", errors="coerce")
    return aware.where(with_offset, _in_zone(naive, zone))


def _in_zone(naive: pd.Series[Any], zone: str | None) -> pd.Series[Any]:
    if zone is None:
        return naive.dt.tz_localize("UTC")
    standard = np.zeros(len(naive), dtype=bool)
    return naive.dt.tz_localize(ZoneInfo(zone), ambiguous=standard, nonexistent="NaT").dt.tz_convert("UTC")
