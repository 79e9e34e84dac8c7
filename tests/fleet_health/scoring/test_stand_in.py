"""The switch to the rules and back, through the transforms: log, scores and alerts of an outage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import types as T

from fleet_health.contracts.features import features_schema
from fleet_health.contracts.model_input import EXCLUSIONS_SCHEMA
from fleet_health.contracts.raw import raw_schema
from fleet_health.contracts.registry import REGISTRY_SCHEMA
from fleet_health.contracts.releases import RELEASES_SCHEMA
from fleet_health.contracts.runs import RUNS_SCHEMA
from fleet_health.contracts.scores import SCORES_SCHEMA
from fleet_health.profiles.loader import shipped_profile
from fleet_health.scoring.runs import facts_of, next_run, scores_standing_in
from fleet_health.scoring.staleness import Facts

pytestmark = pytest.mark.nightly

PROFILE = shipped_profile("refrigeration")
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
FLEET = "/Fleet/refrigeration"


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def made(spark: SparkSession, schema: T.StructType, *rows: dict[str, Any]) -> Any:
    return spark.createDataFrame([tuple(row.get(name) for name in schema.names) for row in rows], schema)


def window(device: str, end: float, **values: float) -> dict[str, Any]:
    times = {"window_start": at(end - 15), "window_end": at(end), "computed_at": at(end), "window_duration_minutes": 15}
    quality = {"sensor_completeness": 1.0, "quality_flag_count": 0, "reading_count": 15}
    return {"device_id": device, **times, **quality, **values}


def score(device: str, end: float) -> dict[str, Any]:
    row = window(device, end)
    times = {name: row[name] for name in ("window_start", "window_end", "window_duration_minutes")}
    model = {"model_id": "isolation_forest_v1", "model_version": "1.0.0", "granularity": "fleet"}
    verdict = {"anomaly_score": 0.2, "anomaly_flag": False, "threshold_used": 0.6, "imputed_feature_count": 0}
    identity = {"score_id": f"{device}{end}", "device_id": device, "scored_at": at(end), "sensor_completeness": 1.0}
    return {**identity, **times, **model, **verdict}


@pytest.mark.timeout(400)
def test_an_outage_is_bridged_told_and_ended(spark: SparkSession, tmp_path: Path) -> None:
    from fleet_health.pipeline import pipeline
    from transforms.verbs.testing.datastores import InMemoryDatastore
    from transforms.verbs.testing.TransformRunner import TransformRunner

    store = InMemoryDatastore()
    runner = TransformRunner(pipeline, store)
    schemas = {
        "raw_sensor_readings": raw_schema(PROFILE),
        "device_features": features_schema(PROFILE),
        "model_scores": SCORES_SCHEMA,
        "device_registry": REGISTRY_SCHEMA,
        "model_input_exclusions": EXCLUSIONS_SCHEMA,
        "model_release_config": RELEASES_SCHEMA,
    }

    def keep(name: str, *rows: dict[str, Any]) -> None:
        store.store_dataframe(f"{FLEET}/{name}", made(spark, schemas[name], *rows))

    def run(*names: str) -> None:
        for name in names:
            runner.run(spark, next(t for t in pipeline.transforms if t.__name__ == f"refrigeration_{name}"))

    def log() -> list[tuple[str, str, str | None, bool]]:
        rows = store.get_dataframe(f"{FLEET}/scoring_run_metrics", spark).orderBy("scheduled_at").collect()
        return [(row["outcome"], row["band"], row["fallback_switch"], row["page"]) for row in rows]

    def look(now: float) -> None:
        reading = {"event_id": str(now), "device_id": "hot", "timestamp_device": at(now), "timestamp_ingested": at(now)}
        keep("raw_sensor_readings", reading)
        run("log_scoring_run")

    keep("device_registry", {"device_id": "hot", "site_id": "S-1", "status": "active"})
    keep("model_input_exclusions")
    keep("model_release_config")
    windows = [window("hot", end, temp_evaporator_mean=3.0, current_compressor_max=36.0) for end in range(0, 300, 15)]
    keep("model_scores", score("hot", 0))
    for now in (0, 110, 130, 250):
        keep("device_features", *[row for row in windows if row["window_end"] <= at(now)])
        look(now)
    outage = [
        ("SUCCEEDED", "FRESH", None, False),
        ("FAILED", "STALE", None, False),
        ("FALLBACK", "VERY_STALE", "STARTED", False),
        ("FALLBACK", "EXPIRED", None, True),
    ]
    assert log() == outage
    look(250)  # looking twice at the same time is one look, and appends the same row once
    assert log() == outage

    run("stand_in", "replay_stream", "raise_alerts")
    alerts = store.get_dataframe(f"{FLEET}/device_alerts", spark).orderBy("window_end").toPandas()
    assert set(alerts["model_id"]) == {"threshold_fallback_v1"}
    assert alerts["severity"].tolist()[:2] == ["MEDIUM", "HIGH"]
    assert list(alerts["top_contributors"][0]) == ["temp_evaporator_mean", "current_compressor_max"]
    assert len(alerts) == 16  # windows from 00:15 to 04:00 after the last score

    keep("model_scores", *[score("hot", end) for end in range(0, 300, 15)])
    keep("device_features", *windows)
    look(290)
    assert log() == [*outage, ("SUCCEEDED", "FRESH", "ENDED", False)]
    run("stand_in")
    standing_in = store.get_dataframe(f"{FLEET}/fallback_scores", spark)
    assert standing_in.count() == 16  # what rules said stays said


def ago(minutes: float) -> datetime:
    return at(-minutes)


def test_one_look_counts_what_the_run_scored_and_the_log_grows_by_news_only(spark: SparkSession) -> None:
    features = pd.DataFrame(
        [
            ("full", ago(60), ago(59), 15, 0.9),
            ("full", ago(45), ago(10), 15, 0.9),
            ("thin", ago(60), ago(59), 15, 0.4),
            ("late", ago(45), ago(10), 15, 0.9),
            ("hour", ago(0), ago(0), 60, 0.9),
        ],
        columns=["device_id", "window_end", "computed_at", "window_duration_minutes", "sensor_completeness"],
    )
    scored = pd.DataFrame(
        [("full", ago(60), ago(58), "isolation_forest_v1", "1.2.0"), ("full", ago(900), ago(890), "x", "9.0.0")],
        columns=["device_id", "window_end", "scored_at", "model_id", "model_version"],
    )
    registry = pd.DataFrame({"device_id": ["full", "thin", "gone", "off"], "status": [*["active"] * 3, "inactive"]})
    raw = pd.DataFrame({"timestamp_ingested": [ago(3), ago(0)]})
    reasons = {
        "reason": ["NOTHING_TO_FILL_WITH", "SENSOR_COMPLETENESS_BELOW_GATE", "NOTHING_TO_FILL_WITH"],
        "window_end": [ago(60), ago(60), ago(600)],
    }
    left_out = pd.DataFrame({**reasons, "model_id": "isolation_forest_v1"})
    decided = pd.DataFrame(
        [(0.0, "champion", ago(90)), (1.0, "champion", ago(80)), (0.0, "shadow", ago(70))],
        columns=["traffic_fraction", "deployment_role", "effective_from"],
    ).assign(model_id="isolation_forest_v1")
    looked_at = (raw, features, scored, registry, left_out, decided)
    found = facts_of(*(spark.createDataFrame(frame) for frame in looked_at), PROFILE)
    assert found == Facts(
        now=NOON,
        features_at=ago(10),
        scored_at=ago(58),
        scored_through=ago(60),
        model_id="isolation_forest_v1",
        model_version="1.2.0",
        devices_eligible=1,
        devices_scored=1,
        rows_scored=1,
        excluded_low_completeness=1,
        excluded_unimputable=1,
        excluded_dropout=1,
    )
    empty = spark.createDataFrame([], RUNS_SCHEMA)
    log = next_run(spark, found, empty, PROFILE)
    (row,) = log.collect()
    assert (row["outcome"], row["band"], row["score_age_minutes"]) == ("SUCCEEDED", "FRESH", 58.0)
    assert next_run(spark, found, log, PROFILE).collect() == []


def test_what_earlier_looks_found_is_not_looked_for_again(spark: SparkSession) -> None:
    """The next look reads what came since, and finds what a look at everything finds; also after a rollback."""
    names = ["device_id", "window_end", "computed_at", "window_duration_minutes", "sensor_completeness"]
    windows = [("full", ago(60), ago(59), 15, 0.9), ("full", ago(45), ago(40), 15, 0.9)]
    scores = [("full", ago(60), ago(40), "isolation_forest_v1", "1.2.0")]
    columns = ["device_id", "window_end", "scored_at", "model_id", "model_version"]
    registry = spark.createDataFrame(pd.DataFrame({"device_id": ["full"], "status": ["active"]}))
    left_out = spark.createDataFrame([], EXCLUSIONS_SCHEMA)
    decided = spark.createDataFrame([], RELEASES_SCHEMA)

    def look(now: float, windows: Any, scores: Any, log: Any = None) -> Facts:
        features, scored = pd.DataFrame(windows, columns=names), pd.DataFrame(scores, columns=columns)
        features["date"] = (features["window_end"] - pd.Timedelta(minutes=15)).dt.date
        raw = pd.DataFrame({"timestamp_ingested": [ago(100), ago(now)]})
        frames = [spark.createDataFrame(frame) for frame in (raw, features, scored)]
        return facts_of(*frames, registry, left_out, decided, PROFILE, log=log)

    log = next_run(spark, look(30, windows, scores), spark.createDataFrame([], RUNS_SCHEMA), PROFILE).persist()
    assert log.count() == 1
    later = [*windows, ("full", ago(30), ago(10), 15, 0.9), ("thin", ago(30), ago(10), 15, 0.2)]
    more = [*scores, ("full", ago(30), ago(10), "isolation_forest_v1", "1.3.0")]
    found = look(5, later, more, log)
    assert found == look(5, later, more)
    assert (found.features_at, found.scored_through, found.model_version) == (ago(10), ago(30), "1.3.0")
    # what no lateness allows: a window of last month that became known a minute ago. Only who reads it all sees it
    old = ("full", ago(40_000), ago(1), 15, 0.9)
    assert look(5, [*later, old], more, log) == found
    assert look(5, [*later, old], more).features_at == ago(1)
    # rolled back to before the last look: nothing is as new as what was known, so everything is looked at
    earlier = [("full", ago(300), ago(290), "isolation_forest_v1", "1.1.0")]
    assert look(90, windows[:1], earlier, log) == look(90, windows[:1], earlier)
    log.unpersist()


def test_rules_score_what_the_model_left_and_keep_the_time_of_the_first_look(spark: SparkSession) -> None:
    places = {
        # minutes before noon of the window's end and of its computing, and length
        "left": (15, 14, 15),
        "computed after the first look": (15, -1, 15),
        "scored by the model": (135, 134, 15),
        "of another length": (15, 14, 60),
        "after both looks": (-75, -61, 15),
    }
    rows = [
        {**window(device, -end), "computed_at": ago(known), "window_duration_minutes": minutes}
        for device, (end, known, minutes) in places.items()
    ]
    looks = [(ago(0), "FALLBACK", 135), (at(60), "FALLBACK", 135), (ago(200), "SUCCEEDED", 300)]
    log = spark.createDataFrame(
        [(when, outcome, ago(through), "isolation_forest_v1") for when, outcome, through in looks],
        "scheduled_at timestamp, outcome string, scored_through timestamp, model_id string",
    )
    found = scores_standing_in(made(spark, features_schema(PROFILE), *rows), log, PROFILE).toPandas()
    assert dict(zip(found["device_id"], found["scored_at"].astype(str), strict=True)) == {
        "left": "2026-01-15 12:00:00",
        "computed after the first look": "2026-01-15 13:00:00",
    }
