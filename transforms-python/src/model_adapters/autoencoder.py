"""The autoencoder as it is published: one small network per cohort, as arrays; no deep-learning framework."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import palantir_models as pm
from model_adapters.arrays import Arrays, ArraysSerializer
from model_adapters.cohort_model import DIGITS, CohortModelAdapter, product
from model_adapters.constants import Constants
from model_adapters.window_model import Floats, normalised
from palantir_models.serializers import JsonSerializer

BLOCK = 4096
"""Rows that are computed together, so that memory does not grow with a batch."""


def scaled(vectors: Floats, low: Floats, high: Floats) -> Floats:
    """Each feature from 0 to 1 between its smallest and largest training value, clipped; 0 where it never moved."""
    return normalised(vectors, low, high)


class AutoencoderAdapter(CohortModelAdapter):
    """Scores a window by how badly its cohort's network rebuilds it.

    A member has ``low`` and ``high`` (training range per feature), ``weights_<n>`` and ``biases_<n>`` per layer.

    :display-name: Autoencoder on window features
    :description: Reconstruction error of a small network per cohort, as a score in 0..1, and the worst features.
    """

    @pm.auto_serialize(arrays=ArraysSerializer(), constants=JsonSerializer())  # type: ignore[untyped-decorator]  # as in Foundry
    def __init__(self, arrays: Arrays, constants: Constants) -> None:
        self.hold(arrays, constants, per_feature="low")

    def raw(self, vectors: Floats, cohorts: NDArray[Any] | None = None) -> Floats:
        """Mean squared error of the rebuilt row, on the scale of its features' training ranges."""
        found: Floats = self._errors(vectors, cohorts).mean(axis=1)
        return found

    def distances(self, vectors: Floats, cohorts: NDArray[Any] | None) -> Floats | None:
        """The squared error of each feature, as its share of the row's whole error."""
        errors = self._errors(vectors, cohorts)
        whole = errors.sum(axis=1, keepdims=True)
        shares: Floats = np.where(whole > 0.0, errors / np.where(whole > 0.0, whole, 1.0), 0.0)
        return np.round(shares, DIGITS)

    def _errors(self, vectors: Floats, cohorts: NDArray[Any] | None) -> Floats:
        errors = np.empty_like(vectors, dtype=np.float64)
        for member, rows in self.members(cohorts, len(vectors)):
            for start in range(0, len(rows), BLOCK):
                block = rows[start : start + BLOCK]
                wanted = scaled(vectors[block], self.arrays[f"{member}/low"], self.arrays[f"{member}/high"])
                errors[block] = (self._rebuilt(wanted, member) - wanted) ** 2
        return errors

    def _rebuilt(self, rows: Floats, member: int) -> Floats:
        place = 0
        while f"{member}/weights_{place}" in self.arrays:
            if place:
                rows = np.maximum(rows, 0.0)
            rows = product(rows, self.arrays[f"{member}/weights_{place}"]) + self.arrays[f"{member}/biases_{place}"]
            place += 1
        return rows
