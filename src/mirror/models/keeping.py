"""What models keep from being collected, and what of theirs is garbage itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mirror.datasets import retention
from mirror.datasets.lock import held_branches
from mirror.models import tables as t
from mirror.models.records import Model, ModelVersion
from mirror.models.registry import FOLDER, ModelRegistry

SETTLED = timedelta(hours=1)
"""A younger archive may belong to a publication that is under way without a build, in a notebook."""


@dataclass(frozen=True)
class OrphanArchive:
    """An archive that was staged and never became a version."""

    location: str
    bytes: int


def pin_inputs(connection: Connection, model: Model, version: ModelVersion) -> None:
    """Keeps the transactions that a version was trained on, inside the caller's SQL transaction."""
    rids = [str(entry["transaction"]) for entry in version.provenance.get("inputs", ()) if entry.get("transaction")]
    retention.pin_within(connection, rids, f"model {model.path} {version.semantic}")


def pin_all(registry: ModelRegistry) -> None:
    """:func:`pin_inputs` of every version; those made before versions were pinned are caught up with."""
    for model in registry.models():
        versions = registry.versions(model)
        with registry.catalog.writing() as connection:
            for version in versions:
                pin_inputs(connection, model, version)


def orphans(registry: ModelRegistry) -> tuple[OrphanArchive, ...]:
    """Archives of no version. None where a build runs: it may have staged one and not committed it yet."""
    workspace = registry.workspace
    found = workspace.storage.listing(FOLDER)
    # In this order: what was there before, and is neither in use nor in the catalog afterwards, is nobody's.
    if not found or held_branches(workspace.path / "locks"):
        return ()
    with registry.catalog.reading() as connection:
        known = set(connection.scalars(sa.select(t.versions.c.location)))
    limit = workspace.clock() - SETTLED
    return tuple(
        OrphanArchive(file.location, file.size)
        for file in found
        if file.location not in known
        if (modified := workspace.storage.modified(file.location)) is not None and modified < limit
    )


def remove(registry: ModelRegistry, archives: tuple[OrphanArchive, ...]) -> None:
    """Removes them."""
    for archive in archives:
        registry.workspace.storage.remove(archive.location)
