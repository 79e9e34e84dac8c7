"""Audits of every profile: one dataset up to drift, and one for what exists only once a model is released."""

from __future__ import annotations

from typing import Any

import pandas as pd

from fleet_health import paths
from fleet_health.audits import features, ingestion, scores
from fleet_health.audits.audit import audit_checks, audit_rows
from fleet_health.audits.measured import Audited
from fleet_health.contracts.compiled import checks_of
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Profile
from transforms.api import Input, Output, Transform, transform

DATA_GROUPS = (*ingestion.GROUPS, *features.GROUPS)
SCORE_GROUPS = scores.GROUPS

# A dataset that is not listed is not audited: a new one is added here once the pipeline makes it.
DATA = (
    "raw_sensor_readings",
    "clean_sensor_readings",
    "row_conservation",
    "device_registry",
    "device_features",
    "training_data",
    "training_statistics",
    "feature_baselines",
    "feature_drift_metrics",
    "ingestion_distribution_stats",
)
SCORES = (
    *("model_scores", "shadow_model_scores", "canary_comparison"),
    "alert_effectiveness_metrics",
    *("device_alerts", "device_features", "device_registry", "model_input", "training_data"),
)


def contract_audit_transform(profile: Profile) -> Transform:
    data = (*DATA, *(("training_archive",) if profile.archive else ()))
    checks = [*checks_of("contract_audits", profile), *audit_checks(DATA_GROUPS, data)]

    @transform(
        audits=Output(paths.dataset(profile, "contract_audits"), checks=checks),
        **{name: Input(paths.dataset(profile, name)) for name in data},
    )
    def audit_contracts(audits: Any, **read: Any) -> None:
        frames = {name: source.dataframe() for name, source in read.items()}
        # one row per feature, whatever the size of the fleet
        audited = Audited(frames, frames["training_statistics"].toPandas(), profile)
        clean = frames["clean_sensor_readings"]
        audits.write_dataframe(audit_rows(audited, DATA_GROUPS, "contract_audits", clean, "timestamp_ingested"))

    return audit_contracts


def score_audit_transform(profile: Profile) -> Transform:
    checks = [*checks_of("score_audits", profile), *audit_checks(SCORE_GROUPS, SCORES)]

    @transform(
        audits=Output(paths.dataset(profile, "score_audits"), checks=checks),
        **{name: Input(paths.dataset(profile, name)) for name in SCORES},
    )
    def audit_scores(audits: Any, **read: Any) -> None:
        frames = {name: source.dataframe() for name, source in read.items()}
        audited = Audited(frames, pd.DataFrame(), profile)
        audits.write_dataframe(audit_rows(audited, SCORE_GROUPS, "score_audits", frames["model_scores"], "scored_at"))

    return audit_scores


def for_profile(profile: Profile) -> list[Transform]:
    made = [contract_audit_transform(profile), score_audit_transform(profile)]
    for one in made:
        one.__name__ = f"{profile.profile}_{one.__name__}"
    return made


TRANSFORMS = [one for profile in shipped_profiles() for one in for_profile(profile)]
