"""Batch deployment over small frames and a real forest: which windows are scored, by whom, and what stays."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from decisions import decisions
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fleet_health.contracts.compiled import checks_of
from fleet_health.contracts.model_input import MODEL_INPUT_SCHEMA
from fleet_health.contracts.registry import REGISTRY_SCHEMA
from fleet_health.contracts.releases import RELEASES_SCHEMA
from fleet_health.contracts.scores import SCORES_SCHEMA, SHADOW_SCHEMA
from fleet_health.model_input.released import Roles, in_share
from fleet_health.model_input.vectors import features_id
from fleet_health.profiles.loader import shipped_profile
from fleet_health.scoring.candidate import canary_comparison, driving_scores, shadow_scores
from fleet_health.scoring.freshness import features_are_stale
from fleet_health.scoring.same_days import of_the_same_days
from fleet_health.scoring.scores import model_scores, unscored

PROFILE = shipped_profile("refrigeration")
NAMES = list(PROFILE.model_features)
START = pd.Timestamp("2026-01-15T12:00:00Z")
DEVICES, WINDOWS = 50, 4
NOW = START + pd.Timedelta(minutes=80)
"""Four windows of a quarter hour are closed, the fifth ends at the same time as data does, the sixth is open."""
RECEIVED = "timestamp_ingested timestamp"


def forest(version: str, shift: float = 0.0) -> Any:
    from sklearn.ensemble import IsolationForest

    from model_adapters.isolation_forest import IsolationForestAdapter

    rows = np.random.default_rng(3).normal(size=(300, len(NAMES)))
    fitted = IsolationForest(n_estimators=4, max_samples=64, random_state=1, n_jobs=1).fit(rows)
    raw = -fitted.decision_function(rows)
    constants: Any = {
        "model_id": "isolation_forest_v1",
        "model_version": version,
        "granularity": "fleet",
        "seed": 1,
        "window_duration_minutes": 15,
        "feature_names": NAMES,
        "threshold": 0.5 + shift,
        "training_rows": 300,
        "medians": [shift] * len(NAMES),
        "cohort_medians": [],
        "scales": [1.0] * len(NAMES),
        "raw_min": float(raw.min()) - shift,
        "raw_max": float(raw.max()),
    }
    return IsolationForestAdapter(fitted, constants)


def vectors(spark: SparkSession, version: str, quarters: int = WINDOWS) -> DataFrame:
    drawn = np.random.default_rng(5).normal(size=(DEVICES, quarters, len(NAMES)))
    rows = [
        {
            "device_id": f"REF-{device:03}",
            "window_start": START + pd.Timedelta(minutes=15 * quarter),
            "window_end": START + pd.Timedelta(minutes=15 * quarter + 15),
            "model_id": "isolation_forest_v1",
            "granularity": "fleet",
            "feature_vector": drawn[device, quarter].tolist(),
            "feature_names": NAMES,
            "sensor_completeness": 0.9,
            "model_version": version,
            "cohort_id": None,
            "imputed_feature_count": device % 3,
            "features_id": features_id(NAMES),
        }
        for device in range(DEVICES)
        for quarter in range(quarters)
    ]
    return spark.createDataFrame(pd.DataFrame(rows)[MODEL_INPUT_SCHEMA.names], MODEL_INPUT_SCHEMA)


@pytest.fixture(scope="module")
def features(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame([(15, NOW.to_pydatetime())], "window_duration_minutes int, computed_at timestamp")


@pytest.fixture(scope="module")
def scored(spark: SparkSession, features: DataFrame) -> pd.DataFrame:
    """Six quarters of 50 devices by one version: all at once, and again in other partitions, in one job."""
    rows = vectors(spark, "1.0.0", 6)
    parts = [model_scores(rows.repartition(n), features, forest("1.0.0")).withColumn("run", F.lit(n)) for n in (1, 3)]
    return parts[0].unionByName(parts[1]).toPandas()


@pytest.mark.case("SRV-HP-01")
def test_scoring_twice_gives_identical_scores_and_ids(scored: pd.DataFrame) -> None:
    first, second = (
        scored[scored["run"] == n].drop(columns="run").sort_values("score_id", ignore_index=True) for n in (1, 3)
    )
    assert first["device_id"].nunique() == DEVICES
    assert first["score_id"].is_unique
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    assert (first["anomaly_flag"] == (first["anomaly_score"] > 0.5)).all()
    assert 0 < first["anomaly_flag"].sum() < len(first)


@pytest.mark.case("SRV-FL-01")
def test_an_open_window_is_not_scored(scored: pd.DataFrame) -> None:
    ends = set(scored["window_end"])
    assert ends == {(START + pd.Timedelta(minutes=15 * n)).tz_convert(None) for n in range(1, 6)}
    assert (scored["window_end"] <= scored["scored_at"]).all()


@pytest.mark.case("SRV-HP-04")
def test_an_hourly_run_scores_every_window_that_this_version_has_not(spark: SparkSession, scored: pd.DataFrame) -> None:
    """In one job: before the first run, after half of it, after all of it, and after another version scored all."""
    rows, model = vectors(spark, "1.0.0"), forest("1.0.0")
    before = spark.createDataFrame(scored[scored["run"] == 1].drop(columns="run")[SCORES_SCHEMA.names], SCORES_SCHEMA)
    half = before.where(F.col("window_end") <= F.lit((START + pd.Timedelta(minutes=30)).to_pydatetime()))
    cases = {
        "first": before.limit(0),
        "half": half,
        "all": before,
        "other": before.withColumn("model_version", F.lit("0.9.0")),
    }
    told = [unscored(rows, known, model).withColumn("case", F.lit(name)) for name, known in cases.items()]
    found = told[0].unionByName(told[1]).unionByName(told[2]).unionByName(told[3])
    counts = found.groupBy("case", "device_id").count().toPandas().groupby("case")["count"].agg(["min", "max", "size"])
    assert counts.T.to_dict("list") == {"first": [4, 4, 50], "half": [2, 2, 50], "other": [4, 4, 50]}


@pytest.mark.nightly
def test_what_an_old_day_gained_is_scored_once_and_scores_of_other_days_are_not_read(
    spark: SparkSession, tmp_path: Path
) -> None:
    """A day that was filled later, a gap that a failed build left, and history on every other day."""
    model = forest("1.0.0")
    own = {name: str(model.constants[name]) for name in ("model_id", "model_version", "granularity")}
    every = pd.DataFrame(
        [
            (device, START - pd.Timedelta(days=day) + pd.Timedelta(minutes=15 * quarter))
            for device in ("a", "b")
            for day in (0, 1, 40, 400)
            for quarter in (1, 2)
        ],
        columns=["device_id", "window_end"],
    )
    every["window_start"] = every["window_end"] - pd.Timedelta(minutes=15)
    days_ago = (START - every["window_end"]).dt.ceil("D").dt.days
    # day 40 came only now; of yesterday a build failed before the second quarter
    late = every["window_end"] == START - pd.Timedelta(days=1) + pd.Timedelta(minutes=30)
    scored = every[(days_ago != 40) & ~late].assign(**own)
    folder = tmp_path / "scores"
    for number, (_, of_day) in enumerate(scored.groupby(scored["window_end"].dt.date)):
        # as runs append them
        spark.createDataFrame(of_day).coalesce(1).write.mode("append").parquet(str(folder))
        assert number < 3
    before = spark.read.parquet(str(folder))
    at_hand = every[days_ago.isin([0, 1, 40])]
    found = unscored(spark.createDataFrame(at_hand), before, model).toPandas()
    left = sorted(zip(found["device_id"], found["window_end"].dt.tz_localize("UTC"), strict=True))
    chosen = every[(days_ago == 40) | late]
    assert left == sorted(zip(chosen["device_id"], chosen["window_end"], strict=True))
    near = of_the_same_days(before, spark.createDataFrame(at_hand))
    assert near.count() == 6
    # the file of the fourth day is skipped by what its footer says
    assert "PushedFilters: [Or(" in near._jdf.queryExecution().toString()
    both = pd.concat([scored, chosen.assign(**own)])
    assert unscored(spark.createDataFrame(every), spark.createDataFrame(both), model).count() == 0


@pytest.mark.nightly
def test_a_live_canary_drives_its_share_and_everything_is_scored_by_both(
    spark: SparkSession, features: DataFrame
) -> None:
    old, new = forest("1.0.0"), forest("1.1.0", 0.1)
    roles = Roles(old, new, "canary_live", 0.3)
    mine, tried = vectors(spark, "1.0.0", 1), vectors(spark, "1.1.0", 1)
    empty = spark.createDataFrame([], SCORES_SCHEMA)
    driving = driving_scores(mine, tried, features, empty, roles).persist()
    shadow = shadow_scores(mine, tried, features, spark.createDataFrame([], SHADOW_SCHEMA), roles).persist()
    share = driving.select("device_id", "model_version", in_share(F.col("device_id"), 0.3).alias("in")).toPandas()
    assert len(share) == DEVICES
    assert 0 < share["in"].sum() < DEVICES
    assert (share["model_version"] == share["in"].map({True: "1.1.0", False: "1.0.0"})).all()
    compared = canary_comparison(shadow, driving, roles).toPandas()
    assert sorted(compared["device_id"]) == sorted(share["device_id"])
    alone = {
        name: model.scores(np.vstack(mine.orderBy("device_id").toPandas()["feature_vector"].tolist()))
        for name, model in (("champion", old), ("candidate", new))
    }
    compared = compared.sort_values("device_id")
    for name, expected in alone.items():
        np.testing.assert_array_equal(compared[f"{name}_score"], expected)
    np.testing.assert_allclose(compared["score_diff"], alone["candidate"] - alone["champion"], atol=1e-12)
    run = "isolation_forest_v1 1.1.0 vs isolation_forest_v1 1.0.0 2026-01-15T13:20:00"
    assert compared["comparison_id"].unique().tolist() == [run]
    assert shadow.select("deployment_role").distinct().toPandas()["deployment_role"].tolist() == ["canary_live"]
    for kept in (driving, shadow):
        kept.unpersist()


class Deployment:
    """The transforms of the profile over datasets in memory, with two bound versions."""

    def __init__(self, spark: SparkSession) -> None:
        from transforms.verbs.testing.datastores import InMemoryDatastore

        self.spark, self.store = spark, InMemoryDatastore()

    def keep(self, name: str, frame: DataFrame) -> None:
        self.store.store_dataframe(f"/Fleet/refrigeration/{name}", frame)

    def run(self, step: str, model: Any, challenger: Any) -> Any:
        from fleet_health.pipeline import pipeline
        from transforms.verbs.testing.TransformRunner import TransformRunner

        runner = TransformRunner(pipeline, self.store, bindings={"model": model, "challenger": challenger})
        return runner.run(self.spark, next(t for t in pipeline.transforms if t.__name__ == f"refrigeration_{step}"))

    def rows(self, name: str) -> pd.DataFrame:
        return self.store.get_dataframe(f"/Fleet/refrigeration/{name}", self.spark).toPandas()


def prepared(spark: SparkSession, features: DataFrame, *decided: tuple[str, str, float]) -> Deployment:
    deployment = Deployment(spark)
    deployment.store.store_files("/Fleet/refrigeration/release_landing", decisions(PROFILE, *decided))
    deployment.keep("device_registry", spark.createDataFrame([], REGISTRY_SCHEMA))
    deployment.keep("device_features", features)
    deployment.keep("raw_sensor_readings", spark.createDataFrame([(NOW.to_pydatetime(),)], RECEIVED))
    deployment.run("read_releases", None, None)
    return deployment


@pytest.mark.case("SRV-BI-01")
def test_a_model_that_gives_no_number_aborts_the_build_and_scores_stay(
    spark: SparkSession, features: DataFrame, scored: pd.DataFrame
) -> None:
    model = forest("1.0.0")
    deployment = prepared(spark, features)
    deployment.keep("model_input", vectors(spark, "1.0.0", 1))
    before = scored[scored["run"] == 1].drop(columns="run").head(7)
    deployment.keep("model_scores", spark.createDataFrame(before, SCORES_SCHEMA))
    model.constants["raw_min"] = float("-inf")
    with pytest.raises(Exception, match=r"NotAScoreError: isolation_forest_v1 1\.0\.0 gives no number for device REF-"):
        deployment.run("score_windows", model, model)
    assert sorted(deployment.rows("model_scores")["score_id"]) == sorted(before["score_id"])


@pytest.mark.nightly
def test_a_run_without_a_window_adds_nothing_and_a_first_one_is_refused(
    spark: SparkSession, features: DataFrame
) -> None:
    from mirror.checks import CheckSubject, evaluate

    model, deployment = forest("1.0.0"), Deployment(spark)
    decided = (
        "isolation_forest",
        "ALL",
        "isolation_forest_v1",
        "1.0.0",
        "champion",
        1.0,
        NOW.to_pydatetime(),
        "A",
        "B",
    )
    nothing = {"device_registry": REGISTRY_SCHEMA, "model_input": MODEL_INPUT_SCHEMA}
    for name, frame in {
        "raw_sensor_readings": spark.createDataFrame([], RECEIVED),
        "device_features": features,
        "model_release_config": spark.createDataFrame([decided], RELEASES_SCHEMA),
        **{name: spark.createDataFrame([], schema) for name, schema in nothing.items()},
    }.items():
        deployment.keep(name, frame)
    assert [deployment.run("score_windows", model, model).aborted for _ in range(2)] == [False, True]
    # the first, which has nothing to keep, is stopped by its check
    written = deployment.store.get_dataframe("/Fleet/refrigeration/model_scores", spark)
    rules = [check for check in checks_of("model_scores", PROFILE) if check.name.startswith("SCO-10")]
    subject = CheckSubject("model_scores", SCORES_SCHEMA, lambda: written, files=(), references={})
    (found,) = evaluate(rules, subject, spark=spark, now=NOW.to_pydatetime())
    assert (found.outcome, found.blocks) == ("FAIL", True)


@pytest.mark.nightly
def test_features_are_stale_beyond_the_limit_and_longer_windows_may_be_older(spark: SparkSession) -> None:
    """A quarter's are fresh for 120 minutes after they were known; those of an hour for 45 more."""
    known = NOW.to_pydatetime()
    rows = [(minutes, known - timedelta(minutes=before)) for minutes in (15, 60) for before in (0, 600)]
    features = spark.createDataFrame(rows, "window_duration_minutes int, computed_at timestamp")
    hourly = next(model for model in PROFILE.models if model.window_duration_minutes == 60)

    def stale(model: Any, minutes: float) -> bool:
        at = known + timedelta(minutes=minutes)
        return features_are_stale(spark.createDataFrame([(at,)], RECEIVED), features, PROFILE, model)

    assert [stale(PROFILE.model, 120), stale(PROFILE.model, 120.1)] == [False, True]
    assert [stale(hourly, 165), stale(hourly, 165.1)] == [False, True]
    nothing = features.where("false")
    assert not features_are_stale(spark.createDataFrame([(known,)], RECEIVED), nothing, PROFILE, PROFILE.model)


