"""What a caller of a model can get wrong."""

from __future__ import annotations

from collections.abc import Sequence


class FeatureMismatchError(ValueError):
    """Columns the model was trained on are not in the frame it is asked to score.

    Attributes:
        model_id: the model.
        missing: the columns that are not there.
    """

    def __init__(self, model_id: str, missing: Sequence[str]) -> None:
        super().__init__(model_id, tuple(missing))
        self.model_id, self.missing = model_id, tuple(missing)

    def __str__(self) -> str:
        return (
            f"{self.model_id}: the frame lacks the feature columns {', '.join(self.missing)}. "
            "Pass every feature by name (null where unknown; the model fills nulls with its training medians)."
        )
