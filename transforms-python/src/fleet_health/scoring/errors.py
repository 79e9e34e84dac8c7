"""What stops a scoring run; the scores before it stay.

ScoringError
|-- AdapterShapeError    the released version cannot be asked for scores, or answers for other rows than asked about
|-- VectorLengthError    a vector has another length than the model's list of features
`-- NotAScoreError       the model gave no number for a window

Other features, another order, another version and values that are no number: see :mod:`model_input.errors`.
"""

from __future__ import annotations


class ScoringError(ValueError):
    """Root of all errors of this room."""


class AdapterShapeError(ScoringError):
    """Attributes: ``version`` (model and version) and the ``problem``."""

    def __init__(self, version: str, problem: str) -> None:
        super().__init__(version, problem)
        self.version, self.problem = version, problem

    def __str__(self) -> str:
        return (
            f"{self.version}: {self.problem}. Scoring and adapter belong to different states of the code: promote them "
            "together, or roll the release back to a version that fits."
        )


class VectorLengthError(ScoringError):
    """Attributes: ``version``, ``expected`` and ``found`` number of values."""

    def __init__(self, version: str, expected: int, found: int) -> None:
        super().__init__(version, expected, found)
        self.version, self.expected, self.found = version, expected, found

    def __str__(self) -> str:
        return (
            f"{self.version} was trained with {self.expected} features, and a vector holds {self.found} values. Build "
            "model_input again with the released version."
        )


class NotAScoreError(ScoringError):
    """Attributes: ``version``, the ``device_id`` and ``window_end`` of the first window without a number."""

    def __init__(self, version: str, device_id: str, window_end: str) -> None:
        super().__init__(version, device_id, window_end)
        self.version, self.device_id, self.window_end = version, device_id, window_end

    def __str__(self) -> str:
        return (
            f"{self.version} gives no number for device {self.device_id}, window ending {self.window_end}. "
            "Nothing of this run is kept. Roll the release back to the version before it."
        )
