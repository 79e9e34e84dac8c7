"""The models of a fleet: which rows train each of them, and which constants are frozen with it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from fleet_health.profiles.keys import Duration, Name, Reason, ReasonedNumber, Strict

Features = Literal["all", "mean_and_std"] | tuple[Name, ...]
Version = Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]


class TrainingDays(Strict):
    device_id: str
    days: tuple[date, ...] = Field(min_length=1)
    reason: Reason


class SelfCleaning(Strict):
    """A model scores its own training rows and leaves out the oddest before it learns again.

    Each of ``passes`` takes out the share ``each``; what all of them take out together stays below ``at_most``.
    """

    passes: int = Field(ge=1, le=2)
    each: float = Field(gt=0, lt=1)
    at_most: float = Field(gt=0, lt=1)
    reason: Reason


def family_of(model_id: str) -> str:
    """``isolation_forest`` of ``isolation_forest_v1``."""
    return model_id.rsplit("_v", 1)[0]


class ModelSpec(Strict):
    """The anomaly model: which rows train it and which constants are frozen with it.

    Limits of counts are for windows of its own length; for another length they grow with it.
    """

    model_id: Annotated[
        str, Field(pattern=r"^(isolation_forest|statistical_baseline|autoencoder|dbscan_cohort)_v[0-9]+$")
    ]
    model_version: Version
    window_duration_minutes: Duration
    features: Features
    n_estimators: int = Field(gt=0)
    max_samples: int = Field(gt=1)
    seed: int
    flagged_share: ReasonedNumber
    training_completeness_min: ReasonedNumber
    training_reading_count_min: ReasonedNumber
    training_flagged_readings_max: ReasonedNumber
    scoring_completeness_min: ReasonedNumber
    training_days: tuple[TrainingDays, ...] = ()
    training_days_reason: Reason
    self_cleaning: SelfCleaning | None = None

    @property
    def family(self) -> str:
        return family_of(self.model_id)

    @property
    def granularity(self) -> str:
        return "fleet"


class _Beside(Strict):
    """What every model beside the first one says."""

    model_version: Version
    window_duration_minutes: Duration
    seed: int
    flagged_share: ReasonedNumber
    reason: Reason


class StatisticalBaseline(_Beside):
    """Robust z-scores: the largest distance of a feature from its training median."""

    family: Literal["statistical_baseline"]
    model_id: Annotated[str, Field(pattern=r"^statistical_baseline_v[0-9]+$")]
    features: Features = "mean_and_std"
    granularity: Literal["fleet"] = "fleet"


class Autoencoder(_Beside):
    """A small network per cohort that rebuilds its input through a bottleneck."""

    family: Literal["autoencoder"]
    model_id: Annotated[str, Field(pattern=r"^autoencoder_v[0-9]+$")]
    features: Features = "all"
    granularity: Literal["cohort"] = "cohort"
    hidden_layers: tuple[int, ...] = (32, 16, 10, 16, 32)
    learning_rate: float = Field(default=0.001, gt=0)
    batch_size: int = Field(default=256, gt=0)
    epochs_max: int = Field(default=100, gt=0)
    patience: int = Field(default=5, gt=0)
    rows_per_cohort_min: ReasonedNumber


class DbscanCohort(_Beside):
    """Density clusters per cohort. ``eps`` is not declared: the candidate with the best silhouette wins."""

    family: Literal["dbscan_cohort"]
    model_id: Annotated[str, Field(pattern=r"^dbscan_cohort_v[0-9]+$")]
    features: Features = "mean_and_std"
    granularity: Literal["cohort"] = "cohort"
    min_samples: int = Field(default=20, gt=1)
    variance_kept: float = Field(default=0.95, gt=0, le=1)
    rows_max: int = Field(default=10_000, gt=1)
    noise_share_max: ReasonedNumber
    rows_per_cohort_min: ReasonedNumber


FurtherModel = Annotated[StatisticalBaseline | Autoencoder | DbscanCohort, Field(discriminator="family")]
"""A model beside the first one; it is trained, judged, released and scored like it, and heard once it is in service."""


class InService(Strict):
    """A model that is heard beside the first one: in alerts, in agreement, in what is watched of models.

    It has to be released, because whoever puts scores together waits for it. Clusters of days are advice and cannot be
    named. Alerts hear it about windows that begin from the UTC day ``since`` and before ``until``: what was told on
    other days stays as it was told.
    """

    family: Literal["statistical_baseline", "autoencoder"]
    since: date
    until: date | None = None
    reason: Reason
