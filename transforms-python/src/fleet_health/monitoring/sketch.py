"""Histograms of many features at once that can be added up: made in Arrow batches, merged, never as large as the rows.

A batch is sorted column by column, which is quicker than looking up the bin of each value, and cut at the edges. What a
partition hands on are counts and moments, so memory depends on features, bins and groups and not on rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

Array = NDArray[Any]
MOMENTS = 5
"""Per feature: values, sum and sum of squares about an origin, smallest, largest."""
_STATE = "rows long, counts binary, moments binary"


@dataclass(frozen=True)
class Layout:
    """Where each feature's bins lie in the flat array of counts.

    Attributes:
        names: the features, in order.
        edges: per feature the inner edges, rising; there is one bin more than edges.
        origins: what is subtracted before squaring, or squares of large values eat small deviations.
    """

    names: tuple[str, ...]
    edges: tuple[Array, ...]
    origins: tuple[float, ...]
    starts: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        sizes = [0, *(len(edges) + 1 for edges in self.edges)]
        object.__setattr__(self, "starts", tuple(int(n) for n in np.cumsum(sizes)))

    @property
    def size(self) -> int:
        return self.starts[-1]


@dataclass
class Sketch:
    """Counts and moments of one group of rows; :meth:`add` merges another one in."""

    layout: Layout
    rows: int
    counts: Array
    moments: Array

    @classmethod
    def empty(cls, layout: Layout) -> Sketch:
        moments = np.zeros((len(layout.names), MOMENTS))
        moments[:, 3], moments[:, 4] = np.inf, -np.inf
        return cls(layout, 0, np.zeros(layout.size, dtype=np.int64), moments)

    def add(self, other: Sketch) -> None:
        self.rows += other.rows
        self.counts += other.counts
        self.moments[:, :3] += other.moments[:, :3]
        np.minimum(self.moments[:, 3], other.moments[:, 3], out=self.moments[:, 3])
        np.maximum(self.moments[:, 4], other.moments[:, 4], out=self.moments[:, 4])

    def add_values(self, values: Array) -> None:
        """Adds rows: one line of ``values`` per feature, NaN for null. The array is sorted in place."""
        values.sort(axis=1)  # NaN goes to the end
        present = values.shape[1] - np.isnan(values).sum(axis=1)
        self.rows += values.shape[1]
        for place, (edges, start, origin) in enumerate(
            zip(self.layout.edges, self.layout.starts, self.layout.origins, strict=False)
        ):
            n = int(present[place])
            if not n:
                continue
            line = values[place, :n]
            cuts = np.searchsorted(line, edges, side="left")
            part = self.counts[start : start + len(edges) + 1]
            part[:-1] += cuts
            part[1:] -= cuts
            part[-1] += n
            about = line - origin
            told = self.moments[place]
            told[0] += n
            told[1] += about.sum()
            told[2] += np.dot(about, about)
            told[3], told[4] = min(told[3], line[0]), max(told[4], line[-1])

    def of(self, place: int) -> Array:
        """Counts per bin of one feature."""
        return self.counts[self.layout.starts[place] : self.layout.starts[place + 1]]

    def present(self, place: int) -> int:
        return int(self.moments[place, 0])

    def nulls(self, place: int) -> int:
        return self.rows - self.present(place)

    def mean(self, place: int) -> float | None:
        n = self.moments[place, 0]
        return float(self.layout.origins[place] + self.moments[place, 1] / n) if n else None

    def deviation(self, place: int) -> float | None:
        """Sample deviation; null below two values, zero of equal ones, whatever rounding leaves of their squares."""
        n, total, squares, low, high = self.moments[place]
        if n > 1 and low == high:
            return 0.0
        return float(np.sqrt(max(squares - total * total / n, 0.0) / (n - 1.0))) if n > 1 else None

    def extremes(self, place: int) -> tuple[float, float]:
        return float(self.moments[place, 3]), float(self.moments[place, 4])


Key = tuple[Any, ...]
Layouts = Layout | Mapping[Any, Layout]


def sketches(rows: DataFrame, layout: Layouts, keys: Sequence[str]) -> dict[Key, Sketch]:
    """One sketch per group of ``keys``, in one pass over ``rows``.

    Args:
        rows: the features as doubles and the keys (strings or whole numbers, may be null).
        layout: features and bins; several of the same features, by value of the first key, where bins depend on it.
        keys: few groups at a time are held; their number, not that of the rows, decides about memory.
    """
    typed = [f"{field.name} {field.dataType.simpleString()}" for field in rows.schema if field.name in keys]
    names = layout.names if isinstance(layout, Layout) else next(iter(layout.values())).names
    ordered = rows.select(*keys, *(F.col(name).cast("double") for name in names))
    schema = ", ".join([*sorted(typed, key=lambda one: list(keys).index(one.split()[0])), _STATE])
    partials = ordered.mapInArrow(_counting(layout, names, tuple(keys)), schema)
    if keys:
        merged = partials.groupBy(*keys).applyInPandas(_merging(layout, tuple(keys)), schema)
    else:
        merged = partials.groupBy().applyInPandas(_merging(layout, ()), schema)
    # one row per group: counts and moments, whatever the number of rows behind them
    found = [(tuple(row[key] for key in keys), row) for row in merged.collect()]
    return {key: _read(row, _layout(layout, key)) for key, row in found}


def _layout(layout: Layouts, key: Key) -> Layout:
    return layout if isinstance(layout, Layout) else layout[key[0]]


def _read(row: Any, layout: Layout) -> Sketch:
    counts = np.frombuffer(row["counts"], dtype=np.int64).copy()
    moments = np.frombuffer(row["moments"], dtype=np.float64).reshape(len(layout.names), MOMENTS).copy()
    return Sketch(layout, int(row["rows"]), counts, moments)


def _counting(
    layout: Layouts, names: tuple[str, ...], keys: tuple[str, ...]
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def count(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        found: dict[Key, Sketch] = {}
        types: list[pa.DataType] = []
        for batch in batches:
            types = [column.type for column in batch.columns[: len(keys)]]
            values = np.empty((len(names), batch.num_rows))
            for place, column in enumerate(batch.columns[len(keys) :]):
                values[place] = column.to_numpy(zero_copy_only=False)
            for key, part in _split(values, batch.columns[: len(keys)]):
                found.setdefault(key, Sketch.empty(_layout(layout, key))).add_values(part)
        if found:
            yield _written(found, keys, types)

    return count


def _split(values: Array, columns: Sequence[pa.Array]) -> Iterator[tuple[Key, Array]]:
    """The lines of each group that the batch holds."""
    if not columns:
        yield (), values
        return
    codes = np.zeros(values.shape[1], dtype=np.int64)
    words: list[list[Any]] = []
    for column in columns:
        encoded = column.dictionary_encode(null_encoding="encode")
        words.append(encoded.dictionary.to_pylist())
        codes = codes * len(words[-1]) + encoded.indices.to_numpy(zero_copy_only=False)
    order = np.argsort(codes, kind="stable")
    present, firsts = np.unique(codes[order], return_index=True)
    if len(present) == 1:
        yield _key(int(present[0]), words), values
        return
    ordered = values[:, order]
    for code, first, last in zip(present, firsts, [*firsts[1:], len(order)], strict=True):
        yield _key(int(code), words), np.ascontiguousarray(ordered[:, first:last])


def _key(code: int, words: Sequence[Sequence[Any]]) -> Key:
    found: list[Any] = []
    for known in reversed(words):
        code, place = divmod(code, len(known))
        found.append(known[place])
    return tuple(reversed(found))


def _written(found: Mapping[Key, Sketch], keys: Sequence[str], types: Sequence[pa.DataType]) -> pa.RecordBatch:
    columns = [pa.array([key[place] for key in found], type=kind) for place, kind in enumerate(types)]
    columns.append(pa.array([one.rows for one in found.values()], type=pa.int64()))
    columns += [
        pa.array([one.counts.tobytes() for one in found.values()], type=pa.binary()),
        pa.array([one.moments.tobytes() for one in found.values()], type=pa.binary()),
    ]
    return pa.RecordBatch.from_arrays(columns, names=[*keys, "rows", "counts", "moments"])


def _merging(layout: Layouts, keys: tuple[str, ...]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def merge(partials: pd.DataFrame) -> pd.DataFrame:
        own = _layout(layout, tuple(partials[key].iloc[0] for key in keys))
        whole = Sketch.empty(own)
        for row in partials.to_dict("records"):
            whole.add(_read(row, own))
        made = {key: [partials[key].iloc[0]] for key in keys}
        made |= {"rows": [whole.rows], "counts": [whole.counts.tobytes()], "moments": [whole.moments.tobytes()]}
        return pd.DataFrame(made)

    return merge
