"""Cases for a staging project: a batch of a fleet's size, and an artefact that is not what was published.

Here they run at night on this machine; where a staging project exists, the same is asked of its compute profile.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from recipe_fleet import of_family

from fleet_health.contracts.conform import conform
from fleet_health.contracts.model_input import MODEL_INPUT_SCHEMA
from fleet_health.model_input.vectors import features_id
from fleet_health.monitoring.definitions import shipped_metrics
from fleet_health.monitoring.passes import MEASURES
from fleet_health.profiles.loader import shipped_profile
from fleet_health.scoring.scores import model_scores
from fleet_health.scoring.staleness import Facts, decide, staleness_of
from mirror.datasets.storage import LocalStorage
from mirror.models.artefacts import pack, unpack
from mirror.models.errors import ArtefactTamperedError
from model_adapters.isolation_forest import IsolationForestAdapter
from palantir_models.state import ModelStateWriter

pytestmark = pytest.mark.nightly

PROFILE = shipped_profile("refrigeration")
NAMES = list(PROFILE.model_features)
DEVICES = 100_000
NOON = pd.Timestamp("2026-01-15 12:00:00")


def forest() -> IsolationForestAdapter:
    """As large as the declared model: its trees and its samples, over rows that mean nothing."""
    from sklearn.ensemble import IsolationForest

    rows = np.random.default_rng(3).normal(size=(5_000, len(NAMES)))
    model = PROFILE.model
    fitted = IsolationForest(
        n_estimators=model.n_estimators, max_samples=model.max_samples, random_state=model.seed, n_jobs=1
    ).fit(rows)
    raw = -fitted.decision_function(rows)
    return IsolationForestAdapter(
        fitted,
        {  # type: ignore[typeddict-item]
            "model_id": model.model_id,
            "model_version": model.model_version,
            "granularity": "fleet",
            "window_duration_minutes": 15,
            "feature_names": NAMES,
            "threshold": 0.6,
            "medians": [0.0] * len(NAMES),
            "cohort_medians": [],
            "scales": [1.0] * len(NAMES),
            "raw_min": float(raw.min()),
            "raw_max": float(raw.max()),
        },
    )


@pytest.mark.timeout(1800)  # the half hour that the case allows
@pytest.mark.case("SRV-EC-11")
def test_a_window_of_a_hundred_thousand_units_is_scored(spark: SparkSession) -> None:
    told = {
        "device_id": F.format_string("REF-%06d", "id"),
        "window_start": F.lit(NOON),
        "window_end": F.lit(NOON + pd.Timedelta(minutes=15)),
        "model_id": F.lit(PROFILE.model.model_id),
        "model_version": F.lit(PROFILE.model.model_version),
        "granularity": F.lit("fleet"),
        "feature_vector": F.array(*(F.randn(place) for place in range(len(NAMES)))),
        "feature_names": F.array(*map(F.lit, NAMES)),
        "sensor_completeness": F.lit(1.0),
        "imputed_feature_count": F.lit(0),
        "features_id": F.lit(features_id(NAMES)),
    }
    absent = {name: F.lit(None) for name in MODEL_INPUT_SCHEMA.names if name not in told}
    vectors = conform(spark.range(DEVICES).withColumns({**told, **absent}), MODEL_INPUT_SCHEMA)
    features = spark.createDataFrame(pd.DataFrame({"computed_at": [NOON + pd.Timedelta(minutes=35)]}))
    scores = model_scores(vectors, features, forest()).select("score_id", "device_id", "anomaly_score").toPandas()
    assert len(scores) == scores["score_id"].nunique() == scores["device_id"].nunique() == DEVICES
    assert scores["anomaly_score"].between(0.0, 1.0).all()
    assert DEVICES * len(NAMES) * 8 <= 40e6  # bytes of the vectors themselves


@pytest.mark.case("SRV-BI-08")
def test_an_artefact_that_cannot_be_loaded_fails_clearly_and_rules_score_after_two_hours(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    of_family("isolation_forest").adapter.save(ModelStateWriter(tmp_path / "state"))
    storage = LocalStorage(tmp_path / "store")
    sha256, size = pack(tmp_path / "state", tmp_path / "store" / "version.zip")
    whole = unpack(storage, "version.zip", sha256, "/Fleet/refrigeration/models/isolation_forest", "1.0.0")
    assert any(whole.rglob("*"))
    shutil.rmtree(whole)
    file = tmp_path / "store" / "version.zip"
    file.write_bytes(file.read_bytes()[: size // 2])
    with pytest.raises(ArtefactTamperedError) as caught:
        unpack(storage, "version.zip", sha256, "/Fleet/refrigeration/models/isolation_forest", "1.0.0")
    assert "/Fleet/refrigeration/models/isolation_forest 1.0.0" in str(caught.value)
    assert "Restore the file, or publish the model again." in str(caught.value)
    now = datetime(2026, 1, 15, 12, tzinfo=UTC)

    def looked(minutes: int) -> tuple[str, str | None]:
        """No run has scored since; features arrive as ever."""
        last = now - timedelta(minutes=minutes)
        facts = Facts(now, now - timedelta(minutes=5), last, last, PROFILE.model.model_id, "1.0.0", devices_eligible=7)
        decision = decide(facts, False, staleness_of(PROFILE))
        return decision.outcome, decision.switch

    assert [looked(minutes) for minutes in (106, 120, 121)] == [
        ("FAILED", None),
        ("FAILED", None),
        ("FALLBACK", "STARTED"),
    ]
    speaks = {metric.id for metric in shipped_metrics(MEASURES) if metric.runbook == "RB-11"}
    assert {"FRS-05", "SRV-01"} <= speaks
