"""Backfills: what the repository declares can be computed again in chunks of days, beside the live dataset.

The repository says which dataset, from which input, in which chunks and how; here is what it cannot know: transactions,
what is done already, and that the rows of one backfill come from one input as it was and from one set of formulas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import sqlalchemy as sa

from mirror.builds.discovery import import_from
from mirror.builds.errors import ForeignDatasetError, NothingToBackfillError, OtherFormulasError
from mirror.builds.tables import backfill_chunks
from mirror.datasets import Dataset, TransactionType, View, Workspace
from mirror.datasets.errors import BranchNotFoundError, NoViewError
from mirror.datasets.output_port import DatasetWritePort
from mirror.datasets.ports import whole_input
from transforms.api import IncrementalTransformInput
from transforms.ports import WriteOptions

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SUFFIX = "_backfill"


class DeclaredChunk(Protocol):
    """UTC days, both included."""

    @property
    def first(self) -> date: ...

    @property
    def last(self) -> date: ...


class DeclaredPlan(Protocol):
    """Chunks in the order in which they are computed, and the number of the formulas."""

    @property
    def chunks(self) -> Sequence[DeclaredChunk]: ...

    @property
    def formula_version(self) -> int: ...


class DeclaredBackfill(Protocol):
    """One of the entries of ``BACKFILLS`` in ``<package>/feature_store/backfills.py``."""

    @property
    def source(self) -> str: ...

    @property
    def target(self) -> str: ...

    def plan(self, first: date, last: date) -> DeclaredPlan: ...

    def begin(self, session: SparkSession, source: IncrementalTransformInput) -> Callable[[Any], DataFrame]: ...

    def missing_days(self, rows: DataFrame, first: date, last: date) -> tuple[date, ...]: ...


@dataclass(frozen=True)
class BackfillPlan:
    """What a run would do.

    Attributes:
        into: the dataset beside the live one.
        input: the transaction up to which the source is read, by this run and by every later one of the same backfill.
        done: which of ``chunks`` are committed already.
    """

    declared: DeclaredBackfill
    into: str
    branch: str
    first: date
    last: date
    input: str
    chunks: tuple[DeclaredChunk, ...]
    done: frozenset[date]
    formula_version: int

    @property
    def left(self) -> tuple[DeclaredChunk, ...]:
        """The chunks that are still to do."""
        return tuple(chunk for chunk in self.chunks if chunk.first not in self.done)


def declared_backfills(source_root: Path) -> tuple[DeclaredBackfill, ...]:
    """Empty where the repository declares none. Raises PipelineImportError, PackageNameError."""
    files = sorted(source_root.glob("*/feature_store/backfills.py"))
    found: list[DeclaredBackfill] = []
    for file in files:
        module = import_from(source_root, f"{file.parent.parent.name}.feature_store.backfills")
        found += getattr(module, "BACKFILLS", ())
    return tuple(found)


def plan_backfill(
    workspace: Workspace, target: str, first: date, last: date, branch: str, *, restart: bool = False
) -> BackfillPlan:
    """Decides what is left to do.

    Args:
        target: dataset to compute again, by path or by its own ending.
        first: first UTC day.
        last: last UTC day, included.
        branch: of source and result; the source is read from it alone.
        restart: forgets what an earlier run has done.

    Raises NothingToBackfillError, OtherFormulasError, ForeignDatasetError, NoViewError, and what the repository's own
    plan raises.
    """
    declared = _declared(workspace, target)
    planned = declared.plan(first, last)
    into = declared.target + SUFFIX
    workspace.catalog.ensure(backfill_chunks)
    where = (backfill_chunks.c.dataset == into) & (backfill_chunks.c.branch == branch)
    with workspace.catalog.reading() as connection:
        rows = [] if restart else list(connection.execute(sa.select(backfill_chunks).where(where)).mappings())
    _refuse_foreign(workspace, into, branch, rows, restart)
    versions = {int(row["formula_version"]) for row in rows}
    if versions - {planned.formula_version}:
        raise OtherFormulasError(into, min(versions - {planned.formula_version}), planned.formula_version)
    ranges = {(row["range_first"], row["range_last"]) for row in rows}
    if ranges - {(first.isoformat(), last.isoformat())}:
        raise ForeignDatasetError(into, branch, "it holds the days " + " to ".join(min(ranges)))
    done = frozenset(date.fromisoformat(row["first"]) for row in rows)
    read = rows[0]["input"] if rows else workspace.store.view(workspace.store.dataset(declared.source), branch).end_rid
    if read is None:
        raise NoViewError(declared.source, branch)
    return BackfillPlan(declared, into, branch, first, last, read, tuple(planned.chunks), done, planned.formula_version)


def run_backfill(
    workspace: Workspace,
    plan: BackfillPlan,
    spark: SparkSession,
    advance: Callable[[DeclaredChunk, int], None] = lambda chunk, rows: None,
) -> tuple[date, ...]:
    """Computes what is left, one transaction per chunk; what is committed survives whatever ends this process.

    Args:
        plan: from :func:`plan_backfill`, made in this process.
        spark: the session.
        advance: told of every chunk that is committed, with its rows.

    Returns:
        days of the range on which no window starts.
    """
    store, declared = workspace.store, plan.declared
    source = store.view(store.dataset(declared.source), plan.branch, at=plan.input)
    with workspace.lock(plan.branch):
        store.abort_abandoned()
        dataset = store.create(plan.into, exist_ok=True)
        pinned = IncrementalTransformInput(whole_input(source, store.storage), spark)
        rows_of = declared.begin(spark, pinned) if plan.left else None
        for chunk in plan.left:
            assert rows_of is not None  # noqa: S101 - there is something left
            advance(chunk, _write(workspace, plan, dataset, chunk, rows_of(chunk)))
        written = store.view(dataset, plan.branch)
        rows = whole_input(written, store.storage).dataframe(spark)
        return declared.missing_days(rows, plan.first, plan.last)


def _write(workspace: Workspace, plan: BackfillPlan, dataset: Dataset, chunk: DeclaredChunk, rows: DataFrame) -> int:
    begins = not plan.done and chunk is plan.chunks[0]
    kind = TransactionType.SNAPSHOT if begins else TransactionType.APPEND
    opened = workspace.store.open_transaction(dataset, plan.branch, kind)
    try:
        port = DatasetWritePort(opened)
        port.write_dataframe(rows, WriteOptions())
        entry = {
            "dataset": plan.into,
            "branch": plan.branch,
            "first": chunk.first.isoformat(),
            "last": chunk.last.isoformat(),
            "range_first": plan.first.isoformat(),
            "range_last": plan.last.isoformat(),
            "input": plan.input,
            "formula_version": str(plan.formula_version),
            "transaction": opened.rid,
        }

        def note(connection: sa.Connection) -> None:
            if begins:
                table = backfill_chunks
                mine = (table.c.dataset == plan.into) & (table.c.branch == plan.branch)
                connection.execute(table.delete().where(mine))
            connection.execute(backfill_chunks.insert().values(entry))

        written = sum(file.rows or 0 for file in opened.staged())
        opened.commit(note)
        return written
    except BaseException:
        opened.abort()
        raise


def _declared(workspace: Workspace, target: str) -> DeclaredBackfill:
    known = declared_backfills(workspace.guest.source_root)
    matching = [one for one in known if target == one.target or one.target.endswith("/" + target.lstrip("/"))]
    if len(matching) != 1:
        raise NothingToBackfillError(target, tuple(one.target for one in known))
    return matching[0]


def _refuse_foreign(workspace: Workspace, into: str, branch: str, rows: Sequence[Any], restart: bool) -> None:
    """What somebody else wrote is not overwritten, nor gone on with where a transaction of ours is no longer there."""
    view = _view(workspace, into, branch)
    held = {transaction.rid for transaction in view.transactions} if view is not None else set()
    ours = {row["transaction"] for row in rows}
    if not restart and held != ours:
        raise ForeignDatasetError(into, branch, "it does not hold exactly what a backfill wrote")


def _view(workspace: Workspace, path: str, branch: str) -> View | None:
    for dataset in _named(workspace, path):
        try:
            return workspace.store.view(dataset, branch)
        except BranchNotFoundError:
            return None
    return None


def _named(workspace: Workspace, path: str) -> Iterator[Dataset]:
    return (dataset for dataset in workspace.store.datasets() if dataset.path == path)
