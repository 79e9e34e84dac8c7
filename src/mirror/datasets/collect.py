"""Garbage: what aborted, abandoned and swept transactions left on disk, and caches that can be made again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from mirror.datasets import owners
from mirror.datasets import tables as t
from mirror.datasets.ids import uuid_of
from mirror.datasets.records import TransactionStatus
from mirror.datasets.store import DatasetStore


@dataclass(frozen=True)
class Garbage:
    """One folder nobody needs. ``why`` is one clause."""

    path: Path
    bytes: int
    why: str


def find_garbage(store: DatasetStore) -> tuple[Garbage, ...]:
    """What :func:`collect` would remove. A folder of a committed or living open transaction is never in it."""
    with store.catalog.reading() as connection:
        tx = t.transactions
        rows = connection.execute(sa.select(tx.c.rid, tx.c.dataset_rid, tx.c.status, tx.c.owner)).all()
        reasons = connection.execute(sa.select(t.swept.c.transaction_rid, t.swept.c.reason))
        swept = {str(row[0]): str(row[1]) for row in reasons}
        # A later transaction may refer to bytes of an earlier one: such a folder stays.
        used = {"/".join(location.split("/")[:2]) for location in connection.scalars(_locations_in_use())}
    known = {f"{uuid_of(dataset)}/{uuid_of(rid)}": (rid, status, owner) for rid, dataset, status, owner in rows}
    open_uuids = {
        uuid_of(rid)
        for rid, _, status, owner in rows
        if status == TransactionStatus.OPEN and not owners.is_dead(owner)
    }  # fmt: skip
    return tuple(_find(Path(store.storage.root), known, swept, used, open_uuids))


def collect(store: DatasetStore) -> tuple[Garbage, ...]:
    """Aborts transactions of dead processes, then removes every piece of garbage; tells what was removed."""
    store.abort_abandoned()
    found = find_garbage(store)
    for piece in found:
        shutil.rmtree(piece.path, ignore_errors=True)
    return found


def _locations_in_use() -> sa.Select[Any]:
    kept = sa.select(t.swept.c.transaction_rid)
    return sa.select(t.files.c.location).where(
        t.files.c.transaction_rid.not_in(kept), t.files.c.removed.is_(sa.false())
    )


def _find(
    root: Path,
    known: dict[str, tuple[str, str, str]],
    swept: dict[str, str],
    used: set[str],
    open_uuids: set[str],
) -> Iterator[Garbage]:
    for dataset in sorted(p for p in root.iterdir() if p.is_dir()) if root.is_dir() else ():
        for folder in sorted(p for p in dataset.iterdir() if p.is_dir()):
            if dataset.name == "_views":
                yield Garbage(folder, 0, "a cache of links, made again when needed")
            elif dataset.name == "_scratch":
                if folder.name not in open_uuids:
                    yield Garbage(folder, _size(folder), "unfinished writes")
            elif not dataset.name.startswith("_") and _is_uuid(dataset.name) and folder.name not in open_uuids:
                place = f"{dataset.name}/{folder.name}"
                why = _why(known.get(place), swept)
                if why is not None and place not in used:
                    yield Garbage(folder, _size(folder), why)


def _why(entry: tuple[str, str, str] | None, swept: dict[str, str]) -> str | None:
    if entry is None:
        return "no transaction of that name"
    rid, status, _ = entry
    if status == TransactionStatus.COMMITTED:
        return swept.get(rid)
    return "aborted" if status == TransactionStatus.ABORTED else "left open by a process that died"


def _is_uuid(name: str) -> bool:
    return len(name) == 36 and name.count("-") == 4


def _size(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
