"""Alert rows of small fleets: what one device raises, with whom and without whom; all in one job."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from fleet_health.alerting.alerts import UNKNOWN_SITE, device_alerts
from fleet_health.contracts.compiled import checks_of
from fleet_health.contracts.scores import SCORES_SCHEMA
from fleet_health.profiles.loader import shipped_profile
from mirror.checks import FAIL, CheckSubject, evaluate

PROFILE = shipped_profile("refrigeration")
MIDNIGHT = datetime(2026, 1, 15, tzinfo=UTC)


def flagged(device: str, window: int, contributors: list[str] | None) -> dict[str, Any]:
    end = MIDNIGHT + timedelta(minutes=15 * window)
    return {
        "device_id": device,
        "window_end": end,
        "window_duration_minutes": 15,
        "model_id": "isolation_forest_v1",
        "anomaly_score": 0.65,
        "anomaly_flag": True,
        "top_contributors": contributors,
    }


@pytest.fixture(scope="module")
def alerts(spark: SparkSession) -> pd.DataFrame:
    scores = [flagged("loud", 0, ["x"]), flagged("later", 1, ["x"])]
    scores += [flagged("unsaid", window, None) for window in (0, 2)]
    rows = [tuple(score.get(name) for name in SCORES_SCHEMA.fieldNames()) for score in scores]
    registry = spark.createDataFrame(
        [("loud", "SITE-1"), ("later", "SITE-1"), ("unsaid", None)], "device_id string, site_id string"
    )
    made = device_alerts(spark.createDataFrame(rows, SCORES_SCHEMA), registry, PROFILE)
    return made.toPandas().sort_values(["device_id", "window_end"], ignore_index=True)


@pytest.mark.case("SRV-DI-02")
def test_alerts_of_one_device_suppress_no_other(alerts: pd.DataFrame) -> None:
    same_cause = alerts[alerts["device_id"].isin(["loud", "later"])]
    assert dict(zip(same_cause["device_id"], same_cause["suppressed"], strict=True)) == {"loud": False, "later": False}


@pytest.mark.case("SRV-NU-02")
def test_without_contributors_an_alert_is_written_and_its_repeat_silent(alerts: pd.DataFrame) -> None:
    unsaid = alerts[alerts["device_id"] == "unsaid"]
    assert unsaid["suppressed"].tolist() == [False, True]
    assert unsaid["top_contributors"].isna().all()
    assert unsaid["description"].str.contains("no single feature").all()


@pytest.mark.case("SRV-NU-05")
def test_a_device_without_site_still_alerts(alerts: pd.DataFrame) -> None:
    sites = alerts.drop_duplicates("device_id").set_index("device_id")["site_id"].to_dict()
    assert sites == {"later": "SITE-1", "loud": "SITE-1", "unsaid": UNKNOWN_SITE}


def refused(spark: SparkSession, checks: list[Any], name: str, column: str, values: list[str]) -> set[str]:
    """The values that the check whose name begins with ``name`` stops the build for."""
    (check,) = [one for one in checks if one.name.startswith(name)]
    assert check.on_error == FAIL
    frame = spark.createDataFrame([(value,) for value in values], f"{column} string")
    (result,) = evaluate([check], CheckSubject("/d", frame.schema, lambda: frame), spark=spark, now=MIDNIGHT)
    assert result.outcome == FAIL
    return {row[column] for row in result.offending}


@pytest.mark.case("SRV-BI-07")
def test_a_status_in_lower_case_stops_the_build(spark: SparkSession) -> None:
    values = ["FALSE_POSITIVE", "false_positive", "open"]
    assert refused(spark, checks_of("device_alerts", PROFILE), "ALR-05", "status", values) == {"false_positive", "open"}


@pytest.mark.case("SRV-BI-02")
def test_scores_of_models_that_are_not_released_stop_the_build(spark: SparkSession) -> None:
    shadow, test = "isolation_forest_v1_shadow", "test_isolation_forest_v1"
    values = ["isolation_forest_v1", shadow, test]
    assert refused(spark, checks_of("model_scores", PROFILE), "SCO-06", "model_id", values) == {shadow, test}
