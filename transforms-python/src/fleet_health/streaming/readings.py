"""Rows to readings, and the readings of one device through the rules: the same for a stream and for a replay."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.streaming import FIRING_SCHEMA
from fleet_health.profiles.model import Profile
from fleet_health.streaming.rules import MINUTE, Firing, Plan, Reading, step
from fleet_health.streaming.state import DeviceState

_ORDER = ["received", "time", "event_id"]


def sensors_of(profile: Profile) -> list[str]:
    """The sensors that any rule reads or waits for."""
    rules = Plan.of(profile).streaming.rules
    return sorted({rule.sensor for rule in rules} | {rule.gate for rule in rules if rule.gate is not None})


def stream_readings(raw: DataFrame, profile: Profile) -> DataFrame:
    """What the rules need of ``raw_sensor_readings``: ids, times in microseconds, sensors as numbers.

    ``time`` is the device's clock unless cleansing would not believe it, or it is more than ``ahead_minutes`` ahead of
    the receipt time; then it is the receipt time.
    """
    device, received = F.unix_micros("timestamp_device"), F.unix_micros("timestamp_ingested")
    drift = round(profile.cleansing.max_clock_drift_hours * 60 * MINUTE)
    ahead = round(Plan.of(profile).streaming.ahead_minutes * MINUTE)
    wrong: Column = (F.abs(device - received) > F.lit(drift)) | (device - received > F.lit(ahead))
    return raw.select(
        "device_id",
        "event_id",
        F.when(wrong, received).otherwise(device).alias("time"),
        received.alias("received"),
        *(F.col(name).cast("double").alias(name) for name in sensors_of(profile)),
    )


def judged(rows: pd.DataFrame, state: DeviceState, profile: Profile) -> tuple[DeviceState, list[Firing]]:
    """The readings of one device through the rules, in the order in which they were received.

    Args:
        rows: columns of :func:`stream_readings` plus one per threshold; in any order.
        state: what is remembered of the device.
        profile: the rules.
    """
    plan, sensors = Plan.of(profile), sensors_of(profile)
    ordered = rows.sort_values(_ORDER, kind="stable")
    thresholds = [name for name in ordered.columns if name not in {"device_id", *_ORDER, *sensors}]
    columns: dict[str, list[Any]] = {name: ordered[name].tolist() for name in ordered.columns}
    for gate in {rule.gate for rule in plan.streaming.rules if rule.gate is not None}:
        columns[gate] = [None if math.isnan(value) else value == 1.0 for value in columns[gate]]
    fired: list[Firing] = []
    for index, event_id in enumerate(columns["event_id"]):
        values = {name: columns[name][index] for name in sensors}
        limits = {name: columns[name][index] for name in thresholds}
        reading = Reading(event_id, columns["time"][index], columns["received"][index], values)
        state, told = step(state, reading, limits, plan)
        fired += told
    return state, fired


def firing_frame(device_id: str, fired: Iterable[Firing]) -> pd.DataFrame:
    """Rows of ``FIRING_SCHEMA``."""
    made = pd.DataFrame([vars(firing) for firing in fired], columns=FIRING_SCHEMA.fieldNames())
    if made.empty:  # pandas would call empty columns object, which is what Arrow reads as any type
        return made.astype(object)
    return made.assign(device_id=device_id)
