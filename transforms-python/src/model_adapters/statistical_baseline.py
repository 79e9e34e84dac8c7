"""Robust z-scores as they are published: nothing is fitted but medians and spreads, which are constants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import palantir_models as pm
from model_adapters.arrays import Arrays
from model_adapters.constants import Constants
from model_adapters.window_model import Floats, WindowModelAdapter, robust_distances
from palantir_models.serializers import JsonSerializer


def reference_arrays(medians: Sequence[float], scales: Sequence[float]) -> Arrays:
    """What stands for the fitted part."""
    return {"medians": np.asarray(medians, dtype=np.float64), "scales": np.asarray(scales, dtype=np.float64)}


class StatisticalBaselineAdapter(WindowModelAdapter):
    """Scores a window by its oddest feature.

    :display-name: Robust z-scores of window features
    :description: Largest distance of a feature from its training median in robust spreads, as a score in 0..1.
    """

    @pm.auto_serialize(constants=JsonSerializer())  # type: ignore[untyped-decorator]  # as in Foundry
    def __init__(self, constants: Constants) -> None:
        self.constants = constants
        self.refuse_other_parts(len(constants["medians"]))

    def fitted_arrays(self) -> Arrays:
        """Medians and robust spreads."""
        return reference_arrays(self.constants["medians"], self.constants["scales"])

    def raw(self, vectors: Floats, cohorts: NDArray[Any] | None = None) -> Floats:
        """The largest absolute robust z of a row."""
        found: Floats = robust_distances(vectors, self.constants["medians"], self.constants["scales"]).max(axis=1)
        return found
