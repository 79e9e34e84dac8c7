"""Figures of a regression: errors and explained variance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from palantir_models.serializers.base import package
from transforms._names import known_arguments


@dataclass(frozen=True)
class RegressionEvaluatorConfig:
    """``subset`` prefixes every figure with ``subset/``."""

    subset: str | None = None

    def metrics(self, actual: Any, predicted: Any, frame: Any) -> dict[str, float]:
        """Count, mean absolute, mean squared, root mean squared and maximal error, r2, mean absolute percentage
        error.
        """
        m = package("sklearn.metrics", type(self).__name__, "scikit-learn")
        squared = float(m.mean_squared_error(actual, predicted))
        return {
            "example_count": len(actual),
            "mean_absolute_error": float(m.mean_absolute_error(actual, predicted)),
            "mean_squared_error": squared,
            "root_mean_squared_error": squared**0.5,
            "r2": float(m.r2_score(actual, predicted)),
            "max_error": float(m.max_error(actual, predicted)),
            "mean_absolute_percentage_error": float(m.mean_absolute_percentage_error(actual, predicted)),
        }


if not TYPE_CHECKING:
    RegressionEvaluatorConfig.__init__ = known_arguments("RegressionEvaluatorConfig")(
        RegressionEvaluatorConfig.__init__
    )
