"""An empty workspace with a clock that moves one second per look."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mirror.datasets import Dataset, DatasetStore, Transaction, TransactionType, Workspace

Put = Callable[..., Transaction]


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace whose repository holds nothing."""
    ticks = itertools.count()

    def clock() -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=next(ticks))

    with Workspace.create(tmp_path / ".mirror", repository=tmp_path, clock=clock) as made:
        yield made


@pytest.fixture
def store(workspace: Workspace) -> DatasetStore:
    """Its store."""
    return workspace.store


@pytest.fixture
def dataset(store: DatasetStore) -> Dataset:
    """An empty dataset."""
    return store.create("/Fleet/raw/readings")


@pytest.fixture
def put(store: DatasetStore, dataset: Dataset, tmp_path: Path) -> Put:
    """``put("APPEND", {"A": "text"}, branch=..., delete=[...], fallbacks=[...])`` commits one transaction."""

    def commit(
        kind: str,
        files: dict[str, str] | None = None,
        *,
        branch: str = "master",
        delete: tuple[str, ...] = (),
        fallbacks: tuple[str, ...] = (),
    ) -> Transaction:
        with store.transaction(dataset, branch, TransactionType(kind), fallbacks=fallbacks) as opened:
            for name, text in (files or {}).items():
                source = tmp_path / "source"
                source.write_text(text)
                opened.add(source, name)
            for name in delete:
                opened.remove(name)
        return next(t for t in store.history(dataset, branch) if t.rid == opened.rid)

    return commit
