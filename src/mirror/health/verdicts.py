"""What builds said about data expectations, as they wrote it down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from mirror.builds import tables as t
from mirror.checks import FAIL, PASS
from mirror.datasets import Dataset, Workspace


@dataclass(frozen=True)
class RecordedVerdict:
    """One verdict of one job. ``outcome`` is PASS, FAIL or ERROR, ``detail`` the sentence with the numbers."""

    name: str
    on_error: str
    outcome: str
    detail: str
    job: str


def newest_verdict(workspace: Workspace, dataset: Dataset, branch: str, name: str) -> RecordedVerdict | None:
    """The newest verdict on the expectation of that name, on either side of a transform."""
    workspace.catalog.ensure(*t.ROOM)
    table = t.check_results
    columns = (table.c.on_error, table.c.outcome, table.c.document, table.c.job_rid)
    of = (table.c.dataset_rid == dataset.rid) & (table.c.branch == branch) & (table.c.name == name)
    query = sa.select(*columns).where(of).order_by(table.c.evaluated_at.desc(), table.c.job_rid).limit(1)
    with workspace.catalog.reading() as connection:
        row = connection.execute(query).first()
    if row is None:
        return None
    on_error, outcome, document, job = row
    return RecordedVerdict(name, on_error, outcome, str(json.loads(document).get("detail", "")), job)


def judged_names(workspace: Workspace, dataset: Dataset, branch: str) -> frozenset[str]:
    """The names of all expectations of a dataset that were ever judged on a branch."""
    workspace.catalog.ensure(*t.ROOM)
    table = t.check_results
    query = sa.select(table.c.name).where(table.c.dataset_rid == dataset.rid, table.c.branch == branch).distinct()
    with workspace.catalog.reading() as connection:
        return frozenset(connection.scalars(query))


def verdict_on(workspace: Workspace, transaction: str, expectation: str) -> tuple[bool, str] | None:
    """Whether an expectation, given as code, held when the build committed a transaction; ``None`` if it never asked.

    It may have been a part of a larger one.
    """
    workspace.catalog.ensure(*t.ROOM)
    table = t.check_results
    query = sa.select(table.c.name, table.c.document).where(
        table.c.transaction_rid == transaction, table.c.side == "output"
    )
    with workspace.catalog.reading() as connection:
        rows = connection.execute(query.order_by(table.c.name)).all()
    for name, document in rows:
        for part in _nodes(json.loads(document)):
            if part.get("expectation") == expectation and part["outcome"] in (PASS, FAIL):
                return part["outcome"] == PASS, f"{part['detail']} (judged by the build as {name!r})"
    return None


def _nodes(result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield result
    for part in result.get("parts", ()):
        yield from _nodes(part)
