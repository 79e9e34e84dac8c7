"""Cleansing rules on the refrigeration fleet: one frame with a case per event, one Spark job."""

from __future__ import annotations

import random
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from fleet_health.contracts.raw import raw_schema
from fleet_health.contracts.registry import REGISTRY_SCHEMA
from fleet_health.ids import natural_key_id, natural_key_id_of
from fleet_health.ingestion.cleansing import judge
from fleet_health.profiles.loader import shipped_profile

PROFILE = shipped_profile("refrigeration")
NOON = pd.Timestamp("2026-01-15 12:00:00", tz="UTC")
HEALTHY: dict[str, Any] = {
    sensor.name: True if sensor.type == "boolean" else ((sensor.min or 0.0) + (sensor.max or 0.0)) / 2
    for sensor in PROFILE.sensors
}
NOTHING: dict[str, Any] = dict.fromkeys(HEALTHY)
OLD, NEW = "REF-TEST-00001", "REF-TEST-00002"  # firmware without vibration and subcooling; complete firmware
MISSING_ON_OLD = ("vibration_compressor", "subcooling")


def reading(
    case: str, *, device: str = NEW, drift: float = 0.0, sequence: int = 1, copy: int = 0, **cells: Any
) -> dict[str, Any]:
    return {
        **HEALTHY,
        **cells,
        "event_id": case,
        "device_id": device,
        "timestamp_device": NOON + pd.Timedelta(hours=drift),
        "timestamp_ingested": NOON + pd.Timedelta(seconds=copy),
        "_partition_key": device,
        "_sequence_number": sequence,
        "source_file": f"{copy}.csv",
        "line_number": sequence,
        "unreadable": cells.get("unreadable", []),
    }


CASES = [
    reading("healthy"),
    reading("at the limits", temperature_evaporator=-60.0, temperature_condenser=80.0),
    reading("just outside", temperature_evaporator=30.0000001, pressure_low_side=49.9),
    reading("not a number", humidity=float("nan")),
    reading("superheat below zero", superheat=-3.0),
    reading("superheat at its limit", superheat=-5.0),
    reading("superheat impossible", superheat=-5.1),
    reading("superheat zero", superheat=0.0),
    reading("exactly a day late", drift=-24.0),
    reading("a day and a second late", drift=-24.0 - 1 / 3600),
    reading("clock two days ahead", drift=48.0),
    reading("unknown device", device="REF-TEST-99999", temperature_ambient=99.0),
    reading("unknown and empty", device="REF-TEST-99999", **NOTHING),
    reading("empty", **NOTHING),
    reading("only NaN", **{**NOTHING, "humidity": float("nan")}),
    reading("two booleans alone", **{**NOTHING, "door_open_close": False, "defrost_cycle": True}),
    reading("emptied by the range rule", **{**NOTHING, "humidity": 140.0}),
    reading("old firmware", device=OLD, **dict.fromkeys(MISSING_ON_OLD)),
    reading("old firmware with a gap", device=OLD, **dict.fromkeys((*MISSING_ON_OLD, "humidity"))),
    reading("new firmware with a gap", subcooling=None),
    reading("text in a cell", humidity=None, unreadable=["humidity"]),
    reading("everything at once", superheat=-1.0, humidity=101.0, subcooling=None, drift=30.0),
    reading("sent three times", sequence=7, copy=0, humidity=7.0),
    reading("sent three times", sequence=5, copy=2, humidity=5.0),
    reading("sent three times", sequence=5, copy=1, humidity=51.0),
    reading("unknown, sent twice", device="REF-TEST-99999", sequence=2),
    reading("unknown, sent twice", device="REF-TEST-99999", sequence=1),
]


def registry_frame(spark: SparkSession) -> Any:
    sensors = list(PROFILE.sensor_names)
    rows = [
        {"device_id": OLD, "expected_sensors": [s for s in sensors if s not in MISSING_ON_OLD]},
        {"device_id": NEW, "expected_sensors": sensors},
    ]
    shared = {"site_id": "SITE-1", "status": "active", "expected_readings_per_hour": 60, "updated_at": NOON}
    frame = pd.DataFrame([{**row, **shared} for row in rows]).reindex(columns=REGISTRY_SCHEMA.fieldNames())
    return spark.createDataFrame(frame.astype(object).where(frame.notna(), None), REGISTRY_SCHEMA)


@pytest.fixture(scope="module")
def judged(spark: SparkSession) -> pd.DataFrame:
    rows = CASES.copy()
    random.Random(7).shuffle(rows)  # no rule may depend on the order of rows
    frame = pd.DataFrame(rows).reindex(columns=raw_schema(PROFILE).fieldNames())
    for sensor in PROFILE.sensors:
        frame[sensor.name] = frame[sensor.name].astype("boolean" if sensor.type == "boolean" else "float64")
    raw = spark.createDataFrame(frame, raw_schema(PROFILE))
    verdicts = judge(raw, registry_frame(spark), PROFILE)
    same = natural_key_id("alert", F.col("device_id"), F.unix_micros("timestamp_ingested"), F.lit(None).cast("string"))
    return verdicts.withColumn("made_id", same).toPandas()


