"""An isolation forest as arrays and back: the trees, field by field, without the padding between the fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model_adapters.arrays import Arrays, ArraysSerializer
from palantir_models.serializers import ModelSerializer

if TYPE_CHECKING:
    from palantir_models.state import ModelStateReader, ModelStateWriter


def forest_arrays(forest: Any) -> Arrays:
    """What decides the scores of a fitted forest: node fields of all trees one after the other, and their sizes."""
    trees = [tree.tree_ for tree in forest.estimators_]
    states = [tree.__getstate__() for tree in trees]
    fields = states[0]["nodes"].dtype.names
    return {
        **{f"node_{name}": np.concatenate([state["nodes"][name] for state in states]) for name in fields},
        "values": np.concatenate([state["values"] for state in states]),
        "sizes": np.asarray([len(state["nodes"]) for state in states], dtype="int64"),
        "depths": np.asarray([state["max_depth"] for state in states], dtype="int64"),
        "offset": np.asarray([forest.offset_], dtype="float64"),
        "samples": np.asarray([forest.max_samples_, forest.n_features_in_], dtype="int64"),
    }


def forest_of(arrays: Arrays) -> Any:
    """The forest again; it scores to the last bit as the one that was taken apart."""
    from sklearn.ensemble import IsolationForest  # slow to import, and discovery imports this module
    from sklearn.ensemble._iforest import _average_path_length  # slow to import, and discovery imports this module
    from sklearn.tree import ExtraTreeRegressor  # slow to import, and discovery imports this module
    from sklearn.tree._tree import NODE_DTYPE, Tree  # slow to import, and discovery imports this module

    samples, features = (int(one) for one in arrays["samples"])
    trees: list[Any] = []
    end = 0
    for size, depth in zip(arrays["sizes"].tolist(), arrays["depths"].tolist(), strict=True):
        start, end = end, end + size
        nodes: NDArray[Any] = np.zeros(size, dtype=NODE_DTYPE)
        for name in NODE_DTYPE.names:
            nodes[name] = arrays[f"node_{name}"][start:end]
        tree = Tree(features, np.ones(1, dtype=np.intp), 1)
        values = np.ascontiguousarray(arrays["values"][start:end])
        tree.__setstate__({"max_depth": depth, "node_count": size, "nodes": nodes, "values": values})
        one = ExtraTreeRegressor(max_features=1, splitter="random")
        one.tree_, one.n_features_in_, one.n_outputs_, one.max_features_ = tree, features, 1, 1
        trees.append(one)
    forest = IsolationForest(n_estimators=len(trees), max_samples=samples, n_jobs=1)
    forest.estimators_, forest.n_features_in_, forest.max_samples_ = trees, features, samples
    forest.estimators_features_ = [np.arange(features)] * len(trees)
    forest._max_features, forest._max_samples = features, samples
    forest._average_path_length_per_tree = [_average_path_length(one.tree_.n_node_samples) for one in trees]
    forest._decision_path_lengths = [one.tree_.compute_node_depths() for one in trees]
    forest.offset_ = float(arrays["offset"][0])
    return forest


class ForestSerializer(ModelSerializer[Any]):
    """A fitted ``IsolationForest``. The same forest gives the same bytes, in another process and on another machine."""

    def serialize(self, writer: ModelStateWriter, obj: Any) -> None:
        ArraysSerializer().serialize(writer, forest_arrays(obj))

    def deserialize(self, reader: ModelStateReader) -> Any:
        return forest_of(ArraysSerializer().deserialize(reader))
