"""Audits measure what was planted, all rules in one Spark job, and each rule has its verdict."""

from __future__ import annotations

import math
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fleet_health.audits.audit import GROUPS, audit_checks, audit_rows, measured_rules, rules_for
from fleet_health.audits.measured import Audited, Group
from fleet_health.contracts.errors import ContractAgreementError
from fleet_health.contracts.loader import shipped_contracts
from fleet_health.contracts.schemas import plain_schema, schema_of
from fleet_health.profiles.loader import shipped_profile

PROFILE = shipped_profile("refrigeration")
NOW = pd.Timestamp("2026-03-10T12:00:00Z")
MINUTE, HOUR, DAY = pd.Timedelta(minutes=1), pd.Timedelta(hours=1), pd.Timedelta(days=1)
DEVICES = [f"D{n:03d}" for n in range(100)]
NAMES = list(PROFILE.model_features)


def frame(spark: SparkSession, dataset: str, rows: list[dict[str, Any]] | pd.DataFrame) -> DataFrame:
    """Rows in the shape of a contract; what is not said is null."""
    schema = schema_of(dataset, PROFILE)
    table = pd.DataFrame(rows).reindex(columns=schema.fieldNames())
    for field in schema:
        if not table[field.name].notna().any():
            table[field.name] = table[field.name].astype("object").where(table[field.name].notna(), None)
    return spark.createDataFrame(table, schema)


def clean() -> list[dict[str, Any]]:
    """Twelve rows of two hours: a repeat, a wrong count, a double flag, and one violation among six rows of an hour."""
    rows = [
        {
            "event_id": f"e{n}",
            "device_id": "D000",
            "timestamp_utc": NOW - MINUTE if n < 6 else NOW - HOUR - MINUTE,
            "timestamp_ingested": NOW,
            "quality_flags": [],
            "sensor_null_count": len(PROFILE.sensors),
        }
        for n in range(12)
    ]
    rows[1]["event_id"] = "e7"
    rows[2]["sensor_null_count"] = 3
    rows[3]["quality_flags"] = ["CLOCK_DRIFT", "CLOCK_DRIFT"]
    rows[4]["quality_flags"] = ["RANGE_VIOLATION"]
    for n, device in enumerate(("D001", "lost", "retired")):
        rows[8 + n]["device_id"] = device
        rows[8 + n]["timestamp_utc"] = NOW - MINUTE
    old = {**rows[0], "event_id": "e5", "timestamp_utc": NOW - 9 * DAY, "sensor_null_count": 0}
    return [*rows, old]


def features(moved: int, spare: str = "") -> pd.DataFrame:
    """Twenty windows of a hundred devices on the last day; ``moved`` rows of one feature lie 20 quartile ranges off."""
    keys = [(device, NOW - 15 * MINUTE * n) for n in range(20) for device in DEVICES]
    table = pd.DataFrame(0.5, index=range(len(keys)), columns=NAMES)
    table["reading_count"], table["quality_flag_count"] = 15, 0
    table.insert(0, "device_id", [device for device, _ in keys])
    table["window_end"] = [end for _, end in keys]
    table["window_start"] = table["window_end"] - 15 * MINUTE
    table["window_duration_minutes"] = 15
    table["computed_at"] = table["window_end"] + 20 * MINUTE
    table.loc[table.index[100 : 100 + moved], "humidity_mean"] = 0.6 + 20 * 0.2
    table.loc[table.index[0], "superheat_mean"] = np.nan
    astray = {
        **table.iloc[0],
        "window_duration_minutes": 60,
        "window_start": NOW - 53 * MINUTE,
        "window_end": NOW - 3 * DAY,
    }
    return pd.concat([table, pd.DataFrame([astray])], ignore_index=True)


