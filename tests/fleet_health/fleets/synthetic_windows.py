"""Windows of a synthetic fleet without Spark: what its units measured, the range rule, the kernel of the window job.

For tests that begin at windows and need many units. ``test_scenarios.py`` holds them against those of the whole way.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from fleet_health.contracts.schemas import stored_schema
from fleet_health.features.readings import Readings, ordered_blocks, summarised_sensors
from fleet_health.features.windows import window_table
from fleet_health.profiles.loader import shipped_profile
from mirror.synth import Anomaly, Fleet
from mirror.synth.device import describe, healthy, inject

PROFILE = shipped_profile("refrigeration")
_MINUTE = 60_000_000


def synthetic_windows(
    fleet: Fleet, seed: int, units: Sequence[int], hours: int, planted: Sequence[Anomaly] = (), minutes: int = 15
) -> pd.DataFrame:
    """The rows of ``device_features`` of one length, by unit and time; every window is known when it ends."""
    start = round(fleet.start.timestamp() * 1e6)
    tables = []
    for index in units:
        device = describe(fleet, seed, index)
        series = healthy(fleet, seed, device, hours * 60)
        inject(fleet, seed, device, series, [one for one in planted if one.device in (None, index)])
        values, odd = {}, np.zeros(len(series.minutes), dtype=bool)
        for sensor in PROFILE.sensors:
            column = np.where(series.missing[sensor.name], np.nan, series.values[sensor.name].astype(np.float64))
            if sensor.min is not None and sensor.max is not None:
                outside = (column < sensor.min) | (column > sensor.max)
                odd |= outside
                column = np.where(outside, np.nan, column)
            if sensor.name in device.expected_sensors:
                odd |= np.isnan(column)
            values[sensor.name] = column
        micros = start + (series.minutes * _MINUTE).astype(np.int64)
        rows = Readings(
            devices=pa.array([device.device_id]),
            codes=np.zeros(len(micros), dtype=np.int64),
            micros=micros,
            received=micros,
            landed=np.ones(len(micros), dtype=bool),
            flagged=odd,
            null_count=np.isnan(np.stack(list(values.values()))).sum(axis=0),
            values=np.stack([values[name] for name in summarised_sensors(PROFILE)], axis=1),
        ).take(series.sent)
        for numbers in ordered_blocks(rows, minutes * _MINUTE):
            ends = np.unique(rows.micros[numbers] // (minutes * _MINUTE) + 1) * minutes * _MINUTE
            tables.append(window_table(rows, numbers, minutes, ends, PROFILE))
    frame = pa.Table.from_batches(tables).to_pandas()
    for name in ("window_start", "window_end", "computed_at"):
        frame[name] = frame[name].dt.tz_localize(None)
    frame["date"] = frame["window_start"].dt.date
    return frame[stored_schema("device_features", PROFILE).fieldNames()]
