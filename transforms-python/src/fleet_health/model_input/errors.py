"""What can be wrong between feature rows and a model; every text names the feature.

ModelInputError
|-- MissingFeatureError     a feature of the model is no column of the rows
|-- OtherFeaturesError      vectors in another order, or of other features, than the model's list
|-- WrongVersionError       vectors that were filled with the constants of another version
|-- FeaturesBehindError     windows have a version that device_features does not hold yet
|-- ReleaseNotBoundError    the version that model_release_config names is bound to no input of the transform
`-- NotANumberError         NaN or infinity, which cleansing and window arithmetic never write
"""

from __future__ import annotations

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


class OtherFeaturesError(ModelInputError):
    """Attributes: ``model_id``, the ``expected`` id of the feature list and the one ``found``."""

    def __init__(self, model_id: str, expected: str, found: str) -> None:
        super().__init__(model_id, expected, found)
        self.model_id, self.expected, self.found = model_id, expected, found

    def __str__(self) -> str:
        return (
            f"{self.model_id} was trained with the feature list {self.expected}, and these vectors hold {self.found}: "
            "other features, or another order. Their `feature_names` say which. Rebuild model_input with the released "
            "version."
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


class ReleaseNotBoundError(ModelInputError):
    """Attributes: ``role`` and ``wanted``, the version decided (``None``: none was); ``bound``, those at hand."""

    def __init__(self, role: str, wanted: str | None, bound: tuple[str, ...]) -> None:
        super().__init__(role, wanted, bound)
        self.role, self.wanted, self.bound = role, wanted, bound

    def __str__(self) -> str:
        decided = f"names {self.wanted} as {self.role}" if self.wanted else f"names no {self.role}"
        return (
            f"model_release_config {decided}, but the versions bound here are {' and '.join(self.bound)}. "
            "Release or bind the version that was decided, or add the row of the version that is bound."
        )


class FeaturesBehindError(ModelInputError):
    """Attributes: ``model_id`` and how many ``windows`` are missing (``None``: not counted)."""

    def __init__(self, model_id: str, windows: int | None) -> None:
        super().__init__(model_id, windows)
        self.model_id, self.windows = model_id, windows

    def __str__(self) -> str:
        some = "windows" if self.windows is None else f"{self.windows} window(s)"
        return (
            f"{self.model_id}: feature_versions holds {some} that device_features does not hold yet, and they would "
            "never get a vector. Build device_features, then model_input."
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