@pytest.mark.nightly
def test_nothing_is_scored_on_stale_features_and_all_of_it_once_they_have_caught_up(
    spark: SparkSession, features: DataFrame
) -> None:
    model, late = forest("1.0.0"), NOW.to_pydatetime() + timedelta(minutes=121)
    deployment = prepared(spark, features)
    deployment.keep("model_input", vectors(spark, "1.0.0", 1))
    deployment.run("score_windows", model, model)
    deployment.keep("model_input", vectors(spark, "1.0.0"))
    deployment.keep("raw_sensor_readings", spark.createDataFrame([(late,)], RECEIVED))
    assert deployment.run("score_windows", model, model).aborted
    assert len(deployment.rows("model_scores")) == DEVICES
    deployment.keep("device_features", features.withColumn("computed_at", F.lit(late)))
    deployment.run("score_windows", model, model)
    # a first window each, which was scored before, and three more
    assert len(deployment.rows("model_scores")) == DEVICES * WINDOWS


@pytest.mark.nightly
def test_a_version_goes_from_shadow_over_canary_to_champion_and_back(spark: SparkSession, features: DataFrame) -> None:
    """Every window is scored once by a version, appended and never twice; the candidate's only in shadow."""
    from fleet_health.contracts.features import features_schema

    old, new = forest("1.0.0"), forest("1.1.0", 0.1)
    deployment = prepared(spark, features)
    deployment.keep("model_input", vectors(spark, "1.0.0"))
    deployment.run("score_windows", old, new)
    deployment.run("score_windows", old, new)
    assert len(deployment.rows("model_scores")) == DEVICES * WINDOWS
    deployment.run("score_candidate", old, new)
    assert deployment.rows("shadow_model_scores").empty

    windows = vectors(spark, "1.1.0").select("device_id", "window_start", "window_end", "feature_vector")
    wide = windows.select(
        "device_id", "window_start", "window_end", *(F.col("feature_vector")[n].alias(x) for n, x in enumerate(NAMES))
    ).withColumns({"window_duration_minutes": F.lit(15), "computed_at": F.lit(NOW.to_pydatetime())})
    wide = wide.withColumns({"sensor_completeness": F.lit(0.9), "quality_flag_count": F.lit(0)})
    schema = features_schema(PROFILE)
    wide = wide.withColumn("reading_count", F.lit(15))
    deployment.keep("device_features", wide.select(*(F.col(f.name).cast(f.dataType) for f in schema)))

    champion, shadow = ("champion", "1.0.0", 1.0), ("shadow", "1.1.0", 1.0)
    landing = "/Fleet/refrigeration/release_landing"
    deployment.store.store_files(landing, decisions(PROFILE, champion, shadow))
    for step in ("read_releases", "score_windows", "score_candidate", "compare_candidate"):
        deployment.run(step, old, new)
    assert set(deployment.rows("model_scores")["model_version"]) == {"1.0.0"}
    tried = deployment.rows("shadow_model_scores")
    assert (len(tried), set(tried["deployment_role"])) == (DEVICES * WINDOWS, {"shadow"})
    assert len(deployment.rows("canary_comparison")) == DEVICES * WINDOWS

    won = (champion, shadow, ("champion", "1.1.0", 1.0))
    deployment.store.store_files(landing, decisions(PROFILE, *won))
    deployment.run("read_releases", new, new)
    deployment.keep("model_input", vectors(spark, "1.1.0"))
    for _ in range(2):
        deployment.run("score_windows", new, new)
    assert deployment.rows("model_scores")["model_version"].value_counts().to_dict() == {"1.0.0": 200, "1.1.0": 200}

    deployment.store.store_files(landing, decisions(PROFILE, *won, champion))
    deployment.run("read_releases", old, new)
    deployment.keep("model_input", vectors(spark, "1.0.0", 5))
    deployment.run("score_windows", old, new)
    assert deployment.rows("model_scores")["model_version"].value_counts().to_dict() == {"1.0.0": 250, "1.1.0": 200}
