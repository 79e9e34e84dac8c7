"""Whether a drift baseline is what its recorded transactions give: computed again by the guest, compared byte by byte.

The guest is discovered: a module ``<package>.monitoring.baselines`` with ``recomputed(dataset, read, recorded)``, where
``read(path, transaction)`` gives the rows of a dataset as they were then and ``recorded`` is one stored row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from mirror.builds.discovery import import_from
from mirror.datasets.errors import TransactionNotFoundError, TransactionSweptError
from mirror.health.errors import NoBaselineReaderError
from mirror.health.rows import read_columns, readable

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from mirror.datasets import Dataset, Workspace

DATASET = "drift_baselines"
LENGTH = "window_duration_minutes"
VERSION = ("model_id", "model_version", LENGTH, "snapshot_id", "registry_snapshot_id")
KEY = ("slice_name", "slice_value", "feature_name")


@dataclass(frozen=True)
class Verified:
    """What came of one baseline.

    Attributes:
        minutes: length of the windows it describes.
        state: ``same``, ``different``, or ``gone`` when it cannot be computed again.
        detail: what differs, or why it cannot be computed.
    """

    dataset: str
    model: str
    minutes: int
    snapshot_id: str
    rows: int
    state: str
    detail: str


def verify_baselines(workspace: Workspace, branch: str, spark: SparkSession, under: str = "") -> list[Verified]:
    """Every baseline of every dataset called ``drift_baselines`` below ``under``.

    Raises NoBaselineReaderError where the repository cannot compute one, PipelineImportError.
    """
    found = [d for d in workspace.store.datasets() if d.name == DATASET and d.path.startswith(under)]
    if not found:
        return []
    recompute = _recompute(workspace)
    return [one for dataset in found for one in _verified(workspace, dataset, branch, spark, recompute)]


def _recompute(workspace: Workspace) -> Any:
    root = workspace.config.source_root
    modules = [path for path in root.glob("*/monitoring/baselines.py") if path.is_file()]
    if len(modules) != 1:
        raise NoBaselineReaderError(str(root))
    package = modules[0].parent.parent.name
    made = getattr(import_from(root, f"{package}.monitoring.baselines"), "recomputed", None)
    if made is None:
        raise NoBaselineReaderError(str(modules[0]))
    return made


def _verified(
    workspace: Workspace, dataset: Dataset, branch: str, spark: SparkSession, recompute: Any
) -> Iterator[Verified]:
    store = workspace.store
    if store.resolve_branch(dataset, branch) is None:
        return
    view = store.view(dataset, branch)
    if not readable(view):
        return
    stored = read_columns(view)

    def read(path: str, transaction: str | None) -> DataFrame:
        try:
            return store.read(spark, store.view(store.dataset(path), branch, at=transaction))
        except (TransactionNotFoundError, TransactionSweptError) as error:
            raise LookupError(str(error)) from error

    for recorded, rows in versions(stored):
        told = (
            dataset.path,
            f"{recorded['model_id']} {recorded['model_version']}",
            int(recorded[LENGTH]),
            recorded["snapshot_id"],
            rows.num_rows,
        )
        try:
            again = recompute(dataset.path, read, recorded)
        except (LookupError, ValueError) as error:
            # the guest's own errors about what it cannot read or choose again
            yield Verified(*told, "gone", str(error))
            continue
        differs = difference(rows, pa.Table.from_pandas(again, schema=rows.schema, preserve_index=False))
        yield Verified(*told, "different" if differs else "same", differs or f"{rows.num_rows} rows, byte for byte")


def versions(stored: pa.Table) -> Iterator[tuple[Mapping[str, Any], pa.Table]]:
    """The rows of each baseline, with its version, window length and transactions."""
    keys = stored.select(VERSION).group_by(VERSION).aggregate([]).to_pylist()
    for recorded in sorted(keys, key=lambda key: [str(key[name]) for name in VERSION]):
        mask = pa.array([all(row[n] == recorded[n] for n in VERSION) for row in stored.select(VERSION).to_pylist()])
        yield recorded, stored.filter(mask)


def difference(stored: pa.Table, again: pa.Table) -> str:
    """Empty when both tables are the same bytes in the order of :data:`KEY`; otherwise the first place that differs."""
    one, other = (canonical(table) for table in (stored, again))
    if one == other:
        return ""
    left, right = (table.sort_by([(name, "ascending") for name in KEY]).to_pylist() for table in (stored, again))
    if len(left) != len(right):
        return f"{len(left)} rows are stored, {len(right)} came out"
    for a, b in zip(left, right, strict=True):
        for name, value in a.items():
            if value != b[name]:
                place = " ".join(str(a[key]) for key in KEY)
                return f"{place}: {name} is {value!r}, came out {b[name]!r}"
    return "the same values in other bytes"


def canonical(table: pa.Table) -> bytes:
    """The rows in the order of :data:`KEY` as one Arrow batch, without what a writer adds to the schema."""
    ordered = table.sort_by([(name, "ascending") for name in KEY]).combine_chunks().replace_schema_metadata(None)
    plain = pa.Table.from_pylist(ordered.to_pylist(), schema=ordered.schema.remove_metadata())
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, plain.schema) as writer:
        writer.write_table(plain)
    return bytes(sink.getvalue())
