"""Rules that score while no model does: windows of every kind in one job."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from fleet_health.contracts.scores import SCORES_SCHEMA
from fleet_health.profiles.loader import shipped_profile
from fleet_health.scoring.fallback import fallback_scores, fired_rules

PROFILE = shipped_profile("refrigeration")
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
CALM: dict[str, float | None] = {
    "temp_evaporator_mean": -20.0,
    "defrost_active_fraction": 0.0,
    "vibration_compressor_max": 5.0,
    "pressure_low_mean": 300.0,
    "current_compressor_max": 14.0,
}
LOUD: dict[str, float | None] = {
    "temp_evaporator_mean": 0.1,
    "vibration_compressor_max": 20.1,
    "pressure_low_mean": 99.9,
    "current_compressor_max": 35.1,
}
LIMITS: dict[str, float | None] = {
    "temp_evaporator_mean": 0.0,
    "vibration_compressor_max": 20.0,
    "pressure_low_mean": 100.0,
    "current_compressor_max": 35.0,
}
CASES: dict[str, dict[str, float | None]] = {
    "calm": CALM,
    "at the limits": CALM | LIMITS,
    "all null": dict.fromkeys(CALM, None),
    "all": CALM | LOUD,
    **{f"only {name}": CALM | {name: value} for name, value in LOUD.items()},
    **{f"null {name}": CALM | {name: None} for name in LOUD},
    **{f"null {name} beside others": CALM | LOUD | {name: None} for name in LOUD},
    "defrost": CALM | {"temp_evaporator_mean": 5.0, "defrost_active_fraction": 0.5},
    "short defrost": CALM | {"temp_evaporator_mean": 5.0, "defrost_active_fraction": 0.49},
    "defrost unknown": CALM | {"temp_evaporator_mean": 5.0, "defrost_active_fraction": None},
}


def _window(device: str, values: dict[str, float | None]) -> dict[str, Any]:
    times = {"window_start": NOON - timedelta(minutes=15), "window_end": NOON, "scored_at": NOON}
    return {"device_id": device, **times, "window_duration_minutes": 15, "sensor_completeness": 0.3, **values}


@pytest.fixture(scope="module")
def scores(spark: SparkSession) -> pd.DataFrame:
    rows = pd.DataFrame([_window(case, values) for case, values in CASES.items()])
    double = ", ".join(f"{name} double" for name in CALM)
    features = spark.createDataFrame(
        rows.astype(dict.fromkeys(CALM, object)),
        "device_id string, window_start timestamp, window_end timestamp, scored_at timestamp,"
        f" window_duration_minutes int, sensor_completeness double, {double}",
    )
    made = fallback_scores(features, PROFILE)
    assert made.schema.simpleString() == SCORES_SCHEMA.simpleString()
    return made.toPandas().set_index("device_id")


def told(scores: pd.DataFrame, case: str) -> tuple[float, bool, list[str] | None]:
    row = scores.loc[case]
    names = row["top_contributors"]
    return float(row["anomaly_score"]), bool(row["anomaly_flag"]), None if names is None else list(names)


@pytest.mark.case("SRV-NU-01")
def test_a_null_feature_never_fires_and_the_flag_is_never_null(scores: pd.DataFrame) -> None:
    assert scores["anomaly_flag"].notna().all()
    assert told(scores, "all null") == (0.0, False, None)
    for name in LOUD:
        assert told(scores, f"null {name}") == (0.0, False, None)
        others = [other for other in LOUD if other != name]
        assert told(scores, f"null {name} beside others") == (0.9, True, others)


def test_one_rule_is_medium_and_two_are_more(scores: pd.DataFrame) -> None:
    assert told(scores, "calm") == told(scores, "at the limits") == (0.0, False, None)
    for name in LOUD:
        assert told(scores, f"only {name}") == (0.75, True, [name])
    assert told(scores, "all") == (0.9, True, list(LOUD))


def test_the_gate_closes_while_it_is_known_to(scores: pd.DataFrame) -> None:
    assert told(scores, "defrost") == (0.0, False, None)
    for case in ("short defrost", "defrost unknown"):
        assert told(scores, case) == (0.75, True, ["temp_evaporator_mean"])


def test_one_window_without_spark_fires_the_same(scores: pd.DataFrame) -> None:
    assert {case: fired_rules(values, PROFILE) or None for case, values in CASES.items()} == {
        case: told(scores, case)[2] for case in CASES
    }


@pytest.mark.case("SRV-BI-06")
def test_rows_are_scores_like_any_other(scores: pd.DataFrame) -> None:
    assert (scores["anomaly_flag"] == (scores["anomaly_score"] > scores["threshold_used"])).all()
    assert scores["score_id"].is_unique
    one = scores.loc["all"]
    assert (one["model_id"], one["model_version"], one["granularity"]) == ("threshold_fallback_v1", "1.0.0", "fleet")
    assert list(one["contributor_scores"]) == [1.0] * 4
    assert (one["threshold_used"], one["sensor_completeness"], one["imputed_feature_count"]) == (0.5, 0.3, 0)
    assert scores.drop(columns=["top_contributors", "contributor_scores"]).notna().all().all()
