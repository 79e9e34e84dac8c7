"""From a file that lands to an alert that can be read, through Spark Structured Streaming."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from fleet_health.contracts.alerts import ALERTS_SCHEMA
from fleet_health.contracts.features import features_schema
from fleet_health.contracts.raw import raw_schema
from fleet_health.profiles.loader import shipped_profile
from fleet_health.streaming.local import start
from fleet_health.streaming.runner import replay_alerts

PROFILE = shipped_profile("refrigeration")
NOON = pd.Timestamp("2026-01-15 12:00:00")
ARRIVALS: list[list[tuple[str, int, float]]] = [
    # device, minute, current; a copy, a late reading and a pair beyond the range spread over two files
    [("calm", 0, 12.0), ("surge", 0, 60.0), ("hot", 0, 41.0)],
    [("calm", 1, 12.0), ("surge", 1, 60.0), ("hot", 1, 41.0), ("hot", 0, 41.0)],
    [("calm", 240, 12.0), ("hot", 240, 41.0), ("hot", 235, 41.0)],
]


def _raw(spark: SparkSession, rows: list[tuple[str, int, float]], at: int) -> Any:
    made = [
        {
            "event_id": f"{device}-{minute}",
            "device_id": device,
            "timestamp_device": (NOON + pd.Timedelta(minutes=minute)).to_pydatetime(),
            "timestamp_ingested": (NOON + pd.Timedelta(minutes=minute, seconds=at)).to_pydatetime(),
            "current_compressor": value,
        }
        for device, minute, value in rows
    ]
    schema = raw_schema(PROFILE)
    return spark.createDataFrame([tuple(row.get(name) for name in schema.names) for row in made], schema)


def _frames(spark: SparkSession) -> tuple[Any, Any]:
    registry = spark.createDataFrame(
        [("calm", "S-1"), ("surge", "S-1"), ("hot", "S-2")], "device_id string, site_id string"
    )
    columns = "vibration_avg_24h double, source_model_version string, updated_at timestamp"
    thresholds = spark.createDataFrame(
        [("hot", 40.0, None, None, None)], f"device_id string, current_limit_a double, {columns}"
    )
    return registry, thresholds


def _told(frame: Any) -> list[tuple[str, str, str, bool]]:
    rows = frame.toPandas().sort_values(["device_id", "window_end"])
    times = rows["window_end"].dt.strftime("%H:%M")
    return list(zip(rows["device_id"], rows["site_id"], times, rows["suppressed"].tolist(), strict=True))


TOLD = [
    ("hot", "S-2", "12:00", False),
    ("hot", "S-2", "12:01", True),
    ("hot", "S-2", "15:55", True),
    ("hot", "S-2", "16:00", False),
    ("surge", "S-1", "12:01", False),
]


def _land(spark: SparkSession, folder: Path, number: int) -> None:
    _raw(spark, ARRIVALS[number], number).coalesce(1).write.mode("append").parquet(str(folder))


@pytest.mark.nightly
def test_a_running_stream_tells_within_two_minutes_and_a_restart_neither_forgets_nor_repeats(
    spark: SparkSession, tmp_path: Path
) -> None:
    registry, thresholds = _frames(spark)
    readings, alerts = tmp_path / "readings", tmp_path / "alerts"
    _land(spark, readings, 0)
    where = (str(readings), str(alerts), str(tmp_path / "checkpoint"), thresholds, registry, PROFILE)
    query = start(spark, *where)
    try:
        query.processAllAvailable()
        began = time.monotonic()
        _land(spark, readings, 1)
        while spark.read.schema(ALERTS_SCHEMA).parquet(str(alerts)).where("device_id = 'surge'").count() == 0:
            assert query.exception() is None
            assert time.monotonic() - began < 120
            time.sleep(0.2)
    finally:
        query.stop()
    _land(spark, readings, 2)
    start(spark, *where, until_empty=True).awaitTermination()
    told = spark.read.parquet(str(alerts))
    assert told.schema.simpleString() == ALERTS_SCHEMA.simpleString()
    assert _told(told) == TOLD
    assert told.select("alert_id").distinct().count() == len(TOLD)
    stored = spark.read.schema(raw_schema(PROFILE)).parquet(str(readings))
    features = spark.createDataFrame([], features_schema(PROFILE))
    replayed = replay_alerts(stored, features, registry, PROFILE)
    assert sorted(map(tuple, replayed.collect()), key=str) == sorted(map(tuple, told.collect()), key=str)
