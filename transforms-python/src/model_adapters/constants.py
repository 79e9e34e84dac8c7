"""What training froze beside the fitted model: plain values, readable in the version's record."""

from __future__ import annotations

from typing import Any, TypedDict


class Constants(TypedDict):
    """Lists run parallel to ``feature_names``. Nothing here tells when or where the model was trained.

    ``cohort_medians`` maps cohorts to medians, feature by feature; it is empty where the fleet has no cohorts.
    ``scales`` are robust spreads (1.4826 times the median absolute deviation). ``raw_min`` and ``raw_max`` are the raw
    values that become 0 and 1. ``fitted_sha256`` is the digest of the fitted part together with the names in their
    order. ``imputation`` says per feature what a missing value becomes.
    """

    model_id: str
    model_version: str
    family: str
    granularity: str
    cohort_ids: list[str]
    window_duration_minutes: int
    label_delay_buffer_hours: int
    feature_names: list[str]
    imputation: dict[str, str]
    medians: list[float]
    cohort_medians: list[dict[str, float]]
    scales: list[float]
    raw_min: float
    raw_max: float
    threshold: float
    seed: int
    training_rows: int
    training_devices: int
    hyperparameters: dict[str, Any]
    code_version: int
    package_versions: dict[str, str]
    fitted_sha256: str