def one(judged: pd.DataFrame, case: str) -> pd.Series[Any]:
    rows = judged[(judged["event_id"] == case) & (judged["outcome"] != "DUPLICATE")]
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.mark.parametrize(
    ("case", "flags", "nulls"),
    [
        ("healthy", [], 0),
        ("at the limits", [], 0),
        ("just outside", ["RANGE_VIOLATION"], 2),
        ("not a number", ["SENSOR_GAP"], 1),
        ("superheat below zero", ["SUSPECT_VALUE"], 0),
        ("superheat at its limit", ["SUSPECT_VALUE"], 0),
        ("superheat impossible", ["RANGE_VIOLATION"], 1),
        ("superheat zero", [], 0),
        ("exactly a day late", [], 0),
        ("a day and a second late", ["CLOCK_DRIFT"], 0),
        ("clock two days ahead", ["CLOCK_DRIFT"], 0),
        ("two booleans alone", ["SENSOR_GAP"], 12),
        ("emptied by the range rule", ["RANGE_VIOLATION", "SENSOR_GAP"], 14),
        ("old firmware", [], 2),
        ("old firmware with a gap", ["SENSOR_GAP"], 3),
        ("new firmware with a gap", ["SENSOR_GAP"], 1),
        ("text in a cell", ["UNREADABLE_VALUE"], 1),
        ("everything at once", ["CLOCK_DRIFT", "RANGE_VIOLATION", "SENSOR_GAP", "SUSPECT_VALUE"], 2),
        ("sent three times", ["DUPLICATE_REMOVED"], 0),
    ],
)
def test_clean_rows(judged: pd.DataFrame, case: str, flags: list[str], nulls: int) -> None:
    row = one(judged, case)
    assert (row["outcome"], row["reason"], list(row["quality_flags"])) == ("CLEAN", None, flags)
    assert row["sensor_null_count"] == nulls


@pytest.mark.parametrize(
    ("case", "outcome", "reason", "flags"),
    [
        ("unknown device", "QUARANTINE", "DEVICE_UNKNOWN", ["DEVICE_UNKNOWN", "RANGE_VIOLATION"]),
        ("unknown and empty", "QUARANTINE", "DEVICE_UNKNOWN", ["DEVICE_UNKNOWN"]),  # registering it may release it
        ("unknown, sent twice", "QUARANTINE", "DEVICE_UNKNOWN", ["DEVICE_UNKNOWN", "DUPLICATE_REMOVED"]),
        ("empty", "DEAD_LETTER", "ALL_SENSORS_NULL", ["SENSOR_GAP"]),
        ("only NaN", "DEAD_LETTER", "ALL_SENSORS_NULL", ["SENSOR_GAP"]),
    ],
)
def test_routed_rows(judged: pd.DataFrame, case: str, outcome: str, reason: str, flags: list[str]) -> None:
    row = one(judged, case)
    assert (row["outcome"], row["reason"], list(row["quality_flags"])) == (outcome, reason, flags)


def test_lowest_sequence_then_earliest_receipt_survives(judged: pd.DataFrame) -> None:
    assert one(judged, "sent three times")["humidity"] == 51.0
    dropped = judged[judged["outcome"] == "DUPLICATE"]
    assert sorted(dropped["event_id"]) == ["sent three times", "sent three times", "unknown, sent twice"]
    assert len(judged) == len(CASES)


def test_drifting_clock_takes_the_receipt_time(judged: pd.DataFrame) -> None:
    naive = NOON.tz_localize(None)
    assert one(judged, "clock two days ahead")["timestamp_utc"] == naive
    assert one(judged, "exactly a day late")["timestamp_utc"] == naive - pd.Timedelta(hours=24)


def test_a_value_outside_is_null_and_its_neighbours_stay(judged: pd.DataFrame) -> None:
    row = one(judged, "just outside")
    assert pd.isna(row["temperature_evaporator"])
    assert pd.isna(row["pressure_low_side"])
    assert row["pressure_high_side"] == HEALTHY["pressure_high_side"]
    assert one(judged, "superheat at its limit")["superheat"] == -5.0


def test_ids_are_the_same_inside_and_outside_of_spark(judged: pd.DataFrame) -> None:
    row = one(judged, "healthy")
    micros = NOON.value // 1000
    assert row["made_id"] == natural_key_id_of("alert", NEW, micros, None)
    assert natural_key_id_of("alert", NEW, micros, "") != row["made_id"]
    assert row["made_id"][14] == "5"
    assert row["made_id"][19] in "89ab"