def statistics() -> pd.DataFrame:
    """Quartiles 0.4 and 0.6; one feature that hardly ever moves, one that training never saw."""
    rows = pd.DataFrame({"feature_name": NAMES, "model_id": "isolation_forest_v1", "model_version": "1.0.0"})
    rows = rows.assign(training_p0_1=0.0, training_p25=0.4, training_p50=0.5, training_p75=0.6, training_p99_9=1.0)
    rows.loc[rows["feature_name"] == "reading_count", ["training_p0_1", "training_p25", "training_p50"]] = 15.0
    rows.loc[rows["feature_name"] == "reading_count", ["training_p75", "training_p99_9"]] = 15.0
    rows.loc[rows["feature_name"] == "door_open_fraction", ["training_p25", "training_p75"]] = 0.0
    rows.loc[rows["feature_name"] == "defrost_active_fraction", "training_p50"] = np.nan
    other = rows.assign(model_version="0.9.0", training_p99_9=0.1)
    return pd.concat([other, rows], ignore_index=True)


def alerts() -> list[dict[str, Any]]:
    """Said again within four hours: once too often. Louder, later, silenced, or after a resolution: not."""
    told = [
        ("again", 0, "ANOMALY_DETECTED", "LOW", False),
        ("again", 3, "ANOMALY_SUSTAINED", "LOW", False),
        ("later", 0, "ANOMALY_DETECTED", "LOW", False),
        ("later", 4, "ANOMALY_SUSTAINED", "LOW", False),
        ("louder", 0, "ANOMALY_DETECTED", "LOW", False),
        ("louder", 1, "ANOMALY_SUSTAINED", "HIGH", False),
        ("silent", 0, "ANOMALY_DETECTED", "LOW", False),
        ("silent", 1, "ANOMALY_SUSTAINED", "LOW", True),
        ("back", 0, "ANOMALY_DETECTED", "LOW", False),
        ("back", 1, "ANOMALY_RESOLVED", "LOW", False),
        ("back", 2, "ANOMALY_DETECTED", "LOW", False),
    ]
    keys = ("device_id", "alert_type", "severity", "suppressed")
    rows = [dict(zip(keys, (device, *rest), strict=True)) for device, _, *rest in told]
    for n, (row, (_, hours, *_)) in enumerate(zip(rows, told, strict=True)):
        row |= {"alert_id": f"a{n}", "model_id": "m", "window_end": NOW + hours * HOUR, "top_contributors": ["x", "y"]}
    return rows


