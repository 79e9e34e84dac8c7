"""What is refused when a model is loaded or called; every text names the model, the columns and the way out.

AdapterError
|-- FeatureMismatchError    feature columns are missing or have another name
|-- FeatureOrderError       rows whose `feature_names` are other features, or in another order
|-- FeatureTypeError        a value is no number
|-- InfiniteFeatureError    a value is infinite
|-- TooLargeForTreesError   a value is finite, and beyond the single precision in which trees compare
`-- ArtefactError           the fitted part is not the one that was published with these names and constants
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence


class AdapterError(ValueError):
    """Root of all errors of this room."""


class FeatureMismatchError(AdapterError):
    """Columns the model was trained on are not in the frame it is asked to score.

    Attributes:
        model_id: the model.
        missing: the columns that are not there.
        found: the columns that are.
    """

    def __init__(self, model_id: str, missing: Sequence[str], found: Sequence[str] = ()) -> None:
        super().__init__(model_id, tuple(missing), tuple(found))
        self.model_id, self.missing, self.found = model_id, tuple(missing), tuple(found)

    def __str__(self) -> str:
        near = {name: difflib.get_close_matches(name, self.found, 1, 0.8) for name in self.missing}
        renamed = ", ".join(f"{like[0]!r} is like {name!r}" for name, like in near.items() if like)
        hint = f"Was one renamed? {renamed}. " if renamed else ""
        return (
            f"{self.model_id}: the frame lacks the feature columns {', '.join(self.missing)}. {hint}"
            "Pass every feature by name (null where unknown; the model fills nulls with its training medians)."
        )


class FeatureOrderError(AdapterError):
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
            f"{self.model_id}: position {self.position} is {self.found or 'missing'}, the model was trained with "
            f"{self.expected or 'nothing there'}. Prepare the rows with the feature list of this version."
        )


class FeatureTypeError(AdapterError):
    """Attributes: ``model_id``, the first ``feature`` that holds such a value, and how the ``value`` reads."""

    def __init__(self, model_id: str, feature: str, value: str) -> None:
        super().__init__(model_id, feature, value)
        self.model_id, self.feature, self.value = model_id, feature, value

    def __str__(self) -> str:
        return (
            f"{self.model_id}: feature column {self.feature} holds {self.value}, which is no number. Pass numbers, and "
            "null for a value that is not known."
        )


class InfiniteFeatureError(AdapterError):
    """Attributes: ``model_id``, the ``features`` with infinite values and how many ``rows`` have one."""

    def __init__(self, model_id: str, features: Sequence[str], rows: int) -> None:
        super().__init__(model_id, tuple(features), rows)
        self.model_id, self.features, self.rows = model_id, tuple(features), rows

    def __str__(self) -> str:
        return (
            f"{self.model_id}: infinite values in {', '.join(self.features)} ({self.rows} rows). No sensor measures "
            "infinity: correct the step that divided by zero, or pass null for a value that is not known."
        )


class TooLargeForTreesError(AdapterError):
    """Attributes: ``model_id``, the ``features`` with such values and how many ``rows`` have one."""

    def __init__(self, model_id: str, features: Sequence[str], rows: int) -> None:
        super().__init__(model_id, tuple(features), rows)
        self.model_id, self.features, self.rows = model_id, tuple(features), rows

    def __str__(self) -> str:
        return (
            f"{self.model_id}: values beyond 3.4e38 in {', '.join(self.features)} ({self.rows} rows), which trees "
            "cannot compare. No sensor measures that: correct the step that made it, or pass null for an unknown value."
        )


class ArtefactError(AdapterError):
    """Attributes: ``model_id`` and the ``problem``."""

    def __init__(self, model_id: str, problem: str) -> None:
        super().__init__(model_id, problem)
        self.model_id, self.problem = model_id, problem

    def __str__(self) -> str:
        return (
            f"{self.model_id}: {self.problem}. Nothing is scored with it: release a version that is whole, or train "
            "and publish again."
        )
