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
from model_training.log import joined, new_experiments, new_metrics, new_trainings
from model_training.metrics import REQUIRED
from model_training.promotions import new_changes
from model_training.record import Assembly, run_row
from model_training.training import Trained, run

DECIDED = pd.Timestamp("2026-05-01T00:00:00Z")
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
    assert new_trainings(runs, new_trainings(runs, empty)).empty
    later = runs.assign(data_transaction_id="tx-2")
    assert new_experiments(later, log)["experiment_id"].tolist() == ["isolation_forest_fleet_20260421_002"]
    assert new_metrics(log, log["experiment_id"]).empty


def decided(*steps: Any) -> pd.DataFrame:
    """Decisions about the first model, a minute apart: version, reason, share, and the role where it is no champion."""
    rows = [
        {
            "model_family": "isolation_forest",
            "region": "ALL",
            "model_id": "isolation_forest_v1",
            "model_version": version,
            "deployment_role": (other or ["champion"])[0],
            "traffic_fraction": share,
            "effective_from": DECIDED + pd.Timedelta(minutes=n),
            "approved_by_role": "Ada",
            "change_reason": reason,
        }
        for n, (version, reason, share, *other) in enumerate(steps)
    ]
    return pd.DataFrame(rows)


def test_releases_and_rollbacks_are_rows_of_the_experiment_they_are_about(experiment: Any) -> None:
    first = {**experiment.row, "model_version": "1.0.0", "created_at": DECIDED - pd.Timedelta(days=9)}
    second = {**first, "model_version": "1.1.0", "data_transaction_id": "tx-2"}
    again = {**second, "created_at": DECIDED - pd.Timedelta(days=1)}
    refused = {**first, "status": "failed", "created_at": DECIDED - pd.Timedelta(days=10)}
    log = new_experiments(pd.DataFrame([first, second, again, refused]), pd.DataFrame(columns=LOG_SCHEMA.fieldNames()))
    steps: list[Any] = [
        ("1.0.0", "release: first", 1.0, "challenger"),
        ("1.0.0", "release: first", 1.0),
        ("9.9.9", "release: of a training nobody logged", 1.0),
        ("1.1.0", "release: newer", 1.0),
        ("1.1.0", "halt: at night", 0.0),
        ("1.1.0", "resume: in the morning", 1.0),
        ("1.0.0", "rollback: floods", 1.0),
        ("1.1.0", "release: with another limit", 1.0),
    ]
    names = ["model_version", "status", "created_at", "promoted_at", "notes"]
    minute = [DECIDED + pd.Timedelta(minutes=n) for n in range(len(steps))]
    made = new_changes(decided(*steps), log)
    assert made[names].to_numpy().tolist() == [
        ["1.0.0", "promoted", minute[1], minute[1], "release: first (Ada)"],
        ["1.1.0", "promoted", minute[3], minute[3], "release: newer (Ada)"],
        ["1.1.0", "rolled_back", minute[6], minute[3], "rollback: floods (Ada)"],
        ["1.1.0", "promoted", minute[7], minute[3], "release: with another limit (Ada)"],
    ]
    ids = log[log["status"] == "completed"].groupby("model_version")["experiment_id"].min()
    assert made["experiment_id"].tolist() == [ids["1.0.0"], *[ids["1.1.0"]] * 3]
    assert made["feature_names"].tolist() == [first["feature_names"]] * 4
    # whatever was logged before, and in whatever steps, the same rows are there in the end
    grown = joined(log, new_changes(decided(*steps[:5]), log))
    rest = new_changes(decided(*steps), grown)
    assert rest[names].to_numpy().tolist() == made[names].to_numpy().tolist()[2:]
    assert new_changes(decided(*steps), joined(grown, rest)).empty
    assert set(new_metrics(joined(log, made), [])["experiment_id"]) == set(log["experiment_id"])
    # data of a later year than the decisions: the release is the newest row all the same
    ahead = log.assign(created_at=DECIDED + pd.Timedelta(days=400))
    assert (new_changes(decided(*steps[:2]), ahead)["created_at"] > ahead["created_at"].max()).all()


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


@pytest.mark.nightly
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
