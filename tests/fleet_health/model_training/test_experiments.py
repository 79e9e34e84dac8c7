"""Experiments: what a training leaves beside its model, the log of all of them, and the set to compare on."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import training_fleet as fleet
from pyspark.sql import SparkSession

from fleet_health.contracts.compiled import checks_of
from fleet_health.contracts.experiments import LOG_SCHEMA, METRICS_SCHEMA, RUNS_SCHEMA, regression_schema
from fleet_health.training_data.described import described_models
from fleet_health.training_data.errors import RegressionSetChangedError
from fleet_health.training_data.regression_set import content_digest, refuse_changed, regression_set
from mirror.checks import CheckSubject, evaluate
from model_training.errors import DegenerateModelError
from model_training.log import new_experiments, new_metrics
from model_training.metrics import REQUIRED
from model_training.record import Assembly, run_row
from model_training.training import Trained, run

NAMES = list(fleet.PROFILE.model_features)
PROFILE = fleet.PROFILE.model_copy(
    update={"model": fleet.PROFILE.model.model_copy(update={"n_estimators": 8, "max_samples": 32}), "models": ()}
)


class Ticks:
    """A stopwatch on which every look takes a second."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def training_data() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Quarter hours of the fleet that lie in a part, placed as the assembly places them."""
    table = fleet.feature_table()
    table = table[table["window_duration_minutes"] == 15]
    part = table["device_id"].map(fleet.PART)
    learned = (table["window_end"] <= fleet.TRAINED) & (part == "train")
    judges = table["window_start"] >= fleet.JUDGED
    rows = table.assign(device_part=part, period=np.where(judges, "validation", "train"), cohort_id=None)
    statistics = described_models(rows[learned].fillna({"humidity_mean": 30.0}), PROFILE, "tx").statistics
    rows = rows[learned | judges].fillna({"humidity_mean": 30.0})
    vectors = list(rows[NAMES].to_numpy(dtype=float))
    known = {"feature_vector": vectors, "feature_names": [NAMES] * len(rows), "snapshot_id": "tx"}
    return rows.assign(**known, assembled_at=fleet.LAST), statistics


@pytest.fixture(scope="module")
def experiment() -> SimpleNamespace:
    """A run of the first model, and its record."""
    data, statistics = training_data()
    exclusions = pd.DataFrame({"reason": ["QUALITY_FLAGS", "READING_COUNT", "OUTSIDE_SPLIT"], "rows": [3, 0, 7]})
    exclusions = exclusions.assign(snapshot_id="tx", assembled_at=fleet.LAST, unsplit=None)
    trained = run(data, statistics, PROFILE, stopwatch=Ticks())
    assembly = Assembly(statistics, exclusions)
    return SimpleNamespace(trained=trained, assembly=assembly, row=run_row(PROFILE, PROFILE.model, assembly, trained))


@pytest.mark.case("MTR-HP-04")
def test_an_experiment_is_a_row_of_the_log_with_all_required_figures(experiment: Any) -> None:
    row, trained = experiment.row, experiment.trained
    log = new_experiments(pd.DataFrame([row]), pd.DataFrame(columns=LOG_SCHEMA.fieldNames()))
    assert log["experiment_id"].tolist() == ["isolation_forest_fleet_20260421_001"]
    (logged,) = log.to_dict("records")
    assert (logged["status"], logged["notes"], logged["random_seed"]) == ("completed", None, 42)
    assert logged["training_window_end"] == datetime(2026, 4, 7, tzinfo=UTC)
    assert logged["validation_window_start"] == datetime(2026, 4, 14, tzinfo=UTC)
    assert (logged["training_rows"], logged["validation_rows"]) == (
        len(trained.rows.train),
        len(trained.rows.validation),
    )
    assert logged["training_devices"] == sum(part == "train" for part in fleet.PART.values())
    assert logged["validation_devices"] == sum(part == "validation" for part in fleet.PART.values())
    assert logged["data_transaction_id"] == "tx"
    assert logged["model_artifact_rid"] == f"sha256:{trained.adapter.constants['fitted_sha256']}"
    assert json.loads(logged["exclusion_summary"]) == {
        "OUTSIDE_SPLIT": 7, "QUALITY_FLAGS": 3, "SELF_CLEANING": trained.removed,
    }  # fmt: skip
    assert json.loads(logged["hyperparameters"])["self_cleaning"] == {"passes": 1, "each": 0.02, "at_most": 0.1}
    assert json.loads(logged["key_dependencies"]).keys() == {"numpy", "pandas", "scikit-learn", "scipy"}
    assert json.loads(logged["training_data_stats"])["humidity_mean"]["training_null_rate"] == 0.0
    metrics = new_metrics(log, [])
    whole = metrics[metrics["fold"].isna()]
    assert set(REQUIRED) <= set(whole["metric_name"])
    assert set(whole.loc[whole["metric_name"] == "anomaly_rate_validation", "split"]) == {"validation"}
    assert set(whole.loc[whole["metric_name"] == "score_std_train", "split"]) == {"train"}
    folds = metrics[metrics["fold"].notna()]
    assert set(folds["fold"]) == {1, 2, 3}
    assert set(folds["metric_name"]) == {"anomaly_rate_validation", "score_mean_validation"}
    assert set(metrics["computed_at"]) == {logged["created_at"]}