def datasets(spark: SparkSession) -> dict[str, DataFrame]:
    key = {"snapshot_id": "s", "assembled_at": NOW, "feature_names": NAMES}
    trained = [{**key, "window_end": NOW - 15 * MINUTE * 10} for _ in range(498)]
    before = {**key, "assembled_at": NOW - DAY, "window_end": NOW - 2 * DAY}
    trained += [before, {**before, "feature_names": NAMES[::-1]}]
    counts = [
        ("a", "CLEAN", "NONE", 6),
        ("a", "DUPLICATE", "DUPLICATE_EVENT_ID", 2),
        ("a", "QUARANTINE", "DEVICE_UNKNOWN", 1),
    ]
    counts += [
        ("a", "DEAD_LETTER", "ALL_SENSORS_NULL", 1),
        ("b", "CLEAN", "NONE", 70),
        ("b", "DEAD_LETTER", "SCHEMA_MISMATCH", 30),
    ]
    drift = [
        {
            "feature_name": name,
            "window_duration_minutes": 15,
            "slice_name": "ALL",
            "scoring_window_start": NOW - DAY,
            "drift_severity": "none",
        }
        for name in NAMES[1:]
    ]
    for row in drift[:11]:
        row["drift_severity"] = "significant"
    drift += [{**drift[-1], "feature_name": NAMES[0], "scoring_window_start": NOW - 2 * DAY}]
    # what another length says of the feature does not stand in for it
    drift += [{**row, "window_duration_minutes": 60, "drift_severity": "emergency"} for row in drift]
    drift[-1]["scoring_window_start"] = NOW
    model = {"model_id": "isolation_forest_v1", "model_version": "1.0.0"}
    baselines = [
        {"feature_name": name, "granularity": "fleet" if name != NAMES[3] else "cohort", **model} for name in NAMES
    ]
    scored = [
        {"device_id": device, "window_end": NOW - 15 * MINUTE * n, "anomaly_flag": device < "D025"}
        for n in range(2)
        for device in DEVICES
    ]
    scored = [row for row in scored if (row["device_id"], row["window_end"]) != ("D001", NOW)]
    vectors = [
        {"device_id": device, "window_end": NOW - 15 * MINUTE * n, "feature_names": NAMES}
        for n in range(20)
        for device in DEVICES[:95]
    ]
    vectors[7]["feature_names"] = [*NAMES[1:], NAMES[0]]
    registered = [
        {"device_id": d, "status": "retired" if d == "retired" else "active"}
        for d in ("D000", "D001", "lost", "retired")
    ]
    labels = [{"alert_id": alert, "device_id": "again"} for alert in ("a0", "nobody", None)]
    # of the 99 devices that production scored in this window the candidate scored ten, and nine were compared
    window = {"window_start": NOW - 15 * MINUTE, "window_end": NOW}
    tried = [{"device_id": device, "scored_at": NOW, "deployment_role": "shadow", **window} for device in DEVICES[2:12]]
    tried += [{**tried[0], "device_id": "earlier run", "scored_at": NOW - DAY}]
    run = {"comparison_id": "m_v1 1.1.0 vs m_v1 1.0.0 2026-01-02T00:00:00"}
    both = {"champion_score": 0.5, "candidate_score": 0.25, "score_diff": -0.25, **window, **run}
    compared = [{"device_id": device, **both} for device in DEVICES[2:11]]
    compared[0]["score_diff"] = 0.25
    agreed = {
        "candidate_score": 0.5,
        "score_diff": 0.0,
        "comparison_id": "m_v1 1.0.1 vs m_v1 1.0.0 2026-01-01T23:00:00",
    }
    compared += [{**both, "device_id": "earlier candidate", **agreed}] * 9
    raw = [{"timestamp_ingested": NOW, "timestamp_device": NOW + (HOUR if n == 3 else -HOUR)} for n in range(20)]
    for n in range(4):
        raw[10 + n] = {
            "event_id": f"r{n}",
            "timestamp_ingested": NOW - (2 + n) * DAY,
            "timestamp_device": NOW - 6 * DAY,
        }
    # of four messages of the days that are over three are in the archive, one of them twice
    archived = [raw[n] for n in (10, 11, 11, 12)]
    # five of six sensors moved on the newest day, the other one the day before; parts of the fleet do not count
    moved = [
        {"sensor_name": f"s{n}", "slice_name": "ALL", "period_start": NOW - DAY * int(n == 5), "shift_detected": True}
        for n in range(6)
    ]
    moved += [{**moved[0], "slice_name": "region"}, {**moved[0], "sensor_name": "s6", "shift_detected": False}]
    # model m: 240 reviews in four weeks and the false one before them; model n: one false among many
    week = {"model_id": "m", "severity": "ALL", "region": "ALL", "alerts_reviewed": 60, "alerts_false_positive": 0}
    weeks = [{**week, "week_start": (NOW - 7 * n * DAY).date(), "alerts_false_positive": n // 4} for n in range(6)]
    weeks += [{**weeks[0], "severity": "HIGH"}, {**weeks[0], "region": "north"}]
    weeks += [{**weeks[0], "model_id": "n", "alerts_reviewed": 900, "alerts_false_positive": 1}]
    rows: dict[str, Any] = {
        "ingestion_distribution_stats": moved,
        "alert_effectiveness_metrics": weeks,
        "raw_sensor_readings": raw,
        "training_archive": archived,
        "clean_sensor_readings": clean(),
        "row_conservation": [
            dict(zip(("source_file", "outcome", "reason", "rows"), told, strict=True)) for told in counts
        ],
        "device_registry": registered,
        "device_features": features(40),
        "training_data": trained,
        "training_statistics": [],
        "feature_drift_metrics": drift,
        "feature_baselines": baselines,
        "model_scores": scored,
        "device_alerts": alerts(),
        "label_events": labels,
        "model_input": vectors,
        "shadow_model_scores": tried,
        "canary_comparison": compared,
    }
    frames = {name: frame(spark, name, told) for name, told in rows.items()}
    by_day = frames["training_archive"].withColumn("date", F.to_date("timestamp_ingested"))
    return {**frames, "training_archive": by_day}


EXPECTED = {
    "RAW-04": 1 / 20,
    "RAW-05": 2 / 10,
    "ARC-01": 1,
    "ARC-02": 3 / 4,
    "CLN-02": 1,
    "CLN-18": 1,
    "CLN-22": 1,
    "CLN-23": 1 / 9,
    "CLN-24": 13 / (20 - 4),
    "QUA-03": 1 / 10,
    "DLQ-03": 30 / 100,
    "FEA-05": 1,
    "FEA-15": 40 / 2000,
    "FEA-16": 40 / 2000,
    "FEA-17": 2 / 3,
    "FEA-18": 40 / 2000,
    "TRN-08": 2,
    "FDM-05": 1,
    "FDM-06": 11 / 44,
    "BAS-05": 1,
    "IDS-02": 5,
    "AEM-03": 240,
    "MIN-04": 1,
    "MIN-07": 5 / 100,
    "SCO-11": 1 / 2,
    "SCO-12": 49 / 199,
    "ALR-10": 1,
    "SHA-04": 10 / 99,
    "CAN-02": 1,
    "CAN-03": 9 / 10,
    # nine windows in one bin beside nine in another, half a window more in each of twenty
    "CAN-06": 9 / 19 * math.log(19),
}


FEW_NAMES = ("humidity_mean", "superheat_mean", "door_open_fraction")


def audits(frames: dict[str, DataFrame], groups: Collection[Group], told: pd.DataFrame) -> DataFrame:
    audited = Audited(frames, told, PROFILE)
    return audit_rows(audited, groups, "contract_audits", frames["clean_sensor_readings"], "timestamp_ingested")


def verdicts(spark: SparkSession, rows: pd.DataFrame, ids: Collection[str]) -> dict[str, Any]:
    """Rule id -> result of its check on audit rows."""
    from mirror.checks import CheckSubject, evaluate

    schema = plain_schema("contract_audits")
    frame = spark.createDataFrame(rows[schema.fieldNames()], schema)
    checks = audit_checks(GROUPS, [dataset for group in GROUPS for dataset in group.needs])
    subject = CheckSubject("audits", schema, lambda: frame, files=(), references={})
    asked = [check for check in checks if check.name[:6] in ids]
    results = evaluate(asked, subject, spark=spark, now=datetime(2026, 1, 1, tzinfo=UTC))
    return {result.name[:6]: result for result in results}


@pytest.fixture(scope="module")
def two_days(spark: SparkSession) -> dict[str, dict[str, Any]]:
    """Verdicts on a day on which one row in fifty is far off and on one with one in two thousand; one job measures."""
    groups = {name: group for group in GROUPS for name in group.measures}
    keys, distances = groups["repeated_event_ids"], groups["far_outside_training"]
    by_day = frame(spark, "clean_sensor_readings", clean()).withColumn("date", F.to_date("timestamp_utc"))
    read = {"clean_sensor_readings": by_day}
    reference = statistics().query("feature_name in @FEW_NAMES")
    columns = ["device_id", "window_end", "window_duration_minutes", *FEW_NAMES]
    told = []
    for case, moved, asked in (("many", 40, [keys, distances]), ("few", 1, [distances])):
        windows = spark.createDataFrame(features(moved)[columns])
        of_day = {**read, "device_features": windows, "training_statistics": windows}
        told.append(audits(of_day, asked, reference).withColumn("case", F.lit(case)))
    rows = told[0].unionByName(told[1]).toPandas()
    return {str(case): verdicts(spark, of_case, set(of_case["rule_id"])) for case, of_case in rows.groupby("case")}


@pytest.mark.case("FEN-BI-02")
def test_a_message_that_is_twice_in_clean_stops_the_audit(two_days: dict[str, dict[str, Any]]) -> None:
    """The row nine days back repeats an id as well; no repeat can arrive that late, so it is not looked at."""
    result = two_days["many"]["CLN-02"]
    assert (result.outcome, result.blocks) == ("FAIL", True)
    assert [(row["rule_id"], row["measured"], row["rows"]) for row in result.offending] == [("CLN-02", 1.0, 12)]


@pytest.mark.case("FEN-BI-05")
def test_two_percent_far_outside_fail_and_one_row_in_two_thousand_warns(two_days: dict[str, dict[str, Any]]) -> None:
    told = {case: {rule: (r.outcome, r.blocks) for rule, r in found.items()} for case, found in two_days.items()}
    passed, warned, failed = ("PASS", False), ("FAIL", False), ("FAIL", True)
    assert told["many"] == {"CLN-02": failed, "FEA-15": warned, "FEA-16": failed, "FEA-18": warned}
    assert told["few"] == {"FEA-15": passed, "FEA-16": passed, "FEA-18": warned}
    shares = [
        found[rule].offending[0]["measured"]
        for found, rule in ((two_days["many"], "FEA-16"), (two_days["few"], "FEA-18"))
    ]
    assert shares == pytest.approx([40 / 2000, 1 / 2000])


@pytest.mark.nightly
def test_every_measured_rule_measures_what_was_planted_and_says_so(spark: SparkSession) -> None:
    told = audits(datasets(spark), GROUPS, statistics()).toPandas()
    rows = told.set_index("rule_id")
    assert set(rows.index) == {rule.id for _, rule in measured_rules()} == set(EXPECTED)
    assert rows["measured"].to_dict() == pytest.approx(EXPECTED)
    assert rows["dataset"].to_dict() == {rule.id: dataset for dataset, rule in measured_rules()}
    assert set(rows["measured_at"]) == {NOW.tz_localize(None)}
    assert rows.loc[["CLN-02", "CLN-23", "DLQ-03", "FEA-16", "SCO-11"], "rows"].tolist() == [12, 2, 2, 2000, 2]
    found = verdicts(spark, told, EXPECTED)
    assert {rule for rule, r in found.items() if r.outcome != "PASS"} == set(EXPECTED) - {"FDM-06"}
    blocked = {
        "CAN-02",
        "CAN-03",
        "CLN-02",
        "CLN-18",
        "CLN-22",
        "FEA-05",
        "FEA-16",
        "TRN-08",
        "FDM-05",
        "BAS-05",
        "MIN-04",
        "ARC-01",
    }
    assert {rule for rule, r in found.items() if r.blocks} == blocked | {"ALR-10"}


def test_a_group_is_measured_only_where_its_datasets_are() -> None:
    ids = {rule.id for _, rule, _ in rules_for(GROUPS, ("row_conservation", "device_features"))}
    assert ids == {"RAW-05", "QUA-03", "DLQ-03", "FEA-05"}


def test_a_measure_that_nobody_takes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = shipped_contracts()["clean_sensor_readings"]
    rules = tuple(
        r.model_copy(update={"measure": "repeated_event_id"}) if r.id == "CLN-02" else r
        for r in parsed.contract.expectations
    )
    changed = parsed.model_copy(update={"contract": parsed.contract.model_copy(update={"expectations": rules})})
    monkeypatch.setattr("fleet_health.audits.audit.shipped_contracts", lambda: {"clean_sensor_readings": changed})
    with pytest.raises(
        ContractAgreementError, match=r"CLN-02 asks for measure 'repeated_event_id'.*'repeated_event_ids'"
    ):
        measured_rules.__wrapped__()
