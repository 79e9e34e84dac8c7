"""Clock-aligned tumbling windows in UTC: start inclusive, end exclusive, one device at a time.

The window key is ``floor(epoch / length)`` as an integer. A device's readings meet in one partition in one order, so
the same readings give the same bytes whatever files and tasks they came through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from fleet_health.contracts.features import COUNTS
from fleet_health.features import kernel
from fleet_health.features.kernel import P95, Centred, Floats, Groups, Ints
from fleet_health.features.lateness import MICROS_PER_MINUTE, Due
from fleet_health.features.readings import Readings, summarised_sensors
from fleet_health.profiles.model import Feature, Profile

_DERIVED: Mapping[str, Callable[[Floats, Floats], Floats]] = {
    "difference": kernel.difference,
    "ratio_of_positive": kernel.ratio_of_positive,
    "ratio_of_nonzero": kernel.ratio_of_nonzero,
}


def due_versions(readings: Readings, rows: Ints, dues: Sequence[Due], profile: Profile) -> Iterator[pa.RecordBatch]:
    """Every version of every window that is due.

    A version is due when it came into being after ``Due.before`` and not after ``Due.boundary``, or when a reading
    that has landed only now belongs to it or to an earlier version of the window.

    Args:
        readings: among them all readings of every window that has a version due.
        rows: which of them to look at, by device and time; windows may be there in part if none of theirs is due.
        dues: what is due, per length.
        profile: the features.

    Yields:
        rows of ``feature_versions``; ``computed_at`` is the boundary at which the version came into being.
    """
    for due in dues:
        for chosen, computed_at in _versions(readings, rows, due):
            yield window_table(readings, chosen, due.length.minutes, computed_at, profile)


def _versions(readings: Readings, block: Ints, due: Due) -> Iterator[tuple[Ints, Ints]]:
    """Rows of the newest version of each window, then of the one before, and so on; and when each came into being."""
    codes, micros = readings.codes[block], readings.micros[block]
    version = due.length.versions(micros, readings.received[block])
    window = micros // due.length.micros
    rows = np.flatnonzero(version <= due.boundary)
    since = np.full(len(block), due.before)
    first_round = True
    while len(rows):
        of_rows = version[rows]
        groups = Groups.where_changes(codes[rows], window[rows])
        if first_round and not due.everything:
            landed = np.where(readings.landed[block[rows]], of_rows, np.iinfo(np.int64).max)
            since[rows] = np.minimum(due.before + 1, np.minimum.reduceat(landed, groups.starts))[groups.of_row]
        first_round = False
        newest = np.maximum.reduceat(of_rows, groups.starts)
        wanted = newest >= since[rows[groups.starts]]
        if wanted.all():
            yield block[rows], newest
        elif wanted.any():
            yield block[rows[wanted[groups.of_row]]], newest[wanted]
        older = wanted & (np.minimum.reduceat(of_rows, groups.starts) < newest)
        if not older.any():
            return
        rows = rows[(of_rows < newest[groups.of_row]) & older[groups.of_row]]


def window_table(readings: Readings, rows: Ints, minutes: int, computed_at: Ints, profile: Profile) -> pa.RecordBatch:
    """Every window of one length.

    Args:
        readings: what ``rows`` are numbers of.
        rows: the readings of these windows, by device and time.
        minutes: the length.
        computed_at: per window, microseconds since the epoch.
        profile: the features.

    Returns:
        rows of ``feature_versions``.
    """
    length = minutes * MICROS_PER_MINUTE
    codes, micros = readings.codes[rows], readings.micros[rows]
    key = micros // length  # floors, so instants before 1970 fall into the right window too
    ordered = Groups.where_changes(codes, key)
    # each column is laid out straight from where its readings stand, without being put in order before
    groups = ordered.of_other_rows(rows)
    time = Centred.of((micros - key * length) / MICROS_PER_MINUTE, ordered)
    sensors = Centred.of(readings.values, groups)
    place = {name: number for number, name in enumerate(summarised_sensors(profile))}
    at_once = {"mean": sensors.mean, "fraction": sensors.mean, "min": sensors.low, "max": sensors.high}
    at_once["std"] = sensors.std()
    columns: dict[str, Floats] = {}
    for feature in profile.features:
        if feature.of is not None:
            left, right = (columns[name] for name in feature.of)
            columns[feature.name] = _DERIVED[feature.aggregation](left, right)
        elif feature.sensor is None:
            columns[feature.name] = _quality(feature, readings, rows, ordered, profile)
        elif feature.aggregation in at_once:
            columns[feature.name] = at_once[feature.aggregation][:, place[feature.sensor]]
        else:
            columns[feature.name] = _one_by_one(feature, sensors.sensor(place[feature.sensor]), time)
    starts = key[groups.starts] * length
    instant = pa.timestamp("us", tz="UTC")
    table = {
        "device_id": readings.devices.take(pa.array(codes[groups.starts])),
        "window_start": pa.array(starts, instant),
        "window_end": pa.array(starts + length, instant),
        "window_duration_minutes": pa.array(np.full(len(starts), minutes, dtype=np.int32)),
        **{f.name: _column(f, columns[f.name]) for f in profile.features},
        "computed_at": pa.array(computed_at, instant),
    }
    return pa.RecordBatch.from_arrays(list(table.values()), names=list(table))


def _column(feature: Feature, values: Floats) -> pa.Array:
    """NaN stands for null from here on."""
    return pa.array(values.astype(np.int32)) if feature.name in COUNTS else pa.array(values, from_pandas=True)


def _one_by_one(feature: Feature, sensor: Centred, time: Centred) -> Floats:
    match feature.aggregation:
        case "p95":
            return sensor.percentile(P95)
        case "slope":
            return sensor.slope(time)
    raise ValueError(f"feature {feature.name!r} has no aggregation {feature.aggregation!r}")  # the loader refuses it


def _quality(feature: Feature, readings: Readings, rows: Ints, groups: Groups, profile: Profile) -> Floats:
    if feature.aggregation == "quality_flag_count":
        return groups.total(readings.flagged[rows])
    if feature.aggregation == "reading_count":
        return groups.counts
    return Centred.of(1.0 - readings.null_count[rows] / len(profile.sensors), groups).mean
