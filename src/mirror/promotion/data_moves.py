"""What a promotion does to models and data beside the merge: taken over, released, pinned, put back."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from mirror.clock import Clock
from mirror.datasets import TransactionStatus, Workspace, ledger
from mirror.datasets import tables as t
from mirror.datasets.errors import WorkspaceNotFoundError
from mirror.datasets.pointing import point_branch
from mirror.promotion.model_moves import ModelMove, release_models

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mirror.promotion.git import Identity
    from mirror.promotion.journal import JournalEntry


@contextmanager
def workspace_at(path: Path, clock: Clock) -> Iterator[Workspace | None]:
    """The workspace in a folder, or ``None`` where there is none."""
    try:
        opened = Workspace.open(path, clock=clock)
    except WorkspaceNotFoundError:
        yield None
        return
    with opened:
        yield opened


def heads_of(workspace: Workspace, branch: str) -> dict[str, str | None]:
    """Dataset -> the committed transaction that its branch ends with; ``None`` where it has none.

    What is being written, or was when its process died, is no result yet.
    """
    of_branch = (t.branches.c.dataset_rid == t.datasets.c.rid) & (t.branches.c.name == branch)
    tables = t.datasets.outerjoin(t.branches, of_branch)
    tables = tables.outerjoin(t.transactions, t.transactions.c.rid == t.branches.c.head)
    query = sa.select(t.datasets.c.path, t.branches.c.head, t.transactions.c.status).select_from(tables)
    with workspace.catalog.reading() as connection:
        return {
            str(path): head if status == TransactionStatus.COMMITTED else ledger.committed(connection, head)
            for path, head, status in connection.execute(query).all()
        }


def moved(before: Mapping[str, str | None], after: Mapping[str, str | None]) -> dict[str, list[str | None]]:
    """Dataset -> [before, after], for those whose branch ends with something else."""
    return {
        path: [before.get(path), after.get(path)]
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    }


def take_over(workspace: Workspace, entry: JournalEntry, who: Identity, fallbacks: Sequence[str]) -> None:
    """Releases the models that come along, and points the target's data branch at results that need no computing.

    Safe to repeat. Raises ReleaseRefusedError, and what :func:`mirror.datasets.pointing.point_branch` raises.
    """
    moves = tuple(ModelMove(*move) for move in entry.models)
    actor = f"{who.name} <{who.email}>"
    release_models(workspace, moves, actor, entry.approvals, f"promoted to {entry.target} with {entry.merge[:12]}")
    if entry.reused:
        with workspace.lock(entry.target):
            point_branch(workspace.store, entry.target, entry.reused, fallbacks)
