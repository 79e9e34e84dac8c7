"""Narrow lines to readings: an invented fleet whose every line, value and null was counted by hand."""

from __future__ import annotations

import io
from dataclasses import dataclass

import narrow_fleet as fleet
import pandas as pd
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from fleet_health.audits.ingestion import GROUPS
from fleet_health.audits.measured import Audited
from fleet_health.contracts.raw import parsed_schema
from fleet_health.ingestion.cleansing import file_times, judge
from fleet_health.ingestion.deserialise import malformed, parse_file, readable
from fleet_health.ingestion.registry import declared_registry
from fleet_health.ingestion.routing import clean_rows, conservation
from fleet_health.ingestion.transforms import for_profile
from fleet_health.monitoring.quality import files_by_time
from fleet_health.profiles.errors import ProfileError
from fleet_health.profiles.loader import parse_profile
from transforms.api import Pipeline
from transforms.verbs.testing.datastores import InMemoryDatastore
from transforms.verbs.testing.TransformRunner import TransformRunner

PROFILE = parse_profile(fleet.PROFILE, "boilers.yaml")


@dataclass(frozen=True)
class Told:
    raw: pd.DataFrame
    clean: pd.DataFrame
    ledger: dict[tuple[str, str, str], int]
    files: pd.DataFrame
    audits: dict[str, float]


@pytest.fixture(scope="module")
def told(spark: SparkSession) -> Told:
    files = [(name, io.BytesIO(text.encode())) for name, text in fleet.FILES.items()]
    parts = [part.astype("object") for name, raw in files for part in parse_file(raw, name, PROFILE)]
    lines = pd.concat(parts, ignore_index=True)
    parsed = spark.createDataFrame(lines.where(lines.notna(), None), parsed_schema(PROFILE)).coalesce(1).cache()
    raw = readable(parsed, PROFILE).cache()
    judged = judge(raw, declared_registry(spark, PROFILE), PROFILE).cache()
    ledger, clean = conservation(judged, malformed(parsed)).cache(), clean_rows(judged, PROFILE).cache()
    frames = {"raw_sensor_readings": raw, "clean_sensor_readings": clean, "row_conservation": ledger}
    audited = Audited(frames, pd.DataFrame(), PROFILE)
    measured = [group.compute(audited) for group in GROUPS if "row_conservation" in group.needs]
    return Told(
        raw=raw.toPandas().set_index(["source_file", "line_number"]).sort_index(),
        clean=clean.toPandas().set_index(["source_file", "line_number"]).sort_index(),
        ledger={(row.source_file, row.outcome, row.reason): row.rows for row in ledger.collect()},
        files=files_by_time(raw, ledger).toPandas().set_index("source_file"),
        audits={name: one.measured for frame in measured for name, one in frame.collect()[0].asDict().items()},
    )


@pytest.mark.nightly
def test_every_line_of_every_file_ends_in_the_ledger_once(told: Told) -> None:
    assert told.ledger == fleet.LEDGER
    assert told.files["lines"].to_dict() == {name: text.count("\n") - 1 for name, text in fleet.FILES.items()}


@pytest.mark.nightly
def test_a_step_is_one_reading_of_the_first_values_in_it(told: Told) -> None:
    names = [*PROFILE.sensor_names, "sensor_null_count"]
    found = told.clean[names].astype("object").where(told.clean[names].notna(), None)
    assert {place: tuple(row) for place, row in zip(found.index, found.to_numpy(), strict=True)} == {
        ("monday.csv", 2): (60.0, 2.5, True, 0),  # not 2.7, which came seconds later
        ("monday.csv", 5): (65.0, 2.6, None, 1),  # 149 degF, after a Bad that is no value
        ("monday.csv", 17): (60.0, None, False, 1),  # 99 bar cannot be
        ("tuesday.csv", 2): (pytest.approx(65.5556, abs=1e-4), 3.0, None, 1),
        ("tuesday.csv", 4): (60.0, None, None, 2),
        ("tuesday.csv", 5): (None, None, True, 2),
        ("tuesday_later.csv", 6): (None, None, True, 2),
    }
    at = {
        place[1]: f"{time:%H:%M:%S}" for place, time in told.clean["timestamp_utc"].items() if place[0] == "monday.csv"
    }
    assert at == {2: "10:00:00", 5: "10:01:00", 17: "10:02:00"}
    flags = {place[1]: list(flags) for place, flags in told.clean["quality_flags"].items() if place[0] == "monday.csv"}
    assert flags == {
        2: ["DUPLICATE_REMOVED"],
        5: ["DUPLICATE_REMOVED", "UNREADABLE_VALUE"],
        17: ["RANGE_VIOLATION"],  # nothing is a gap: all three sensors were told
    }


