"""The isolation forest as it is published: forest and frozen constants; no result depends on the batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import palantir_models as pm
from model_adapters.arrays import Arrays
from model_adapters.constants import Constants
from model_adapters.errors import TooLargeForTreesError
from model_adapters.forest import ForestSerializer, forest_arrays
from model_adapters.isolation import Isolation, single
from model_adapters.window_model import Floats, WindowModelAdapter
from palantir_models.serializers import JsonSerializer


class IsolationForestAdapter(WindowModelAdapter):
    """Scores windows of device_features by name.

    :display-name: Isolation forest on window features
    :description: Anomaly score in 0..1 with frozen normalisation, flag, and the five features farthest from normal.
    """

    @pm.auto_serialize(forest=ForestSerializer(), constants=JsonSerializer())  # type: ignore[untyped-decorator]  # as in Foundry
    def __init__(self, forest: Any, constants: Constants) -> None:
        self.forest = forest
        self.constants = constants
        self.refuse_other_parts(getattr(forest, "n_features_in_", 0))
        self.isolation = Isolation(forest)

    def fitted_arrays(self) -> Arrays:
        """The trees, field by field."""
        return forest_arrays(self.forest)

    def raw(self, vectors: Floats, cohorts: NDArray[Any] | None = None) -> Floats:
        """How early the trees isolate a row.

        Raises:
            TooLargeForTreesError: a value is beyond single precision, in which trees compare.
        """
        rows = single(vectors)
        beyond = ~np.isfinite(rows)
        if beyond.any():
            names = self.constants["feature_names"]
            odd = [name for name, wrong in zip(names, beyond.any(axis=0), strict=True) if wrong]
            raise TooLargeForTreesError(self.constants["model_id"], odd, int(beyond.any(axis=1).sum()))
        return self.isolation.raw(rows)
