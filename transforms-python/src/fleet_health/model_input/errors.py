"""What can be wrong between feature rows and a model; every text names the feature.

ModelInputError
|-- MissingFeatureError     a feature of the model is no column of the rows
|-- FeatureOrderError       vectors in another order, or of other features, than the model's list
|-- WrongVersionError       vectors that were filled with the constants of another version
`-- NotANumberError         NaN or infinity, which cleansing and window arithmetic never write
"""

from __future__ import annotations

from collections.abc import Sequence

from fleet_health.definition_errors import nearest


class ModelInputError(ValueError):
    """Root of all errors of this room."""


class MissingFeatureError(ModelInputError):
    """Attributes: ``model_id``, the ``missing`` features in the model's order, the ``known`` columns."""

    def __init__(self, model_id: str, missing: tuple[str, ...], known: tuple[str, ...]) -> None:
        super().__init__(model_id, missing, known)
        self.model_id, self.missing, self.known = model_id, missing, known

    def __str__(self) -> str:
        return (
            f"{self.model_id} needs features that the rows do not have: {', '.join(self.missing)}. "
            f"{nearest(self.missing[0], self.known)} Rebuild device_features with this profile, or release a model "
            "that was trained on what it has."
        )


class FeatureOrderError(ModelInputError):
    """Attributes: ``model_id``, 0-based ``position`` of the first difference, the names ``expected`` and ``found``."""

    def __init__(self, model_id: str, position: int, expected: str | None, found: str | None) -> None:
        super().__init__(model_id, position, expected, found)
        self.model_id, self.position, self.expected, self.found = model_id, position, expected, found

    @classmethod
    def between(cls, model_id: str, expected: Sequence[str], found: Sequence[str]) -> FeatureOrderError:
        """The error for two lists that differ."""
        pairs = enumerate(zip(expected, found, strict=False))
        place = next((n for n, (left, right) in pairs if left != right), min(len(expected), len(found)))
        names = [str(side[place]) if place < len(side) else None for side in (expected, found)]
        return cls(model_id, place, *names)

    def __str__(self) -> str:
        return (
            f"{self.model_id}: position {self.position} of the vector is {self.found or 'missing'}, the model was "
            f"trained with {self.expected or 'nothing there'}. Rebuild model_input with the released version."
        )


class WrongVersionError(ModelInputError):
    """Attributes: ``model_id``, the ``expected`` version and the one ``found``."""

    def __init__(self, model_id: str, expected: str, found: str) -> None:
        super().__init__(model_id, expected, found)
        self.model_id, self.expected, self.found = model_id, expected, found

    def __str__(self) -> str:
        return (
            f"{self.model_id} {self.expected} would score vectors that were filled for version {self.found}, whose "
            "medians are others. Build model_input again with the released version."
        )


class NotANumberError(ModelInputError):
    """Attributes: ``device_id`` and ``feature``."""

    def __init__(self, device_id: str, feature: str) -> None:
        super().__init__(device_id, feature)
        self.device_id, self.feature = device_id, feature

    def __str__(self) -> str:
        return (
            f"device {self.device_id}: {self.feature} is NaN or infinite. A missing value is null; correct the step "
            "that wrote the row, then build device_features again."
        )
