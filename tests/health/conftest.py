"""A workspace on disk whose datasets are committed through the real store, without Spark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mirror.datasets import StoredSchema, TransactionType, Workspace
from mirror.datasets.schema import fields_of_parquet

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
Commit = Callable[..., None]


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workspace(tmp_path: Path, clock: Clock) -> Iterator[Workspace]:
    with Workspace.create(tmp_path / "ws", repository=tmp_path, clock=clock) as made:
        yield made


@pytest.fixture
def commit(workspace: Workspace, tmp_path: Path) -> Commit:
    """``commit(path, rows, type="APPEND", branch="master", schema=None, abort=False)`` as one Parquet file."""
    count = iter(range(1000))

    def write(
        path: str,
        rows: list[dict],
        kind: str = "APPEND",
        branch: str = "master",
        schema: pa.Schema | None = None,
        abort: bool = False,
    ) -> None:
        file = tmp_path / f"{next(count)}.parquet"
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), file)
        dataset = workspace.store.create(path, exist_ok=True)
        opened = workspace.store.open_transaction(dataset, branch, TransactionType(kind))
        opened.add(file, file.name)
        opened.schema = StoredSchema("parquet", fields_of_parquet(file)[0])
        opened.abort() if abort else opened.commit()

    return write
