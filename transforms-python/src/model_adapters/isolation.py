"""What a fitted isolation forest says, the same bits on every machine, in less time than scikit-learn takes to say it.

``IsolationForest.score_samples`` looks up two numbers per row and tree and adds them; here their sum is looked up,
which was made once. It checks every tree in every call, which is most of the time that a single row takes. And it
takes powers and logarithms with whatever vector unit the processor has, which differ in the last bit. Here sums,
products and quotients alone decide, which IEEE 754 rounds the same everywhere.
"""

from __future__ import annotations

import math
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_TERMS = [float(Decimal(2).ln() ** n / math.factorial(n)) for n in range(14)]
"""Of the series of 2 to the x: below 0.5 either way the next one is under a thirtieth of the last bit."""


class Isolation:
    """``forest`` is a fitted ``IsolationForest`` that looks at every feature in every tree, as ours do."""

    def __init__(self, forest: Any) -> None:
        self.trees = [one.tree_ for one in forest.estimators_]
        self.depths = [tree.compute_node_depths() + _expected(tree.n_node_samples) - 1.0 for tree in self.trees]
        self.deepest = len(self.trees) * expected_depth(int(forest.max_samples_))
        self.offset = float(forest.offset_)

    def raw(self, rows: NDArray[np.float32]) -> Floats:
        """``-forest.decision_function(rows)``: larger where rows are isolated early.

        ``rows`` are finite and in single precision (:func:`single`), because that is how trees compare.
        """
        depth = np.zeros(len(rows))
        for tree, depths in zip(self.trees, self.depths, strict=True):
            depth += depths.take(tree.apply(rows))
        # trees of one row isolate nothing, so that every row is alike
        share = depth / self.deepest if self.deepest else np.ones(len(rows))
        found: Floats = power_of_two(-share) + self.offset
        return found


def single(vectors: NDArray[Any]) -> NDArray[np.float32]:
    """In single precision, row by row in memory; what is too large for it becomes infinite."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(vectors, dtype=np.float32)


def power_of_two(exponents: Floats) -> Floats:
    """2 to each exponent, to the last bit or its neighbour, and to the same bit everywhere."""
    whole = np.rint(exponents)
    rest = exponents - whole
    found = np.full(len(exponents), _TERMS[-1])
    for term in _TERMS[-2::-1]:
        found *= rest
        found += term
    return np.ldexp(found, whole.astype(np.int32))


@cache
def expected_depth(rows: int) -> float:
    """How deep a tree of random splits goes on average until it has isolated one of so many rows."""
    if rows <= 2:
        return float(rows == 2)
    return 2.0 * (float(Decimal(rows - 1).ln()) + np.euler_gamma) - 2.0 * (rows - 1.0) / rows


def _expected(rows: NDArray[Any]) -> Floats:
    numbers, places = np.unique(rows, return_inverse=True)
    return np.array([expected_depth(int(number)) for number in numbers])[places]