def test_nan_on_a_line_of_one_sensor_is_null_so_that_the_next_value_of_the_step_speaks() -> None:
    text = fleet.MONDAY.replace("B1,TI,140", "B1,TI,NaN", 1)
    read, *_ = parse_file(io.BytesIO(text.encode()), "monday.csv", PROFILE)
    assert pa.array(read["temperature"], from_pandas=True)[0].as_py() is None
    assert read["unreadable"].iloc[0] == []


@pytest.mark.nightly
def test_a_step_of_two_files_is_a_reading_of_each_and_a_file_sent_again_none(told: Told) -> None:
    of_step = told.raw[told.raw["timestamp_device"].astype(str).str.contains("10:02:00")]["event_id"]
    assert of_step.index.tolist() == [("monday.csv", 17), ("tuesday.csv", 2), ("tuesday_later.csv", 2)]
    assert of_step.iloc[0] != of_step.iloc[1] == of_step.iloc[2]


@pytest.mark.nightly
def test_rows_of_raw_and_shares_of_files_are_counted_in_readings(told: Told) -> None:
    monday = told.files.loc["monday.csv", ["raw", "clean", "quarantined", "repeated", "empty"]]
    assert monday.tolist() == [5, 3, 1, 0, 1]
    assert told.audits["valid_rows_kept"] == 1.0
    assert told.audits["repeats_per_delivery"] == 0.75  # three of the four readings that came later
    assert told.audits["quarantined_per_delivery"] == 1 / 8  # five readings and three repeated lines


TAGS = fleet.PROFILE
for _old, _new in (
    ("    - {name: tag, aliases: [tag]}\n", ""),
    ("    sensor: tag\n", "    sensor: in_path\n    sensor_pattern: '(?P<sensor>[A-Z]+)\\.csv$'\n"),
    ("every_seconds: 60,", "every_seconds: 60, across_files: true,"),
):
    assert _old in TAGS
    TAGS = TAGS.replace(_old, _new, 1)

TAG_FILES = {
    "TI.csv": "10:00:02Z,B1,140 10:01:00Z,B1,149 10:01:30Z,B1,158",
    "PI.csv": "10:00:05Z,B1,2.5 10:02:00Z,B1,3 10:03:00Z,B1",
    "BURNER.csv": "10:00:30Z,B1,ON",
    "again/TI.csv": "10:00:02Z,B1,140 10:01:00Z,B1,149 10:01:30Z,B1,158",
    "XY.csv": "10:00:30Z,B1,7",
}


