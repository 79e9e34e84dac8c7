"""Reading exactly the transaction that was recorded, or failing; newer rows never stand in for older ones."""

from __future__ import annotations

from typing import Any, Protocol

from pyspark.sql import DataFrame

from fleet_health.feature_store.errors import SnapshotGoneError, SnapshotMovedError

UNKNOWN = "unknown"
"""Recorded where the input cannot tell its transaction (unit tests on bare frames)."""


class SnapshotReader(Protocol):
    """Reads a dataset as it was after one transaction; ``None`` or ``LookupError`` when that can no longer be done."""

    def __call__(self, snapshot_id: str) -> DataFrame | None: ...


def read_snapshot(reader: SnapshotReader, dataset: str, snapshot_id: str) -> DataFrame:
    """The rows of one recorded transaction.

    Raises:
        SnapshotGoneError: the reader cannot go back to it.
    """
    try:
        found = reader(snapshot_id)
    except LookupError as error:
        raise SnapshotGoneError(dataset, snapshot_id) from error
    if found is None:
        raise SnapshotGoneError(dataset, snapshot_id)
    return found


def snapshot_of(port: Any, dataset: str, pinned: str | None) -> str:
    """The transaction that a transform's input reads.

    Raises:
        SnapshotMovedError: a transaction is pinned and the input is at another one.
    """
    found: str | None = port.end_transaction_rid
    if pinned is not None and found != pinned:
        raise SnapshotMovedError(dataset, pinned, found)
    return found or UNKNOWN
