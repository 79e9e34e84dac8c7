"""Why a training ends without a model that may be published; every text says what to change.

TrainingRefusedError
|-- NotEnoughTrainingRowsError  fewer windows than the model needs to learn anything
|-- MissingValueError           a vector with a null, NaN or infinite value
|-- SelfCleaningError           cleaning would take out more than the profile allows
|-- NoClustersError             no distance gives clusters that describe the cohort
`-- DegenerateModelError        the trained model flags next to nothing, or next to everything
"""

from __future__ import annotations

from collections.abc import Sequence


class TrainingRefusedError(ValueError):
    """Root of all errors of this room. The experiment is logged as failed, and no version is published."""


class NotEnoughTrainingRowsError(TrainingRefusedError):
    """Too few windows passed the training filters.

    Attributes:
        profile: the fleet.
        rows: what is there.
        needed: what the model needs.
    """

    def __init__(self, profile: str, rows: int, needed: int) -> None:
        super().__init__(profile, rows, needed)
        self.profile, self.rows, self.needed = profile, rows, needed

    def __str__(self) -> str:
        return (
            f"profile {self.profile!r}: {self.rows} training windows, {self.needed} are needed. "
            "Ingest more fault-free days, declare more of them (model.training_days), or lower model.max_samples."
        )


class MissingValueError(TrainingRefusedError):
    """Attributes: ``model_id`` and the ``features`` with a value that is no number."""

    def __init__(self, model_id: str, features: Sequence[str]) -> None:
        super().__init__(model_id, tuple(features))
        self.model_id, self.features = model_id, tuple(features)

    def __str__(self) -> str:
        return (
            f"{self.model_id}: training vectors have null, NaN or infinite values in {', '.join(self.features)}. "
            "Build training_data again; its check TRN-06 names the rows."
        )


class SelfCleaningError(TrainingRefusedError):
    """Attributes: ``model_id``, the share that was to be ``removed`` and what is ``allowed``."""

    def __init__(self, model_id: str, removed: float, allowed: float) -> None:
        super().__init__(model_id, removed, allowed)
        self.model_id, self.removed, self.allowed = model_id, removed, allowed

    def __str__(self) -> str:
        return (
            f"{self.model_id}: self-cleaning would take out {self.removed:.1%} of the training rows, "
            f"{self.allowed:.1%} are allowed. Whoever removes that much removes normal operation: find what is odd, "
            "declare it under training.exclude, or lower model.self_cleaning.each."
        )


class NoClustersError(TrainingRefusedError):
    """Attributes: ``model_id``, the ``cohort`` (null is the fleet) and the smallest ``noise`` share that was found."""

    def __init__(self, model_id: str, cohort: str | None, noise: float) -> None:
        super().__init__(model_id, cohort, noise)
        self.model_id, self.cohort, self.noise = model_id, cohort, noise

    def __str__(self) -> str:
        return (
            f"{self.model_id}: no eps makes clusters of cohort {self.cohort or 'of the whole fleet'!r}; at best "
            f"{self.noise:.1%} of its days belong to none. Lower min_samples, or divide the cohort."
        )


class DegenerateModelError(TrainingRefusedError):
    """Attributes: ``model_id``, the ``rate`` of flagged validation windows, and the limits ``low`` and ``high``."""

    def __init__(self, model_id: str, rate: float, low: float, high: float) -> None:
        super().__init__(model_id, rate, low, high)
        self.model_id, self.rate, self.low, self.high = model_id, rate, low, high

    def __str__(self) -> str:
        return (
            f"{self.model_id}: it flags {self.rate:.2%} of the validation windows; a model that is published flags "
            f"{self.low:.1%} to {self.high:.0%}. Compare the validation period with the training period in "
            "feature_drift_metrics before training again."
        )