def test_the_log_goes_on_and_repeats_nothing(experiment: Any) -> None:
    runs = pd.DataFrame([experiment.row])
    empty = pd.DataFrame(columns=LOG_SCHEMA.fieldNames())
    log = new_experiments(runs, empty)
    assert new_experiments(runs, log).empty
    later = runs.assign(data_transaction_id="tx-2")
    assert new_experiments(later, log)["experiment_id"].tolist() == ["isolation_forest_fleet_20260421_002"]
    assert new_metrics(log, log["experiment_id"]).empty


def test_a_refused_model_is_logged_with_its_reason_and_without_an_artefact(experiment: Any) -> None:
    refusal = DegenerateModelError("isolation_forest_v1", 0.3, 0.005, 0.2)
    row = run_row(PROFILE, PROFILE.model, experiment.assembly, experiment.trained, refusal)
    assert (row["status"], row["model_artifact_rid"], row["notes"]) == ("failed", None, str(refusal))
    nothing = run_row(PROFILE, PROFILE.model, experiment.assembly, None, refusal)
    assert (nothing["training_rows"], nothing["training_window_start"], nothing["metrics"]) == (0, None, None)
    assert nothing["feature_count"] == len(NAMES)
    unsplit = Assembly(experiment.assembly.statistics, experiment.assembly.exclusions.assign(unsplit="no split"))
    assert run_row(PROFILE, PROFILE.model, unsplit, experiment.trained)["notes"] == "nothing validated it: no split"


def plain(spark: SparkSession, rows: pd.DataFrame, schema: Any) -> Any:
    return spark.createDataFrame(rows.astype(object).where(rows.notna(), None), schema)


def judged(spark: SparkSession, dataset: str, rows: Any, **known: CheckSubject) -> dict[str, str]:
    subject = CheckSubject(dataset, rows.schema, lambda: rows, files=(), references=known)
    results = evaluate(checks_of(dataset, PROFILE), subject, spark=spark, now=datetime(2026, 1, 1, tzinfo=UTC))
    return {result.name[:6]: result.outcome for result in results}


@pytest.mark.nightly
def test_records_are_their_contracts_and_degenerate_models_are_caught_once_more(
    spark: SparkSession, experiment: Any
) -> None:
    """The job refuses first; the check of the dataset holds whoever writes it."""
    frame = spark.createDataFrame([tuple(experiment.row.values())], RUNS_SCHEMA)
    assert set(judged(spark, "experiment_runs", frame).values()) == {"PASS"}
    sound = new_experiments(frame.toPandas(), pd.DataFrame(columns=LOG_SCHEMA.fieldNames()))
    near = sound.assign(
        experiment_id="isolation_forest_fleet_20260421_002",
        validation_window_start=sound["training_window_end"] + pd.Timedelta(days=6),
        feature_count=3,
    )
    both = plain(spark, pd.concat([sound, near], ignore_index=True), LOG_SCHEMA)
    verdicts = judged(spark, "experiment_log", both)
    assert {rule for rule, outcome in verdicts.items() if outcome != "PASS"} == {"EXP-04", "EXP-05"}
    figures = new_metrics(sound, [])
    rate = figures["metric_name"] == "anomaly_rate_validation"
    figures.loc[rate & figures["fold"].isna(), "metric_value"] = 0.3
    known = CheckSubject("log", both.schema, lambda: both)
    found = judged(spark, "experiment_metrics", plain(spark, figures, METRICS_SCHEMA), log=known)
    assert found["EXM-03"] == "FAIL"
    assert found["EXM-02"] == found["EXM-00"] == "PASS"


def test_the_regression_set_is_fixed_and_a_change_is_refused(spark: SparkSession) -> None:
    _, statistics = training_data()
    made = regression_set(statistics, fleet.PROFILE)
    again = regression_set(statistics.iloc[::-1], fleet.PROFILE)
    pd.testing.assert_frame_equal(made, again)
    assert made["content_sha256"].unique().tolist() == [content_digest(made, fleet.PROFILE)]
    assert (made["device_id"].nunique(), made["scenario"].notna().sum()) == (1000, 100)
    far = made[made["scenario"] == "FAR_ABOVE:humidity_mean"]
    assert (far["humidity_mean"] > statistics.set_index("feature_name").at["humidity_mean", "training_max"]).all()
    assert len(far) == 30
    assert made.loc[made["scenario"] == "INCOMPLETE", "sensor_completeness"].unique().tolist() == [0.6]
    stored = plain(spark, made, regression_schema(fleet.PROFILE)).toPandas()
    refuse_changed(stored, "/Fleet/x/regression_test_features", fleet.PROFILE)
    refuse_changed(stored.sample(frac=1.0, random_state=1), "/Fleet/x/regression_test_features", fleet.PROFILE)
    stored.loc[7, "humidity_mean"] += 1e-9
    with pytest.raises(RegressionSetChangedError, match="/Fleet/x/regression_test_features v1: the rows have") as e:
        refuse_changed(stored, "/Fleet/x/regression_test_features", fleet.PROFILE)
    assert "roll the dataset back" in str(e.value)


def test_a_run_that_is_only_trained_has_no_figures(experiment: Any) -> None:
    bare = Trained(experiment.trained.adapter, experiment.trained.rows, 0)
    assert run_row(PROFILE, PROFILE.model, experiment.assembly, bare)["metrics"] == {}
