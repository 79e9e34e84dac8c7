"""A fleet in which nothing is wrong, from its files through every monitoring transform."""

from __future__ import annotations

from typing import Any

import pytest
from synthetic_windows import PROFILE

from mirror.synth import SynthRequest, load_fleet, write_fleet

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(1800)]

UNITS, HOURS, SEED = 12, 50, 7


@pytest.fixture(scope="module")
def watched(build_profile: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    request = SynthRequest(UNITS, HOURS, SEED, format="csv")
    made = write_fleet(load_fleet(), request, tmp_path_factory.mktemp("healthy"))
    raw = {
        "/Fleet/refrigeration/landing": {file.name: file.read_bytes() for file in made.files},
        "/Fleet/refrigeration/registry_landing": {"registry.csv": made.registry.read_bytes()},
    }
    return build_profile(PROFILE, raw, last="raise_quality_alerts")


@pytest.mark.case("E2E-BI-05")
def test_no_metric_of_a_healthy_fleet_is_above_low(watched: Any) -> None:
    health = watched.frame("pipeline_health_metrics").toPandas()
    assert health["metric_id"].nunique() >= 35
    above = health[health["severity"].isin(["MEDIUM", "HIGH", "CRITICAL"])]
    assert above.empty, above[["metric_id", "dimension", "value", "threshold", "severity"]].to_string()
    drift = watched.frame("feature_drift_metrics").toPandas()
    whole = drift[(drift["slice_name"] == "ALL") & drift["feature_name"].isin(PROFILE.model_features)]
    measured = whole.groupby("window_duration_minutes")["psi_value"].agg(["count", "max"])
    # two days of twelve units are no verdict about days, and enough about all that is shorter
    assert measured["count"].to_dict() == {15: 45, 60: 45, 1440: 0}
    assert measured["max"].max() <= 0.25
