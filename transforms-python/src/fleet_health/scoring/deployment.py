"""Batch deployment: the released version scores, a candidate is tried beside it and compared, for every model.

Each model of a profile has these jobs for itself: it scores windows of its own length from vectors of its own, and one
that waits for its release holds up none of the others.
"""

from __future__ import annotations

import logging
from typing import Any

from pyspark.sql import DataFrame

from fleet_health import paths
from fleet_health.contracts.compiled import checks_of
from fleet_health.contracts.scores import SCORES_SCHEMA, SHADOW_SCHEMA
from fleet_health.model_input.cohorts import with_cohorts
from fleet_health.model_input.prepared import judged, model_input
from fleet_health.model_input.released import Roles, roles_of
from fleet_health.profiles.families import FurtherModel, ModelSpec
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Profile
from fleet_health.scoring.candidate import canary_comparison, driving_scores, shadow_scores
from fleet_health.scoring.freshness import features_are_stale
from palantir_models.transforms import ModelInput
from transforms.api import Input, Output, Transform, incremental, transform

LOGGER = logging.getLogger(__name__)
Spec = ModelSpec | FurtherModel


def _released(profile: Profile, spec: Spec) -> dict[str, Any]:
    """What every job that scores reads: the decisions, the release of the environment, and the one in staging."""
    return {
        "releases": Input(paths.dataset(profile, "model_release_config")),
        "model": ModelInput(paths.model(profile, spec.model_id)),
        "challenger": ModelInput(paths.model(profile, spec.model_id), branch=paths.STAGING),
    }


def _roles(releases: Any, model: Any, challenger: Any) -> Roles:
    return roles_of(releases.dataframe(), model, challenger)


def _registered(profile: Profile) -> dict[str, Any]:
    """The registry, for fleets with cohorts."""
    return {"registry": Input(paths.dataset(profile, "device_registry"))} if profile.cohorts is not None else {}


def _vectors_for(candidate: Any, features: Any, registry: Any, profile: Profile) -> DataFrame:
    """What ``prepare_model_input`` makes, with the constants of a candidate."""
    rows = with_cohorts(features.dataframe(), registry and registry.dataframe(), profile.cohorts)
    return model_input(judged(rows, candidate, profile))


def _append(ctx: Any, output: Any, rows: DataFrame) -> None:
    """Appends ``rows``; without any the job is aborted, because an empty transaction would look like fresh scores."""
    if not ctx.is_incremental:
        output.write_dataframe(rows)
        return
    kept = rows.persist()
    try:
        if kept.isEmpty():
            ctx.abort_job()
        output.write_dataframe(kept)
    finally:
        kept.unpersist()


def _received(profile: Profile) -> dict[str, Any]:
    """What tells how old features are, for fleets that say how old they may be."""
    return {"raw": Input(paths.dataset(profile, "raw_sensor_readings"))} if profile.staleness is not None else {}


def _stale(raw: Any, features: Any, profile: Profile, spec: Spec) -> bool:
    """Whether nothing may be scored now, because readings have come and features have not."""
    if raw is None or not features_are_stale(raw.dataframe(), features.dataframe(), profile, spec):
        return False
    LOGGER.warning("features of %s are stale: nothing is scored until they have caught up", spec.model_id)
    return True


def scoring_transform(profile: Profile, spec: Spec) -> Transform:
    """Windows that the version in force has not scored; those it has, stay as they are."""

    @incremental(snapshot_inputs=["vectors", "features", "releases", *_registered(profile), *_received(profile)])
    @transform(
        vectors=Input(paths.of_model(profile, spec, "model_input")),
        features=Input(paths.dataset(profile, "device_features")),
        scores=Output(paths.of_model(profile, spec, "model_scores"), checks=checks_of("model_scores", profile)),
        **_released(profile, spec),
        **_registered(profile),
        **_received(profile),
    )
    def score_windows(
        ctx: Any, vectors: Any, features: Any, scores: Any, registry: Any = None, raw: Any = None, **released: Any
    ) -> None:
        roles = _roles(**released)
        before = scores.dataframe("previous", SCORES_SCHEMA)
        if _stale(raw, features, profile, spec):
            _append(ctx, scores, before.where("false"))
            return
        live = roles.alerting_share > 0.0
        tried = _vectors_for(roles.candidate, features, registry, profile) if live else None
        _append(ctx, scores, driving_scores(vectors.dataframe(), tried, features.dataframe(), before, roles))

    return score_windows


def candidate_transform(profile: Profile, spec: Spec) -> Transform:
    """The same windows, by the version that does not drive their alerts."""

    @incremental(snapshot_inputs=["vectors", "features", "releases", *_registered(profile), *_received(profile)])
    @transform(
        vectors=Input(paths.of_model(profile, spec, "model_input")),
        features=Input(paths.dataset(profile, "device_features")),
        shadow=Output(
            paths.of_model(profile, spec, "shadow_model_scores"), checks=checks_of("shadow_model_scores", profile)
        ),
        **_released(profile, spec),
        **_registered(profile),
        **_received(profile),
    )
    def score_candidate(
        ctx: Any, vectors: Any, features: Any, shadow: Any, registry: Any = None, raw: Any = None, **released: Any
    ) -> None:
        roles = _roles(**released)
        roles.refuse_unbound()
        before = shadow.dataframe("previous", SHADOW_SCHEMA)
        if roles.candidate is None or _stale(raw, features, profile, spec):
            _append(ctx, shadow, before.where("false"))
            return
        tried = _vectors_for(roles.candidate, features, registry, profile)
        _append(ctx, shadow, shadow_scores(vectors.dataframe(), tried, features.dataframe(), before, roles))

    return score_candidate


def comparison_transform(profile: Profile, spec: Spec) -> Transform:
    """Candidate and champion on the windows that were scored by both since the last time."""

    @incremental(snapshot_inputs=["scores", "releases"])
    @transform(
        shadow=Input(paths.of_model(profile, spec, "shadow_model_scores")),
        scores=Input(paths.of_model(profile, spec, "model_scores")),
        comparison=Output(
            paths.of_model(profile, spec, "canary_comparison"), checks=checks_of("canary_comparison", profile)
        ),
        **_released(profile, spec),
    )
    def compare_candidate(ctx: Any, shadow: Any, scores: Any, comparison: Any, **released: Any) -> None:
        roles = _roles(**released)
        _append(ctx, comparison, canary_comparison(shadow.dataframe(), scores.dataframe(), roles))

    return compare_candidate


def for_profile(profile: Profile) -> list[Transform]:
    made = []
    for spec in profile.every_model:
        for step in (scoring_transform, candidate_transform, comparison_transform):
            one = step(profile, spec)
            one.__name__ = paths.job(profile, spec, one.__name__)
            made.append(one)
    return made


TRANSFORMS = [one for profile in shipped_profiles() for one in for_profile(profile)]
