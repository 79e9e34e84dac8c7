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
    cells = text.str.strip()
    missing = cells.isin([word.strip() for word in source.missing])
    if sensor.type == "boolean":
        truth = cells.str.lower().map(_TRUTH)
        return truth.astype("boolean"), truth.isna() & ~missing
    if source.decimal == ",":
        cells = cells.str.replace(",", ".", regex=False)
    numbers = pd.to_numeric(cells.where(~missing), errors="coerce").astype("float64")
    finite = pd.Series(np.isfinite(numbers), index=numbers.index)
    unreadable = ~finite & ~missing & (cells.str.lower() != "nan")
    rule = conversion(column.unit or sensor.unit, sensor.unit)
    if rule is not None and not rule.is_identity:
        numbers = (numbers + rule.shift) * rule.factor
    return numbers.where(~unreadable), unreadable


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
