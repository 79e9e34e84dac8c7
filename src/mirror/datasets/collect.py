"""Garbage: what aborted, abandoned and swept transactions left on disk, and caches that can be made again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from mirror.datasets import owners
from mirror.datasets import tables as t
from mirror.datasets.ids import uuid_of
from mirror.datasets.records import TransactionStatus
from mirror.datasets.storage import Storage
from mirror.datasets.storage.names import SCRATCH, VIEWS
from mirror.datasets.store import DatasetStore


@dataclass(frozen=True)
class Garbage:
    """What nobody needs.

    Attributes:
        path: absolute or as URL, for people.
        location: below the root; ``None`` for copies on this machine.
        why: one clause.
    """

    path: str
    bytes: int
    why: str
    location: str | None = None


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
    return tuple(_find(store.storage, known, swept, used, open_uuids))


def collect(store: DatasetStore) -> tuple[Garbage, ...]:
    """Aborts transactions of dead processes, then removes every piece of garbage; tells what was removed."""
    store.abort_abandoned()
    found = find_garbage(store)
    for piece in found:
        if piece.location is None:
            shutil.rmtree(piece.path, ignore_errors=True)
        else:
            store.storage.remove_tree(piece.location)
            if piece.location.startswith(VIEWS):
                store.storage.remove(f"{piece.location}.whole")
    return found


def _locations_in_use() -> sa.Select[Any]:
    kept = sa.select(t.swept.c.transaction_rid)
    return sa.select(t.files.c.location).where(
        t.files.c.transaction_rid.not_in(kept), t.files.c.removed.is_(sa.false())
    )


def _find(
    storage: Storage,
    known: dict[str, tuple[str, str, str]],
    swept: dict[str, str],
    used: set[str],
    open_uuids: set[str],
) -> Iterator[Garbage]:
    for place in storage.children():
        top, name = place.split("/")
        path = f"{storage.root}/{place}"
        if top == VIEWS:
            yield Garbage(path, 0, "a cache of links or copies, made again when needed", place)
        elif top == SCRATCH:
            if name not in open_uuids:
                yield Garbage(path, _size(storage, place), "unfinished writes", place)
        elif not top.startswith("_") and _is_uuid(top) and name not in open_uuids:
            why = _why(known.get(place), swept)
            if why is not None and place not in used:
                yield Garbage(path, _size(storage, place), why, place)
    for folder in storage.copies():
        size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
        yield Garbage(str(folder), size, "copies on this machine, fetched again when needed")


def _why(entry: tuple[str, str, str] | None, swept: dict[str, str]) -> str | None:
    if entry is None:
        return "no transaction of that name"
    rid, status, _ = entry
    if status == TransactionStatus.COMMITTED:
        return swept.get(rid)
    return "aborted" if status == TransactionStatus.ABORTED else "left open by a process that died"


def _is_uuid(name: str) -> bool:
    return len(name) == 36 and name.count("-") == 4


def _size(storage: Storage, folder: str) -> int:
    return sum(file.size for file in storage.listing(folder))
