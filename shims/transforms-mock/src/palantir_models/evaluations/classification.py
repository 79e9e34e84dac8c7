"""Figures of a classification, binary or multiclass by the number of classes in predictions and labels together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from palantir_models.errors import ExperimentError, nearest
from palantir_models.serializers.base import package
from transforms._names import known_arguments

AVERAGES = ("weighted", "micro", "macro", "samples")


@dataclass(frozen=True)
class ClassificationEvaluatorConfig:
    """How classes are averaged and where probabilities stand.

    Attributes:
        average: one of :data:`AVERAGES`; ignored for two classes.
        class_probabilities_columns: one column per class, in the sorted order of classes.
        class_probability_column: one column with the probability of the larger class.
        subset: prefixes every figure with ``subset/``.

    Raises:
        ExperimentError: an unknown average, or both kinds of probabilities.
    """

    average: str = "weighted"
    class_probabilities_columns: Sequence[str] | None = None
    class_probability_column: str | None = None
    subset: str | None = None

    def __post_init__(self) -> None:
        if self.average not in AVERAGES:
            raise ExperimentError("average", f"{self.average!r} is unknown.{nearest(self.average, AVERAGES)}")
        if self.class_probabilities_columns and self.class_probability_column:
            raise ExperimentError("probabilities", "are given per class and as one column.", "Give one of the two.")

    def metrics(self, actual: Any, predicted: Any, frame: Any) -> dict[str, float]:
        """Count, accuracy, precision, recall, f1; for two classes the four counts; with probabilities ROC AUC."""
        import numpy as np

        m = package("sklearn.metrics", type(self).__name__, "scikit-learn")
        classes = np.unique(np.concatenate([actual, predicted]))
        binary = len(classes) == 2
        how: dict[str, Any] = {"zero_division": 0, "average": "binary" if binary else self.average}
        if binary:
            how["pos_label"] = classes[1]
        found = {
            "example_count": len(actual),
            "accuracy": float(m.accuracy_score(actual, predicted)),
            "precision": float(m.precision_score(actual, predicted, **how)),
            "recall": float(m.recall_score(actual, predicted, **how)),
            "f1": float(m.f1_score(actual, predicted, **how)),
        }
        if binary:
            positive, said = actual == classes[1], predicted == classes[1]
            found["true_positives"] = int((positive & said).sum())
            found["true_negatives"] = int((~positive & ~said).sum())
            found["false_positives"] = int((~positive & said).sum())
            found["false_negatives"] = int((positive & ~said).sum())
        scores = self._scores(frame, len(classes))
        if scores is not None and len(np.unique(actual)) > 1:
            truth = actual == classes[1] if binary else actual
            extra = {} if binary else {"multi_class": "ovr", "labels": classes}
            found["roc_auc"] = float(m.roc_auc_score(truth, scores, **extra))
        return found

    def _scores(self, frame: Any, classes: int) -> Any:
        wanted = list(self.class_probabilities_columns or [])
        if self.class_probability_column:
            wanted = [self.class_probability_column]
        missing = [c for c in wanted if c not in frame.columns]
        if missing:
            raise ExperimentError(
                "probabilities", f"no output column {missing[0]!r}.{nearest(missing[0], frame.columns)}"
            )
        if not wanted or classes < 2:
            return None
        if len(wanted) != classes and (self.class_probabilities_columns or classes > 2):
            raise ExperimentError(
                "probabilities", f"{len(wanted)} columns meet {classes} classes in predictions and labels.",
                "Give one column per class, in the sorted order of classes.",
            )  # fmt: skip
        return frame[wanted[-1]].to_numpy() if len(wanted) <= 2 else frame[wanted].to_numpy()


if not TYPE_CHECKING:
    ClassificationEvaluatorConfig.__init__ = known_arguments("ClassificationEvaluatorConfig")(
        ClassificationEvaluatorConfig.__init__
    )
