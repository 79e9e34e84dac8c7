"""The measured campaigns: what came in, what became of it, as exact numbers."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from pyspark.sql import functions as F


@pytest.fixture(scope="module")
def counts(lbnl_ingested: Any) -> dict[tuple[str, str, str], int]:
    rows = lbnl_ingested.frame("row_conservation").toPandas()
    return {(r.source_file, r.outcome, r.reason): int(r.rows) for r in rows.itertuples()}


@pytest.fixture(scope="module")
def facts(lbnl_ingested: Any) -> pd.DataFrame:
    """Everything the tests below ask of the clean rows, per device, in one job."""
    flag = {
        name: F.count(F.when(F.array_contains("quality_flags", name), 1)).alias(name)
        for name in (
            "UNREADABLE_VALUE",
            "SENSOR_GAP",
            "SUSPECT_VALUE",
            "RANGE_VIOLATION",
            "CLOCK_DRIFT",
            "DUPLICATE_REMOVED",
        )
    }
    clean = lbnl_ingested.frame("clean_sensor_readings").groupBy("device_id")
    return (
        clean.agg(
            *flag.values(),
            F.count(F.when(F.col("exhaust_damper") < 0, 1)).alias("damper"),
            F.count(F.when(F.col("mixed_air_temperature") > (100.0 - 32.0) * 5.0 / 9.0, 1)).alias("hot"),
            F.count(F.when(F.col("mixed_air_temperature").isNull(), 1)).alias("mixed_null"),
            F.countDistinct("event_id").alias("events"),
            F.count(F.lit(1)).alias("rows"),
            F.min("timestamp_utc").alias("first"),
            F.max("timestamp_utc").alias("last"),
            F.max(F.abs(F.unix_micros("timestamp_utc") - F.unix_micros("timestamp_ingested"))).alias("apart"),
            F.max("duct_static_pressure").alias("pressure"),
        )
        .toPandas()
        .set_index("device_id")
        .sort_index()
    )


MZVAV, CAV, VAV = "AHU-ERS-A-MZVAV", "AHU-X3A-CAV-2017S", "AHU-X3A-VAV-2017F"


def test_every_row_is_accounted_for(counts: dict[tuple[str, str, str], int]) -> None:
    assert counts == {
        ("szcav.csv.gz", "CLEAN", "NONE"): 21_600,
        ("szvav.csv.gz", "CLEAN", "NONE"): 15_839,
        ("mzvav_2_1.csv.gz", "CLEAN", "NONE"): 21_599,
        ("mzvav_2_1.csv.gz", "QUARANTINE", "IMPOSSIBLE_ROW"): 1,
    }
    assert sum(counts.values()) == 59_039


def test_the_datasets_hold_what_was_counted(lbnl_ingested: Any, facts: pd.DataFrame) -> None:
    assert facts["rows"].to_dict() == {MZVAV: 21_599, CAV: 21_600, VAV: 15_839}
    assert (facts["events"] == facts["rows"]).all()
    assert lbnl_ingested.frame("raw_sensor_readings").count() == 59_039
    assert lbnl_ingested.frame("dead_letter").count() == lbnl_ingested.frame("malformed_messages").count() == 0


def test_text_errors_are_flagged_and_null(facts: pd.DataFrame) -> None:
    assert facts["UNREADABLE_VALUE"].to_dict() == {MZVAV: 0, CAV: 90, VAV: 1}
    assert facts["mixed_null"].to_dict() == {MZVAV: 0, CAV: 90, VAV: 0}


def test_the_row_of_zeros_is_held_back(lbnl_ingested: Any) -> None:
    held = lbnl_ingested.frame("quarantine_sensor_readings").toPandas()
    assert len(held) == 1
    row = held.iloc[0]
    assert str(row["timestamp_utc"]) == "2007-08-29 03:57:00"  # 21:57 of the day before, local standard time
    assert (row["quarantine_reason"], row["quarantine_rule"], row["line_number"]) == ("IMPOSSIBLE_ROW", "AHU-01", 1319)
    assert "IMPOSSIBLE_ROW" in row["quality_flags"]


def test_the_damper_offset_is_flagged_and_kept(facts: pd.DataFrame) -> None:
    assert facts["SUSPECT_VALUE"].to_dict() == {MZVAV: 0, CAV: 0, VAV: 4_099}
    assert facts["damper"].to_dict() == {MZVAV: 0, CAV: 0, VAV: 4_099}


def test_the_heat_of_the_leaking_valve_is_not_eaten(facts: pd.DataFrame) -> None:
    assert facts["hot"].to_dict() == {MZVAV: 113, CAV: 0, VAV: 0}
    assert facts["RANGE_VIOLATION"].sum() == 0


def test_empty_set_points_are_gaps_only_where_they_are_expected(facts: pd.DataFrame) -> None:
    assert facts["SENSOR_GAP"].to_dict() == {MZVAV: 0, CAV: 0, VAV: 590}
    assert facts["CLOCK_DRIFT"].sum() == facts["DUPLICATE_REMOVED"].sum() == facts["apart"].sum() == 0


def test_times_are_utc_and_pressure_is_pascal(facts: pd.DataFrame) -> None:
    assert facts["first"].map(str).to_dict() == {
        MZVAV: "2007-08-28 06:00:00",
        CAV: "2017-03-11 08:00:00",
        VAV: "2017-09-11 08:00:00",
    }
    assert str(facts.loc[VAV, "last"]) == "2017-09-25 07:58:00"
    assert facts.loc[MZVAV, "pressure"] == pytest.approx(2.37 * 249.08891)


def test_the_label_reaches_reports_and_monitors_and_nothing_that_learns_or_scores(lbnl_ingested: Any) -> None:
    told, found = {"/Fleet/air_handler/label_landing"}, set[str]()
    while told != found:
        found = set(told)
        for transform in _transforms(lbnl_ingested):
            if any(p.alias in told for p in transform.inputs.values()):
                told |= {p.alias for p in transform.outputs.values()}
    reports = ("detection_report", "alert_effectiveness_metrics", "model_agreement_metrics")
    monitors = ("pipeline_health_metrics", "metric_coverage", "quality_alerts", "retraining_triggers")
    names = {name.rpartition("/")[2] for name in told}
    # and the audit that counts reviews among the reports
    assert names == {"label_landing", "label_events", *reports, *monitors, "score_audits"}
    assert not any("ground" in name or "label" in name for name in lbnl_ingested.frame("raw_sensor_readings").columns)


def _transforms(lbnl_ingested: Any) -> list[Any]:
    return [t for t in lbnl_ingested.runner._pipeline.transforms if t.__name__.startswith("air_handler")]


@pytest.mark.nightly
def test_another_day_is_read_alone(lbnl_ingested: Any, spark: Any) -> None:
    """A new file brings new rows; the files read before are not read again and nothing is counted twice."""
    import gzip

    from transforms.verbs.testing.datastores import InMemoryDatastore
    from transforms.verbs.testing.TransformRunner import TransformRunner

    whole = gzip.decompress(
        lbnl_ingested.runner.datastore.get_files("/Fleet/air_handler/landing")["szvav.csv.gz"]
    ).decode()
    header, *lines = whole.splitlines()
    days = {f"szvav_{n}.csv": "\n".join([header, *lines[n * 1440 : (n + 1) * 1440]]) for n in range(2)}
    store = InMemoryDatastore()
    runner = TransformRunner(lbnl_ingested.runner._pipeline, store)
    job = lbnl_ingested.transform("deserialise_files")
    seen = []
    for name, text in days.items():
        store.store_files("/Fleet/air_handler/landing", {name: text}, append=True)
        runner.run(spark, job)
        rows = store.get_dataframe("/Fleet/air_handler/raw_sensor_readings", spark)
        seen.append({r["source_file"]: r["count"] for r in rows.groupBy("source_file").count().collect()})
    assert seen == [{"szvav_0.csv": 1440}, {"szvav_0.csv": 1440, "szvav_1.csv": 1440}]
    assert len(store.parts("/Fleet/air_handler/raw_sensor_readings")) == 2
