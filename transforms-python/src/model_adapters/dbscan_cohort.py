"""Density clusters of days as they are published: the core points of each cohort; advisory, it names no feature."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import palantir_models as pm
from model_adapters.arrays import Arrays, ArraysSerializer
from model_adapters.cohort_model import CohortModelAdapter, product
from model_adapters.constants import Constants
from model_adapters.window_model import Floats
from palantir_models.serializers import JsonSerializer


def projected(vectors: Floats, centre: Floats, spread: Floats, components: Floats) -> Floats:
    """z-scores on the principal components of training, each row by itself."""
    return product((vectors - centre) / spread, components)


def nearest(points: Floats, cores: Floats) -> Floats:
    """The distance of each point to the nearest core point."""
    from scipy.spatial import cKDTree  # slow to import, and discovery imports this module

    return np.asarray(cKDTree(cores).query(points, k=1, workers=1)[0], dtype=np.float64)


class DbscanCohortAdapter(CohortModelAdapter):
    """Scores a day by its distance to the nearest dense region of its cohort.

    A member has ``centre`` and ``spread`` (per feature), ``components`` (features by components) and ``cores``.

    :display-name: Density clusters of a cohort's days
    :description: Distance to the nearest core point, as a score in 0..1. Advisory: it counts in no agreement.
    """

    @pm.auto_serialize(arrays=ArraysSerializer(), constants=JsonSerializer())  # type: ignore[untyped-decorator]  # as in Foundry
    def __init__(self, arrays: Arrays, constants: Constants) -> None:
        self.hold(arrays, constants, per_feature="centre")

    def raw(self, vectors: Floats, cohorts: NDArray[Any] | None = None) -> Floats:
        """Distance to the nearest core point, in z-scores along the components."""
        found = np.empty(len(vectors))
        for member, rows in self.members(cohorts, len(vectors)):
            part = {name: self.arrays[f"{member}/{name}"] for name in ("centre", "spread", "components")}
            found[rows] = nearest(projected(vectors[rows], **part), self.arrays[f"{member}/cores"])
        return found

    def distances(self, vectors: Floats, cohorts: NDArray[Any] | None) -> Floats | None:
        """A cluster has no opinion about single features."""
        return None
