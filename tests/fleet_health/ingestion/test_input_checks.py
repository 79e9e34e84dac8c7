"""What cleansing refuses to read, what the deserialiser makes of text, and how the sensors of a fleet may change."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fleet_health.contracts.compiled import checks_of
from fleet_health.contracts.raw import raw_schema
from fleet_health.ingestion.deserialise import deserialise, parse_file, readable
from fleet_health.ingestion.evolution import SensorTypeError, check_stored_types
from fleet_health.ingestion.transforms import for_profile, reading_version
from fleet_health.profiles.loader import shipped_profile
from fleet_health.profiles.model import Profile, Sensor
from mirror.checks import CheckSubject, evaluate

PROFILE = shipped_profile("refrigeration")
SENSOR = PROFILE.sensors[0]
ADDED = Sensor(
    name="fan_speed", type="double", unit="rpm", meaning="fan", min=0, max=3000, reason="as the motor allows"
)


def refused(spark: SparkSession, frame: DataFrame) -> list[str]:
    """Rules by which the cleansing build stops before it reads a row."""
    (cleanse,) = (one for one in for_profile(PROFILE) if one.__name__ == "refrigeration_cleanse")
    checks = cleanse.inputs["raw"].checks
    subject = CheckSubject("raw", frame.schema, lambda: frame)
    results = evaluate(checks, subject, spark=spark, now=datetime(2026, 1, 1, tzinfo=UTC))
    return sorted(result.name.split(" ")[0] for result in results if result.blocks)


@pytest.fixture(scope="module")
def raw(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame([], raw_schema(PROFILE))


def schema_refusals(spark: SparkSession, frame: DataFrame) -> list[str]:
    """The same of the schema alone: no row is read."""
    (cleanse,) = (one for one in for_profile(PROFILE) if one.__name__ == "refrigeration_cleanse")
    checks = [check for check in cleanse.inputs["raw"].checks if check.name.startswith("RAW-01")]
    subject = CheckSubject("raw", frame.schema, lambda: frame)
    return [r.detail for r in evaluate(checks, subject, spark=spark, now=datetime(2026, 1, 1, tzinfo=UTC)) if r.blocks]


@pytest.mark.case("ING-BI-02")
def test_a_column_too_many_or_too_few_stops_the_build(spark: SparkSession, raw: DataFrame) -> None:
    assert schema_refusals(spark, raw) == []
    (extra,) = schema_refusals(spark, raw.withColumn("fan_speed", F.lit(1.0)))
    assert "fan_speed" in extra
    (missing,) = schema_refusals(spark, raw.drop("humidity"))
    assert "humidity" in missing


@pytest.mark.case("ING-BI-03")
def test_a_reading_without_an_id_stops_the_build(spark: SparkSession, raw: DataFrame) -> None:
    known: dict[str, Any] = {"device_id": "x", "_partition_key": "x", "_sequence_number": 1}
    known["timestamp_device"] = known["timestamp_ingested"] = datetime(2026, 1, 15, tzinfo=UTC)
    cells = (F.lit(known.get(f.name)).cast(f.dataType).alias(f.name) for f in raw.schema)
    assert refused(spark, spark.range(1).select(*cells)) == ["RAW-02"]


@pytest.mark.case("ING-BI-04")
def test_a_sensor_of_text_stops_the_build_and_is_a_dead_letter_before_that(spark: SparkSession, raw: DataFrame) -> None:
    (told,) = schema_refusals(spark, raw.withColumn("humidity", F.lit("wet")))
    assert "humidity" in told
    rows = read(PROFILE, {"humidity": "wet"}, {"humidity": "55"}, {"humidity": ""})
    assert rows["reason"].fillna("READ").tolist() == ["DESERIALIZATION_FAILURE", "READ", "READ"]
    assert rows["error_detail"].iloc[0] == "column 'humidity' holds text that is no value"
    assert ",wet," in rows["payload"].iloc[0]
    # where a fleet says nothing else, the row stays: the other sensors of a logger are worth keeping
    lenient = PROFILE.model_copy(update={"source": PROFILE.source.model_copy(update={"unreadable_cells": "flag"})})
    (kept,) = read(lenient, {"humidity": "wet"}).to_dict("records")
    assert (kept["reason"], list(kept["unreadable"])) == (None, ["humidity"])


@pytest.mark.nightly
def test_nan_in_a_file_is_nan_in_raw_and_warns(spark: SparkSession) -> None:
    content = written(PROFILE, {"superheat": "NaN"}, {"superheat": ""}, {"superheat": "8.5"})
    files = spark.createDataFrame(pd.DataFrame({"path": ["day.csv"]}))
    raw = readable(deserialise(files, lambda _: io.BytesIO(content), PROFILE), PROFILE)
    told = [str(row["superheat"]) for row in raw.orderBy("event_id").select("superheat").collect()]
    assert told == ["nan", "None", "8.5"]
    (check,) = (check for check in checks_of("raw_sensor_readings", PROFILE) if check.name.startswith("RAW-03"))
    subject = CheckSubject("raw_sensor_readings", raw.schema, lambda: raw)
    (result,) = evaluate([check], subject, spark=spark, now=datetime(2026, 1, 15, tzinfo=UTC))
    assert (result.outcome, result.blocks) == ("FAIL", False)
    assert result.detail.startswith("rows that break it: 1 ")


def test_nan_is_no_value_of_a_required_column() -> None:
    columns = tuple(
        column.model_copy(update={"required": True}) if column.name == "humidity" else column
        for column in PROFILE.source.header
    )
    strict = PROFILE.model_copy(update={"source": PROFILE.source.model_copy(update={"header": columns})})
    rows = read(strict, {"humidity": "nan"}, {"humidity": "55"}, {"humidity": ""})
    assert rows["reason"].fillna("READ").tolist() == ["DESERIALIZATION_FAILURE", "READ", "DESERIALIZATION_FAILURE"]
    assert rows["error_detail"].iloc[0] == "no value in the required column 'humidity'"


@pytest.mark.case("ING-EC-09")
def test_an_offset_in_the_text_wins_and_a_leap_second_is_the_midnight_after_it() -> None:
    texts = {
        "2026-07-01T14:00:00+02:00": "2026-07-01 12:00:00",
        "2016-12-31T23:59:60Z": "2017-01-01 00:00:00",
        "2017-01-01T00:59:60+01:00": "2017-01-01 00:00:00",
        "2016-12-31T23:59:61Z": None,
        "2026-01-15T12:30:60Z": None,  # not a second of UTC
        "2026-03-29T02:30:00+01:00": "2026-03-29 01:30:00",  # skipped by a clock change, but for its offset
        "1970-01-01T00:00:00Z": "1970-01-01 00:00:00",  # far from its receipt: the clock rule's case
        "2100-01-01T00:00:00Z": "2100-01-01 00:00:00",
    }
    rows = read(PROFILE, *({"timestamp_device": text} for text in texts))
    read_as = [None if pd.isna(t) else f"{t:%Y-%m-%d %H:%M:%S}" for t in rows["timestamp_device"]]
    assert dict(zip(texts, read_as, strict=True)) == texts
    assert rows["reason"].notna().sum() == 2


def test_a_new_sensor_reads_as_null_from_files_without_its_column_and_an_old_one_may_go() -> None:
    column = PROFILE.source.header[4].model_copy(update={"name": "fan_speed", "aliases": ("fan_speed",)})
    assert column.optional
    wider = PROFILE.model_copy(
        update={
            "sensors": (*PROFILE.sensors, ADDED),
            "source": PROFILE.source.model_copy(update={"header": (*PROFILE.source.header, column)}),
        }
    )
    rows = read(wider, {"humidity": "55"}, header=PROFILE)
    assert (rows["reason"].iloc[0], rows["fan_speed"].iloc[0], rows["humidity"].iloc[0]) == (None, None, 55.0)
    assert read(wider, {"fan_speed": "900"})["fan_speed"].iloc[0] == 900.0
    narrower = PROFILE.model_copy(update={"sensors": PROFILE.sensors[1:]})
    assert SENSOR.name not in read(narrower, {}, header=PROFILE).columns
    assert len({reading_version(one) for one in (PROFILE, wider, narrower)}) == 3  # either reads every file again


def test_the_type_of_a_sensor_does_not_change_in_place() -> None:
    stored = raw_schema(PROFILE)
    check_stored_types("raw", stored, raw_schema(PROFILE))
    boolean = SENSOR.model_copy(update={"type": "boolean"})
    flipped = PROFILE.model_copy(update={"sensors": (boolean, *PROFILE.sensors[1:])})
    assert reading_version(flipped) == reading_version(PROFILE)  # else it would pass as a new reading of all files
    with pytest.raises(SensorTypeError) as caught:
        check_stored_types("/Fleet/refrigeration/raw_sensor_readings", stored, raw_schema(flipped))
    assert f"column '{SENSOR.name}' is double and would become boolean" in str(caught.value)
    assert "Declare a sensor of another name" in str(caught.value)


def read(profile: Profile, *edits: dict[str, str], header: Profile | None = None) -> pd.DataFrame:
    """Lines of healthy cells with some of them replaced, read by ``profile``; ``header`` names the file's columns."""
    content = written(header or profile, *edits)
    parts = [part.astype("object") for part in parse_file(io.BytesIO(content), "day.csv", profile)]
    rows: Any = pd.concat(parts).sort_values("line_number").reset_index(drop=True)
    return rows.where(rows.notna(), None)


def written(profile: Profile, *edits: dict[str, str]) -> bytes:
    """A file of healthy lines with some cells replaced."""
    columns = profile.source.header
    lines = [",".join(column.aliases[0] for column in columns)]
    for number, edit in enumerate(edits):
        known = {
            "event_id": f"e{number}",
            "device_id": "REF-1",
            "timestamp_device": "2026-01-15T12:00:00Z",
            "timestamp_ingested": "2026-01-15T12:00:01Z",
            "sequence_number": str(number),
        }
        lines.append(",".join(edit.get(c.name, known.get(c.name, "1")) for c in columns))
    return "\n".join(lines).encode()
