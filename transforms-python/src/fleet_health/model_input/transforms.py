"""Windows to vectors of the released models, for every profile."""

from __future__ import annotations

from typing import Any

from pyspark.sql import functions as F

from fleet_health import paths
from fleet_health.contracts.compiled import checks_of
from fleet_health.contracts.model_input import EXCLUSIONS_SCHEMA, MODEL_INPUT_SCHEMA
from fleet_health.model_input.cohorts import cohorts_of, with_cohorts
from fleet_health.model_input.increments import (
    IS_NEW,
    Added,
    filled_otherwise,
    meets,
    refuse_behind,
    refuse_older,
    with_history,
)
from fleet_health.model_input.prepared import judged, model_input, model_input_exclusions
from fleet_health.model_input.released import roles_of
from fleet_health.profiles.families import FurtherModel, ModelSpec
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Profile
from fleet_health.semantic_version import semantic_version
from palantir_models.transforms import ModelInput
from transforms.api import Input, Output, Transform, incremental, transform


def filling_version(profile: Profile) -> int:
    """A number that changes with what the profile says of every vector, so that an edit makes all of them anew."""
    decides = {
        "imputation": profile.imputation.model_dump(mode="json"),
        "gate": profile.model.scoring_completeness_min.value,
        "cohorts": profile.cohorts and profile.cohorts.by,
    }
    return semantic_version(decides)


def model_input_transform(profile: Profile, spec: ModelSpec | FurtherModel) -> Transform:
    """One job per model, so that one without a release waits alone; it adds what :mod:`.increments` finds.

    ``device_features`` is read whole or by its times, never by increments: what is new is told by ``feature_versions``,
    which only grows. Where nothing is new the job is aborted, and the next run looks at the same additions again.
    """
    optional = {}
    if profile.cohorts is not None:
        optional["registry"] = Input(paths.dataset(profile, "device_registry"))

    @incremental(semantic_version=filling_version(profile), snapshot_inputs=["features", "releases", *optional])
    @transform(
        versions=Input(paths.dataset(profile, "feature_versions")),
        features=Input(paths.dataset(profile, "device_features")),
        releases=Input(paths.dataset(profile, "model_release_config")),
        model=ModelInput(paths.model(profile, spec.model_id)),
        challenger=ModelInput(paths.model(profile, spec.model_id), branch=paths.STAGING),
        vectors=Output(paths.of_model(profile, spec, "model_input"), checks=checks_of("model_input", profile)),
        exclusions=Output(
            paths.of_model(profile, spec, "model_input_exclusions"),
            checks=checks_of("model_input_exclusions", profile),
        ),
        **optional,
    )
    def prepare_model_input(
        ctx: Any,
        versions: Any,
        features: Any,
        releases: Any,
        model: Any,
        challenger: Any,
        vectors: Any,
        exclusions: Any,
        registry: Any = None,
    ) -> None:
        champion = roles_of(releases.dataframe(), model, challenger).champion
        name, minutes = str(champion.constants["model_id"]), int(champion.constants["window_duration_minutes"])
        rows, known = features.dataframe(), registry and registry.dataframe()
        before = (
            vectors.dataframe("previous", MODEL_INPUT_SCHEMA),
            exclusions.dataframe("previous", EXCLUSIONS_SCHEMA),
        )
        cohorts = cohorts_of(ctx.spark_session, known, profile.cohorts)
        may_stay = ctx.is_incremental and not filled_otherwise(before, champion, cohorts)
        added = Added.of(versions.dataframe("added"), minutes) if may_stay else None
        if may_stay and added is None:
            ctx.abort_job()
            return
        if added is None or meets(added, before):
            refuse_older(rows, versions.dataframe("current"), minutes, name)
            for output in (vectors, exclusions):
                output.set_mode("replace")
            added, whole = None, judged(with_cohorts(rows, known, profile.cohorts), champion, profile).persist()
        else:
            near = with_cohorts(with_history(rows, added, minutes, profile), known, profile.cohorts)
            whole = judged(near, champion, profile, F.col(IS_NEW)).persist()
        try:
            if added is not None:
                refuse_behind(whole.count(), added, name)
            vectors.write_dataframe(model_input(whole))
            exclusions.write_dataframe(model_input_exclusions(whole))
        finally:
            whole.unpersist()

    prepare_model_input.__name__ = paths.job(profile, spec, "prepare_model_input")
    return prepare_model_input


TRANSFORMS = [model_input_transform(profile, spec) for profile in shipped_profiles() for spec in profile.every_model]
