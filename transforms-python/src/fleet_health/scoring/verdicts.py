"""A batch of vectors to a batch of verdicts: Arrow in, NumPy within, Arrow out; no row becomes a Python object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.sql import types as T

from fleet_health.ids import natural_key_ids
from fleet_health.model_input.errors import NotANumberError
from fleet_health.model_input.released import version_of
from fleet_health.model_input.vectors import refuse_other_features, refuse_other_version
from fleet_health.scoring.errors import AdapterShapeError, NotAScoreError, VectorLengthError

Floats = NDArray[np.float64]
TOP = 5

BLOCK_ROWS = 50_000
"""Rows per call of the model. Trees are entered one after the other, so small calls cost (1.25 times as much CPU at
10,000 rows as at 100,000, 1.05 times at 50,000); large ones need memory: 50,000 vectors of 45 features are 18 MB.
"""

_INSTANTS = ("window_start", "window_end")

VERDICT = (
    T.StructField("score_id", T.StringType()),
    T.StructField("anomaly_score", T.DoubleType()),
    T.StructField("top_contributors", T.ArrayType(T.StringType())),
    T.StructField("contributor_scores", T.ArrayType(T.DoubleType())),
)


class VectorModel(Protocol):
    """What scoring needs of a loaded model of any family; see ``model_adapters``."""

    constants: Any

    def scores(self, vectors: Floats, cohorts: NDArray[Any] | None = None) -> Floats:
        """0..1 for each complete vector, of that vector alone."""

    def distances(self, vectors: Floats, cohorts: NDArray[Any] | None = None) -> Floats | None:
        """How far each value is from normal, never negative; ``None`` where the family cannot tell."""


def blocks(batches: Iterable[pa.RecordBatch], rows: int = BLOCK_ROWS) -> Iterator[pa.Table]:
    """The batches in their order, put together until there are ``rows``; empty ones are left out."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        if batch.num_rows:
            held.append(batch)
        if sum(one.num_rows for one in held) >= rows:
            yield pa.Table.from_batches(held).combine_chunks()
            held = []
    if held:
        yield pa.Table.from_batches(held).combine_chunks()


def verdicts(block: pa.Table, model: VectorModel, carried: Sequence[str]) -> pa.RecordBatch:
    """The verdict of every row.

    Args:
        block: one chunk with ``device_id``, ``window_start``, ``window_end``, ``cohort_id``, ``feature_vector``, and
            ``other_features`` and ``other_version``: what the row says of itself where that is not what the model says,
            else null.
        model: the released version.
        carried: columns that go through unchanged.

    Returns:
        ``carried``, then the columns of :data:`VERDICT`: ``score_id``, which names window and version; up to five
        contributors, the strongest first, those that deviate alone, at equal strength in the order of the vector; null
        when nothing does or the family cannot tell.

    Raises:
        OtherFeaturesError, WrongVersionError, NotANumberError, VectorLengthError, AdapterShapeError, NotAScoreError.
    """
    constants = model.constants
    names = [str(name) for name in constants["feature_names"]]
    for told in block["other_features"].drop_null().to_pylist()[:1]:
        refuse_other_features(str(constants["model_id"]), names, told)
    for told in block["other_version"].drop_null().to_pylist()[:1]:
        refuse_other_version(str(constants["model_id"]), str(constants["model_version"]), str(told))
    vectors = _matrix(block, names, version_of(model))
    cohorts = block["cohort_id"].to_numpy() if constants["granularity"] == "cohort" else None
    try:
        scores, distances = model.scores(vectors, cohorts), model.distances(vectors, cohorts)
    except (AttributeError, TypeError) as error:
        raise AdapterShapeError(version_of(model), f"it cannot be asked for scores and distances ({error})") from error
    if scores.shape != (len(vectors),) or (distances is not None and distances.shape != vectors.shape):
        raise AdapterShapeError(version_of(model), f"it was asked about {len(vectors)} rows and answers for others")
    odd = np.flatnonzero(~np.isfinite(scores))
    if len(odd):
        first = block.slice(int(odd[0]), 1).to_pylist()[0]
        raise NotAScoreError(version_of(model), str(first["device_id"]), f"{first['window_end']:%Y-%m-%d %H:%M}")
    arrays = [block[name].combine_chunks() for name in carried]
    told_names, strengths = _strongest(distances, names, len(vectors))
    return pa.RecordBatch.from_arrays(
        [*arrays, _ids(block, constants), pa.array(scores), told_names, strengths],
        [*carried, *(field.name for field in VERDICT)],
    )


def _ids(block: pa.Table, constants: Any) -> pa.Array:
    instants = [block[name].chunk(0).cast(pa.timestamp("us", "UTC")).cast(pa.int64()) for name in _INSTANTS]
    version = [str(constants[name]) for name in ("model_id", "model_version", "granularity")]
    return natural_key_ids("score", block["device_id"].chunk(0), *instants, *version)


def _matrix(block: pa.Table, names: Sequence[str], version: str) -> Floats:
    """The vectors as Arrow holds them, without a copy."""
    lists = block["feature_vector"].chunk(0)
    lengths = pc.unique(pc.list_value_length(lists)).to_pylist()
    other = [length for length in lengths if length != len(names)]
    if other:
        raise VectorLengthError(version, len(names), other[0] or 0)
    matrix: Floats = np.asarray(lists.flatten()).reshape(block.num_rows, len(names))
    if not np.isfinite(matrix).all():
        row, place = (int(axis[0]) for axis in np.nonzero(~np.isfinite(matrix)))
        raise NotANumberError(str(block["device_id"][row].as_py()), names[place])
    return matrix


def _strongest(distances: Floats | None, names: Sequence[str], rows: int) -> tuple[pa.Array, pa.Array]:
    """The largest distances of each row: five times the largest of what is left is half the cost of a sort."""
    if distances is None:
        return pa.nulls(rows, pa.list_(pa.string())), pa.nulls(rows, pa.list_(pa.float64()))
    width = min(TOP, len(names))
    left, row = np.array(distances), np.arange(rows)
    places, strengths = np.empty((rows, width), dtype=np.int64), np.empty((rows, width))
    for rank in range(width):
        place = left.argmax(axis=1)
        places[:, rank], strengths[:, rank] = place, left[row, place]
        left[row, place] = -1.0
    kept = strengths > 0.0
    counts = kept.sum(axis=1)
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
    silent = pa.array(counts == 0)
    told = pa.array(list(names), pa.string()).take(pa.array(places[kept]))
    return (
        pa.ListArray.from_arrays(offsets, told, mask=silent),
        pa.ListArray.from_arrays(offsets, pa.array(strengths[kept]), mask=silent),
    )
