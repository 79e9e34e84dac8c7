"""One member per cohort that has enough rows, and the fleet's for all others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from model_adapters.cohort_model import FLEET
from model_training.errors import NotEnoughTrainingRowsError
from model_training.rows import Floats, LearningRows


def own_cohorts(rows: LearningRows, rows_min: int) -> tuple[str, ...]:
    """The cohorts with so many training rows, by name."""
    known = [one for one in rows.train.cohorts.tolist() if isinstance(one, str)]
    names, counts = np.unique(np.asarray(known, dtype=object).astype(str), return_counts=True)
    return tuple(str(name) for name, count in zip(names, counts, strict=True) if count >= rows_min)


def members(
    rows: LearningRows, cohorts: tuple[str, ...], rows_min: int, profile: str
) -> Iterator[tuple[int, str | None, Floats]]:
    """Member, its cohort (null is the fleet) and its training vectors: those of the cohort's devices and no others.

    Raises:
        NotEnoughTrainingRowsError: not even the whole fleet has enough rows.
    """
    if len(rows.train) < rows_min:
        raise NotEnoughTrainingRowsError(profile, len(rows.train), rows_min)
    yield FLEET, None, rows.train.vectors
    for place, cohort in enumerate(cohorts, start=1):
        yield place, cohort, rows.train.vectors[rows.train.cohorts == cohort]