@pytest.mark.nightly
def test_a_file_per_tag_makes_one_reading_of_a_step_and_each_file_counts_its_lines(spark: SparkSession) -> None:
    profile = parse_profile(TAGS, "boilers.yaml")
    texts = {
        name: "time,boiler,value\n" + "".join(f"2024-01-01T{line}\n" for line in text.split())
        for name, text in TAG_FILES.items()
    }
    pipeline, store = Pipeline(), InMemoryDatastore()
    read = {one.__name__: one for one in for_profile(profile)}["boilers_deserialise_files"]
    assert read.incremental is None  # a file may add to any reading
    pipeline.add_transforms(read)
    store.store_files(profile.source.dataset, {name: text.encode() for name, text in texts.items()})
    TransformRunner(pipeline, store).run(spark, read)
    raw, unread = (
        store.get_dataframe(f"/Fleet/boilers/{name}", spark) for name in ("raw_sensor_readings", "malformed_messages")
    )
    judged = judge(raw, declared_registry(spark, profile), profile).cache()
    rows = clean_rows(judged, profile).orderBy("timestamp_utc").collect()
    assert [tuple(row[name] for name in ("temperature", "pressure", "burning")) for row in rows] == [
        *((60.0, 2.5, True), (65.0, None, None), (None, 3.0, None))
    ]
    ledger = conservation(judged, unread).collect()
    assert {(row.source_file, row.outcome, row.reason): row.rows for row in ledger} == {
        # the first lines of three files are of one step; it is counted where the first of them by name is
        ("BURNER.csv", "CLEAN", "NONE"): 1,
        ("PI.csv", "MERGED", "NARROW_LINE"): 1,
        ("TI.csv", "MERGED", "NARROW_LINE"): 1,
        ("again/TI.csv", "DUPLICATE", "SENSOR_REPEATED"): 3,
        ("TI.csv", "CLEAN", "NONE"): 1,
        ("TI.csv", "DUPLICATE", "SENSOR_REPEATED"): 1,
        ("PI.csv", "CLEAN", "NONE"): 1,
        ("PI.csv", "DEAD_LETTER", "SCHEMA_MISMATCH"): 1,
        ("XY.csv", "DEAD_LETTER", "DESERIALIZATION_FAILURE"): 1,
    }
    assert {row.source_file for row in file_times(raw).collect()} == {*TAG_FILES} - {"XY.csv"}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("every_seconds: 60", "every_seconds: 420", "420 seconds would lie in two windows of 60 minutes"),
        ("device_and_time", "device_and_text", "no line of a merged reading has the reading's event_id"),
        ("aliases: [PI]", "aliases: [PI, TI]", "word 'TI' belongs to two sensors"),
        ("every_seconds: 60, reason:", "every_seconds: 60, why:", "reason"),
        ("sensor: tag", "sensor: in_path", "`sensor: in_path` and `sensor_pattern` belong together"),
        ("sensor: tag", "sensor: in_path\n    sensor_pattern: '(T)'", "sensor_pattern has no group named `sensor`"),
    ],
)
def test_what_cannot_be_merged_is_refused_with_its_line(old: str, new: str, says: str) -> None:
    assert old in fleet.PROFILE
    with pytest.raises(ProfileError, match=says) as caught:
        parse_profile(fleet.PROFILE.replace(old, new, 1), "boilers.yaml")
    assert "boilers.yaml, line " in str(caught.value)


@pytest.mark.nightly
def test_file_after_file_ends_where_all_at_once_end(spark: SparkSession) -> None:
    pipeline = Pipeline()
    made = {one.__name__: one for one in for_profile(PROFILE)}
    pipeline.add_transforms(*made.values())

    def built(*deliveries: list[str]) -> tuple[dict[tuple[str, str, str], int], list[tuple[object, ...]]]:
        store = InMemoryDatastore()
        for names in deliveries:
            store.store_files(PROFILE.source.dataset, {name: fleet.FILES[name].encode() for name in names}, append=True)
            for step in ("deserialise_files", "declare_registry", "cleanse"):
                TransformRunner(pipeline, store).run(spark, made[f"boilers_{step}"])
        assert len(store.parts("/Fleet/boilers/clean_sensor_readings")) == len(deliveries)  # each build appended
        ledger = store.get_dataframe("/Fleet/boilers/row_conservation", spark).collect()
        clean = store.get_dataframe("/Fleet/boilers/clean_sensor_readings", spark)
        rows = clean.select("source_file", "line_number", "event_id", "timestamp_utc", *PROFILE.sensor_names).collect()
        return {(r.source_file, r.outcome, r.reason): r.rows for r in ledger}, sorted(map(tuple, rows), key=str)

    at_once, one_by_one = built([*fleet.FILES]), built(*([name] for name in fleet.FILES))
    assert at_once == one_by_one
    assert one_by_one[0] == fleet.LEDGER
