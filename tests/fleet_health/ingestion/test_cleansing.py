"""Cleansing rules on the refrigeration fleet: one frame with a case per event, one Spark job.

The job judges twice: everything, and some of it again in another order without its neighbours and with the future
tolerance switched on.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fleet_health.contracts.clean import CONSERVATION_SCHEMA, DEAD_LETTER_SCHEMA, clean_schema, quarantine_schema
from fleet_health.contracts.raw import MALFORMED_SCHEMA, raw_schema
from fleet_health.contracts.registry import REGISTRY_SCHEMA
from fleet_health.ids import natural_key_id, natural_key_id_of
from fleet_health.ingestion.cleansing import judge
from fleet_health.ingestion.routing import clean_rows, conservation, dead_letters, quarantined_rows
from fleet_health.profiles.loader import shipped_profile
from fleet_health.profiles.model import DeviceRange, ReasonedNumber, RegistryDevice

PROFILE = shipped_profile("refrigeration")
NOON = pd.Timestamp("2026-01-15 12:00:00", tz="UTC")
HEALTHY: dict[str, Any] = {
    sensor.name: True if sensor.type == "boolean" else ((sensor.min or 0.0) + (sensor.max or 0.0)) / 2
    for sensor in PROFILE.sensors
}
NOTHING: dict[str, Any] = dict.fromkeys(HEALTHY)
TYPES = {sensor.name: sensor.type for sensor in PROFILE.sensors}
OWN_RANGES = (
    DeviceRange(sensor="humidity", max=40, reason="its probe ends there"),
    DeviceRange(sensor="superheat", min=0, reason="its controller never goes below"),
)
DRY = RegistryDevice(
    device_id="REF-TEST-00001",
    site_id="SITE-1",
    status="active",
    expected_sensors=(),
    timezone="UTC",
    ranges=OWN_RANGES,
    reason="a prototype",
)
TOLERANT = PROFILE.model_copy(
    update={
        "cleansing": PROFILE.cleansing.model_copy(
            update={"future_tolerance_minutes": ReasonedNumber(value=5, reason="no message travels back in time")}
        ),
        "registry": PROFILE.registry.model_copy(update={"devices": (DRY,)}),
    }
)
OLD, NEW = "REF-TEST-00001", "REF-TEST-00002"  # firmware without vibration and subcooling; complete firmware
MUTE = "REF-TEST-00003"  # nobody knows which sensors it has
FLEET = [f"REF-FLEET-{n}" for n in range(10)]
MISSING_ON_OLD = ("vibration_compressor", "subcooling")


def reading(
    case: str, *, device: str = NEW, drift: float = 0.0, sequence: int = 1, copy: float = 0, **cells: Any
) -> dict[str, Any]:
    """``drift``: hours by which the device's clock is ahead of the gateway's."""
    return {
        **HEALTHY,
        "event_id": case,
        "device_id": device,
        "timestamp_device": NOON + pd.Timedelta(hours=drift),
        "timestamp_ingested": NOON + pd.Timedelta(seconds=copy),
        "_partition_key": device,
        "_sequence_number": sequence,
        "source_file": f"{copy}.csv",
        "line_number": sequence,
        "unreadable": [],
        **cells,
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
    reading("equal in sequence", sequence=3, copy=1, humidity=33.0),
    reading("equal in sequence", sequence=3, copy=1, humidity=34.0),
    reading("ahead beyond the tolerance", drift=2.0),
    reading("unknown, sent twice", device="REF-TEST-99999", sequence=2),
    reading("unknown, sent twice", device="REF-TEST-99999", sequence=1),
    reading("clock 90 s behind", drift=-90 / 3600),
    reading("clock 26 h ahead", drift=26.0),
    reading("stamped 1970", timestamp_device=pd.Timestamp("1970-01-01", tz="UTC")),
    reading("stamped 2100", timestamp_device=pd.Timestamp("2100-01-01", tz="UTC")),
    reading("one sequence, partition one", device=OLD, sequence=77, **dict.fromkeys(MISSING_ON_OLD)),
    reading("one sequence, partition two", device=NEW, sequence=77),
    reading("new firmware without vibration", vibration_compressor=None),
    reading("sensors unknown", device=MUTE, humidity=None),
    reading("numbers out of range, no boolean", **{n: 1e6 if s == "double" else None for n, s in TYPES.items()}),
    reading("three out of range and drift", humidity=101.0, superheat=60.0, subcooling=31.0, drift=30.0),
    reading("superheat -6", superheat=-6.0),
    reading("of no file", source_file=None),
    *(reading(f"{name} is null", **{name: None}) for name in HEALTHY),
    *(
        reading(f"{sensor.name} at {end}", **{sensor.name: limit})
        for sensor in PROFILE.sensors
        for end, limit in (("min", sensor.min), ("max", sensor.max))
        if limit is not None
    ),
    *(reading(f"{one} {m}", device=one, sequence=m, copy=m * 60.0, drift=m / 60) for one in FLEET for m in range(60)),
]
AGAIN = [
    reading("humid on the old one", device=OLD, humidity=40.5),
    reading("humid on the new one", device=NEW, humidity=40.5),
    reading("at the limits of the old one", device=OLD, humidity=40.0, superheat=0.0),
    reading("below the limit of the old one", device=OLD, superheat=-1.0),
    reading("ahead beyond the tolerance", drift=2.0),
    reading("ahead within the tolerance", drift=5 / 60),
    *reversed([one for one in CASES if one["event_id"] in ("healthy", "sent three times", "equal in sequence")]),
    *(one for one in CASES if one["device_id"] == FLEET[3]),
]


def registry_frame(spark: SparkSession) -> Any:
    sensors = list(PROFILE.sensor_names)
    rows = [
        {"device_id": OLD, "expected_sensors": [s for s in sensors if s not in MISSING_ON_OLD]},
        {"device_id": MUTE, "expected_sensors": None},
        *({"device_id": device, "expected_sensors": sensors} for device in (NEW, *FLEET)),
    ]
    shared = {"site_id": "SITE-1", "status": "active", "expected_readings_per_hour": 60, "updated_at": NOON}
    frame = pd.DataFrame([{**row, **shared} for row in rows]).reindex(columns=REGISTRY_SCHEMA.fieldNames())
    return spark.createDataFrame(frame.astype(object).where(frame.notna(), None), REGISTRY_SCHEMA)


@pytest.fixture(scope="module")
def both(spark: SparkSession) -> pd.DataFrame:
    rows = CASES.copy()
    random.Random(7).shuffle(rows)  # no rule may depend on the order of rows
    registry = registry_frame(spark)
    raw = raw_frame(spark, rows).repartition(3)
    verdicts = judge(raw, registry, PROFILE).withColumn("run", F.lit(1))
    again = judge(raw_frame(spark, AGAIN), registry, TOLERANT).withColumn("run", F.lit(2))
    same = natural_key_id("alert", F.col("device_id"), F.unix_micros("timestamp_ingested"), F.lit(None).cast("string"))
    return verdicts.unionByName(again).withColumn("made_id", same).toPandas()


@pytest.fixture(scope="module")
def judged(both: pd.DataFrame) -> pd.DataFrame:
    return both[both["run"] == 1].drop(columns="run")


@pytest.fixture(scope="module")
def again(both: pd.DataFrame) -> pd.DataFrame:
    return both[both["run"] == 2].drop(columns="run")


def raw_frame(spark: SparkSession, rows: list[dict[str, Any]]) -> DataFrame:
    frame = pd.DataFrame(rows).reindex(columns=raw_schema(PROFILE).fieldNames())
    for sensor in PROFILE.sensors:
        if sensor.type == "boolean":
            frame[sensor.name] = frame[sensor.name].astype("boolean")
        else:
            # pandas' own columns of numbers hand every NaN over as null, and the rule about it would be tried on none
            null = np.array([row[sensor.name] is None for row in rows])
            frame[sensor.name] = pd.arrays.FloatingArray(frame[sensor.name].to_numpy(dtype="float64"), null)
    return spark.createDataFrame(frame, raw_schema(PROFILE))


def one(judged: pd.DataFrame, case: str) -> pd.Series[Any]:
    rows = judged[(judged["event_id"] == case) & (judged["outcome"] != "DUPLICATE")]
    assert len(rows) == 1
    return rows.iloc[0]


def case(matrix: str, *values: Any) -> Any:
    return pytest.param(*values, marks=pytest.mark.case(matrix), id=values[0])


@pytest.mark.parametrize(
    ("case", "flags", "nulls"),
    [
        ("healthy", [], 0),
        ("at the limits", [], 0),
        ("just outside", ["RANGE_VIOLATION"], 2),
        ("superheat below zero", ["SUSPECT_VALUE"], 0),
        ("superheat at its limit", ["SUSPECT_VALUE"], 0),
        ("superheat impossible", ["RANGE_VIOLATION"], 1),
        ("superheat zero", [], 0),
        ("exactly a day late", [], 0),
        ("a day and a second late", ["CLOCK_DRIFT"], 0),
        ("clock two days ahead", ["CLOCK_DRIFT"], 0),
        ("emptied by the range rule", ["RANGE_VIOLATION", "SENSOR_GAP"], 14),
        ("stamped 1970", ["CLOCK_DRIFT"], 0),
        ("stamped 2100", ["CLOCK_DRIFT"], 0),
        ("ahead beyond the tolerance", [], 0),
        ("sensors unknown", [], 1),
        case("ING-BI-01", "not a number", ["SENSOR_GAP"], 1),
        case("ING-NU-03", "two booleans alone", ["SENSOR_GAP"], 12),
        case("ING-NU-04", "old firmware", [], 2),
        case("ING-NU-05", "new firmware without vibration", ["SENSOR_GAP"], 1),
        case("ING-EC-04", "three out of range and drift", ["CLOCK_DRIFT", "RANGE_VIOLATION"], 3),
        case("ING-EC-05", "numbers out of range, no boolean", ["RANGE_VIOLATION", "SENSOR_GAP"], 14),
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
        case("ING-NU-02", "empty", "DEAD_LETTER", "ALL_SENSORS_NULL", ["SENSOR_GAP"]),
        ("only NaN", "DEAD_LETTER", "ALL_SENSORS_NULL", ["SENSOR_GAP"]),
    ],
)
def test_routed_rows(judged: pd.DataFrame, case: str, outcome: str, reason: str, flags: list[str]) -> None:
    row = one(judged, case)
    assert (row["outcome"], row["reason"], list(row["quality_flags"])) == (outcome, reason, flags)


@pytest.mark.case("ING-EC-02")
def test_a_row_of_no_file_is_judged_like_any_other(judged: pd.DataFrame) -> None:
    row = one(judged, "of no file")
    assert (row["outcome"], row["source_file"], row["known_at"]) == ("CLEAN", None, NOON.tz_localize(None))


def test_lowest_sequence_then_earliest_receipt_survives(judged: pd.DataFrame) -> None:
    assert one(judged, "sent three times")["humidity"] == 51.0
    dropped = judged[judged["outcome"] == "DUPLICATE"]
    repeated = ["equal in sequence", "sent three times", "sent three times", "unknown, sent twice"]
    assert sorted(dropped["event_id"]) == repeated
    assert len(judged) == len(CASES)
    clean = judged[judged["outcome"] == "CLEAN"]
    flagged = clean[["DUPLICATE_REMOVED" in flags for flags in clean["quality_flags"]]]
    assert sorted(flagged["event_id"]) == ["equal in sequence", "sent three times"]


@pytest.mark.case("ING-EC-03")
def test_equal_copies_are_chosen_by_their_content_in_any_order(judged: pd.DataFrame, again: pd.DataFrame) -> None:
    for event in ("equal in sequence", "sent three times"):
        assert one(judged, event)["humidity"] == one(again, event)["humidity"]
    assert one(judged, "equal in sequence")["humidity"] in (33.0, 34.0)


def test_drifting_clock_takes_the_receipt_time(judged: pd.DataFrame) -> None:
    naive = NOON.tz_localize(None)
    for event in ("clock two days ahead", "stamped 1970", "stamped 2100"):
        assert one(judged, event)["timestamp_utc"] == naive
        assert str(one(judged, event)["date"]) == "2026-01-15"
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


@pytest.mark.case("ING-FL-02")
def test_a_clock_a_day_ahead_is_replaced_and_told(judged: pd.DataFrame) -> None:
    row = one(judged, "clock 26 h ahead")
    assert (row["timestamp_utc"], list(row["quality_flags"])) == (NOON.tz_localize(None), ["CLOCK_DRIFT"])


@pytest.mark.case("ING-HP-03")
def test_a_clock_a_little_behind_is_believed(judged: pd.DataFrame) -> None:
    row = one(judged, "clock 90 s behind")
    assert row["timestamp_utc"] == NOON.tz_localize(None) - pd.Timedelta(seconds=90)
    assert list(row["quality_flags"]) == []


@pytest.mark.case("ING-FL-03")
def test_the_future_tolerance_is_a_switch(judged: pd.DataFrame, again: pd.DataFrame) -> None:
    naive, event = NOON.tz_localize(None), "ahead beyond the tolerance"
    assert one(judged, event)["timestamp_utc"] == naive + pd.Timedelta(hours=2)
    assert one(again, event)["timestamp_utc"] == naive
    assert list(one(again, event)["quality_flags"]) == ["CLOCK_DRIFT"]
    within = one(again, "ahead within the tolerance")  # exactly five minutes
    assert (within["timestamp_utc"], list(within["quality_flags"])) == (naive + pd.Timedelta(minutes=5), [])


def test_a_device_may_have_ranges_of_its_own(again: pd.DataFrame) -> None:
    told = {event: one(again, event) for event in again["event_id"] if "old one" in event or "new one" in event}
    assert {event: list(row["quality_flags"]) for event, row in told.items()} == {
        "humid on the old one": ["RANGE_VIOLATION"],
        "humid on the new one": [],
        "at the limits of the old one": [],
        "below the limit of the old one": ["RANGE_VIOLATION"],  # no longer SUSPECT_VALUE, as on others
    }
    assert pd.isna(told["humid on the old one"]["humidity"])
    assert told["humid on the new one"]["humidity"] == 40.5


@pytest.mark.case("ING-EC-01")
def test_a_day_apart_is_no_drift_and_a_second_more_is(judged: pd.DataFrame) -> None:
    late, later = one(judged, "exactly a day late"), one(judged, "a day and a second late")
    assert (list(late["quality_flags"]), list(later["quality_flags"])) == ([], ["CLOCK_DRIFT"])
    assert late["timestamp_utc"] == later["timestamp_utc"] - pd.Timedelta(hours=24)
    assert (str(late["date"]), str(later["date"])) == ("2026-01-14", "2026-01-15")


@pytest.mark.case("ING-EC-06")
def test_negative_superheat_is_suspect_and_then_impossible(judged: pd.DataFrame) -> None:
    odd, wrong = one(judged, "superheat below zero"), one(judged, "superheat -6")
    assert (odd["superheat"], list(odd["quality_flags"])) == (-3.0, ["SUSPECT_VALUE"])
    assert pd.isna(wrong["superheat"])
    assert list(wrong["quality_flags"]) == ["RANGE_VIOLATION"]


@pytest.mark.case("ING-HP-01", "ING-NU-06")
def test_a_healthy_fleet_is_clean_and_its_flags_are_empty_not_null(judged: pd.DataFrame) -> None:
    rows = judged[judged["device_id"].isin(FLEET)]
    assert rows["outcome"].value_counts().to_dict() == {"CLEAN": 600}
    assert [len(flags) for flags in rows["quality_flags"]] == [0] * 600
    assert rows["sensor_null_count"].sum() == 0


@pytest.mark.case("ING-HP-02")
def test_a_value_at_its_limit_is_valid(judged: pd.DataFrame) -> None:
    numeric = [sensor for sensor in PROFILE.sensors if sensor.type == "double"]
    assert len(numeric) == 12
    for sensor in numeric:
        for end, limit in (("min", sensor.min), ("max", sensor.max)):
            row = one(judged, f"{sensor.name} at {end}")
            suspect = ["SUSPECT_VALUE"] if (sensor.name, end) == ("superheat", "min") else []
            assert (row[sensor.name], list(row["quality_flags"])) == (limit, suspect)


@pytest.mark.case("ING-NU-01")
def test_one_null_costs_no_other_value(judged: pd.DataFrame) -> None:
    for name in HEALTHY:
        row = one(judged, f"{name} is null")
        others = {other: row[other] for other in HEALTHY if other != name}
        assert (row["sensor_null_count"], row["outcome"]) == (1, "CLEAN")
        assert pd.isna(row[name])
        assert others == {other: HEALTHY[other] for other in others}


@pytest.mark.case("ING-DI-01")
def test_a_device_is_judged_as_if_it_were_alone(judged: pd.DataFrame, again: pd.DataFrame) -> None:
    alone, among = (
        f[f["device_id"] == FLEET[3]].sort_values("event_id").reset_index(drop=True) for f in (again, judged)
    )
    assert len(alone) == 60
    # the receipt that routes rows is the newest of the file, and the two runs read other files
    pd.testing.assert_frame_equal(alone.drop(columns="known_at"), among.drop(columns="known_at"))


@pytest.mark.case("ING-DI-02")
def test_only_the_unknown_device_is_held_back(judged: pd.DataFrame) -> None:
    held = judged[judged["outcome"] == "QUARANTINE"]
    assert set(held["device_id"]) == {"REF-TEST-99999"}
    assert set(judged[judged["device_id"] == "REF-TEST-99999"]["outcome"]) == {"QUARANTINE", "DUPLICATE"}
    assert all("DEVICE_UNKNOWN" in flags for flags in held["quality_flags"])


@pytest.mark.case("ING-DI-03")
def test_a_sequence_number_of_another_partition_makes_no_duplicate(judged: pd.DataFrame) -> None:
    rows = [one(judged, f"one sequence, partition {n}") for n in ("one", "two")]
    assert [row["_sequence_number"] for row in rows] == [77, 77]
    assert [(row["outcome"], list(row["quality_flags"])) for row in rows] == [("CLEAN", [])] * 2


@pytest.mark.case("ING-EC-07")
def test_nothing_in_is_nothing_out_in_full_shape(spark: SparkSession) -> None:
    judged = judge(raw_frame(spark, CASES).limit(0), registry_frame(spark), PROFILE)
    malformed = spark.createDataFrame([], MALFORMED_SCHEMA)
    shapes = {
        clean_rows(judged, PROFILE): clean_schema(PROFILE),
        quarantined_rows(judged, PROFILE): quarantine_schema(PROFILE),
        dead_letters(judged, malformed): DEAD_LETTER_SCHEMA,
        conservation(judged, malformed): CONSERVATION_SCHEMA,
    }
    for frame, schema in shapes.items():
        assert [(f.name, f.dataType) for f in frame.schema] == [(f.name, f.dataType) for f in schema]
    assert clean_rows(judged, PROFILE).isEmpty()
