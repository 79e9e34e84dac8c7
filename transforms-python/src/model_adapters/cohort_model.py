"""What families have in common that learn one member per cohort and keep it as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_adapters.arrays import Arrays
from model_adapters.constants import Constants
from model_adapters.window_model import Floats, WindowModelAdapter, normalised

FLEET = 0
"""The member that answers for devices without a cohort and for cohorts that had too few training rows."""
DIGITS = 12
"""Scores are rounded to these, far below any meaning, so that machines with other vector units agree."""


def members_of(cohorts: NDArray[Any] | None, known: Sequence[str], rows: int) -> Iterator[tuple[int, NDArray[Any]]]:
    """Member and positions of its rows; every row has exactly one, and a member without rows does not occur.

    Args:
        cohorts: the cohort of each row, null for none; ``None`` is a frame that does not tell.
        known: the cohorts that have a member of their own; the first is member 1.
        rows: how many there are.
    """
    if cohorts is None:
        chosen = np.full(rows, FLEET)
    else:
        places = {cohort: place for place, cohort in enumerate(known, start=1)}
        chosen = np.asarray([places.get(one, FLEET) if isinstance(one, str) else FLEET for one in cohorts], dtype=int)
    for member in np.unique(chosen).tolist():
        yield member, np.flatnonzero(chosen == member)


def product(rows: Floats, weights: Floats) -> Floats:
    """``rows @ weights``, each row added up by itself in the order of the inputs.

    A matrix product would be faster, but its last bits depend on how many rows are multiplied at once.
    """
    total = np.zeros((len(rows), weights.shape[1]))
    for place in range(weights.shape[0]):
        total += rows[:, place, None] * weights[place]
    return total


class CohortModelAdapter(WindowModelAdapter):
    """``arrays`` hold ``<member>/<name>``; ``<member>/scale`` are the two raw values that become 0 and 1.

    Member 0 is the fleet's, member n that of the n-th of ``cohort_ids``.
    """

    arrays: Arrays

    def hold(self, arrays: Arrays, constants: Constants, per_feature: str) -> None:
        """Keeps both. Raises :class:`ArtefactError` where they do not belong together.

        ``per_feature`` names an array that has one value per feature in every member.
        """
        self.arrays, self.constants = arrays, constants
        widths = {len(value) for key, value in arrays.items() if key.endswith(f"/{per_feature}")}
        self.refuse_other_parts(widths.pop() if len(widths) == 1 else 0)

    def fitted_arrays(self) -> Arrays:
        """What every member learned."""
        return self.arrays

    def members(self, cohorts: NDArray[Any] | None, rows: int) -> Iterator[tuple[int, NDArray[Any]]]:
        """See :func:`members_of`."""
        return members_of(cohorts, self.constants["cohort_ids"], rows)

    def scores(self, vectors: Floats, cohorts: NDArray[Any] | None = None) -> Floats:
        """0..1 between the two raw values that training froze for each member, clipped."""
        found = np.empty(len(vectors))
        raw = self.raw(vectors, cohorts)
        for member, rows in self.members(cohorts, len(vectors)):
            low, high = self.arrays[f"{member}/scale"]
            found[rows] = normalised(raw[rows], low, high)
        return np.round(found, DIGITS)
