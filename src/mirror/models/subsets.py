"""Evaluation subsets: parts of scored rows, judged by themselves because a mean hides a part that got worse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

FEW = 12
"""Numbers with at most so many different values are names; others are cut into quarters."""


def subsets(frame: pd.DataFrame, column: str, min_rows: int = 100) -> Iterator[tuple[str, pd.DataFrame]]:
    """Name and rows of each subset by ``column``, in the order of its values; smaller ones are left out.

    Nulls are a subset of their own. Numbers of many values give quarters by rank of value, equal values together.
    """
    import pandas as pd

    values = frame[column]
    if pd.api.types.is_float_dtype(values) and values.nunique() > FEW:
        edges = np.unique(np.nanquantile(values.to_numpy("float64"), [0.25, 0.5, 0.75]))
        quarter = 1 + np.searchsorted(edges, values.to_numpy("float64"), side="left")
        values = pd.Series([f"quarter {n}" for n in quarter], index=values.index).where(values.notna(), None)
    for value, rows in frame.groupby(values, dropna=False, sort=True):
        if len(rows) >= min_rows:
            yield f"{column} {value}", rows
