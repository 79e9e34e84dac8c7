"""The rules over readings: as a stream that keeps the state of each device, and as a replay of what is stored.

Both call the same step on readings in the order of their receipt, so they raise the same alerts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T
from pyspark.sql.streaming.state import GroupState, GroupStateTimeout

from fleet_health.contracts.streaming import FIRING_SCHEMA
from fleet_health.profiles.model import Profile
from fleet_health.streaming.alerts import streaming_alerts
from fleet_health.streaming.readings import firing_frame, judged, stream_readings
from fleet_health.streaming.state import DeviceState
from fleet_health.streaming.thresholds import average_windows, averages_of, limits_of, trailing

STATE_SCHEMA = T.StructType([T.StructField("state", T.StringType())])


def stream_alerts(raw: DataFrame, thresholds: DataFrame, registry: DataFrame, profile: Profile) -> DataFrame:
    """The alerts of a stream of readings, as a stream.

    Args:
        raw: a streaming frame with the columns of ``raw_sensor_readings``.
        thresholds: ``device_stream_thresholds``, as it is when the stream starts; restart from the checkpoint to take
            newer ones. A device without a row has the defaults and no averages.
        registry: ``device_registry``.
        profile: the rules.

    Returns:
        a streaming frame of the shape of ``device_alerts``. The state of each device lies in the checkpoint of the
        query that writes it, so a restart neither forgets a silence nor repeats an alert.
    """
    limits = thresholds.drop("source_model_version", "updated_at")
    rows = stream_readings(raw, profile).join(F.broadcast(limits), "device_id", "left")

    def of_device(key: Any, batches: Iterable[pd.DataFrame], state: GroupState) -> Iterator[pd.DataFrame]:
        known = DeviceState.from_text(state.get[0]) if state.exists else DeviceState()
        known, fired = judged(pd.concat(list(batches), ignore_index=True), known, profile)
        state.update((known.to_text(),))
        yield firing_frame(key[0], fired)

    grouped = rows.groupBy("device_id")
    fired = grouped.applyInPandasWithState(
        of_device, FIRING_SCHEMA, STATE_SCHEMA, "append", GroupStateTimeout.NoTimeout
    )
    return streaming_alerts(fired, registry, profile)


def replay_alerts(raw: DataFrame, features: DataFrame, registry: DataFrame, profile: Profile) -> DataFrame:
    """The alerts that a stream would have raised over stored readings.

    Args:
        raw: ``raw_sensor_readings``.
        features: ``device_features``; averages are taken as they were known when a reading was received.
        registry: ``device_registry``.
        profile: the rules.

    Returns:
        rows of the shape of ``device_alerts``.
    """
    averages = averages_of(profile)

    def of_device(readings: pd.DataFrame, windows: pd.DataFrame) -> pd.DataFrame:
        if readings.empty:
            return firing_frame("", [])
        device = str(readings["device_id"].iloc[0])
        known = {column: float(limit) for column, limit in limits_of(device, profile).items()}
        for average in averages:
            times, values = trailing(windows, average)
            at = np.searchsorted(times, readings["received"].to_numpy(np.int64), side="right") - 1
            readings[average.column] = np.where(at >= 0, values[at], np.nan)
        _, fired = judged(readings.assign(**known), DeviceState(), profile)
        return firing_frame(device, fired)

    rows = stream_readings(raw, profile).groupBy("device_id")
    windows = average_windows(features, profile).groupBy("device_id")
    return streaming_alerts(rows.cogroup(windows).applyInPandas(of_device, FIRING_SCHEMA), registry, profile)
