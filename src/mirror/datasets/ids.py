"""Resource identifiers: UUIDv5 of their natural key, so the same history has the same identifiers everywhere."""

from __future__ import annotations

import uuid

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://foundry-mirror.invalid/rid")


def stable_uuid(*key: object) -> uuid.UUID:
    """The UUIDv5 of a natural key."""
    return uuid.uuid5(_NAMESPACE, "\x1f".join(str(part) for part in key))


def dataset_rid(path: str) -> str:
    """The RID of a dataset whose repository maps none to its path."""
    return f"ri.foundry.main.dataset.{stable_uuid('dataset', path)}"


def transaction_rid(dataset: str, sequence: int) -> str:
    """The RID of the ``sequence``-th transaction ever opened on a dataset."""
    return f"ri.foundry.main.transaction.{stable_uuid('transaction', dataset, sequence)}"


def uuid_of(rid: str) -> str:
    """The last part of a RID; it names the folder of a dataset or transaction."""
    return rid.rsplit(".", 1)[-1]


def short(rid: str) -> str:
    """What lists show of a RID: the first eight characters of its last part."""
    return uuid_of(rid)[:8]


def is_named(rid: str, name: str) -> bool:
    """Whether somebody who typed ``name`` may mean this RID: all of it, or the start of its last part."""
    return name == rid or uuid_of(rid).startswith(name)
