"""What a fitted isolation forest says, to the last bit as scikit-learn says it, for less of the time.

``IsolationForest.score_samples`` looks up two numbers per row and tree and adds them; here their sum is looked up,
which was made once. It checks every tree in every call, which is most of the time that a single row takes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Isolation:
    """``forest`` is a fitted ``IsolationForest`` that looks at every feature in every tree, as ours do."""

    def __init__(self, forest: Any) -> None:
        from sklearn.ensemble._iforest import _average_path_length  # slow to import, and discovery imports this module

        self.trees = [one.tree_ for one in forest.estimators_]
        self.depths = [
            tree.compute_node_depths() + _average_path_length(tree.n_node_samples) - 1.0 for tree in self.trees
        ]
        self.expected = len(self.trees) * float(_average_path_length([forest.max_samples_])[0])
        self.offset = float(forest.offset_)

    def raw(self, vectors: NDArray[Any]) -> Floats:
        """``-forest.decision_function(vectors)``: larger where rows are isolated early.

        Raises:
            ValueError: a value is missing, infinite or beyond single precision, in which trees compare.
        """
        from sklearn.utils import check_array  # slow to import, and discovery imports this module

        with np.errstate(over="ignore"):  # becomes infinite, and is refused as that
            rows = check_array(vectors, dtype=np.float32, order="C")
        depth = np.zeros(len(rows))
        for tree, depths in zip(self.trees, self.depths, strict=True):
            depth += depths.take(tree.apply(rows))
        # one sampled row isolates nothing, and everything alike
        share = depth / self.expected if self.expected else np.ones(len(rows))
        found: Floats = -(-(2.0**-share) - self.offset)
        return found
