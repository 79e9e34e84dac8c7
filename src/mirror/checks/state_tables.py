"""Metric states in the catalog."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import sqlalchemy as sa

from mirror.checks.states import StateUnit
from mirror.datasets.catalog import Catalog
from mirror.datasets.tables import metadata

check_states = sa.Table(
    "check_states",
    metadata,
    sa.Column("dataset", sa.String(1000), primary_key=True),
    # Of the set of files, so that the same files replace what was kept of them.
    sa.Column("unit", sa.String(64), primary_key=True),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("files", sa.Text, nullable=False),
    sa.Column("states", sa.Text, nullable=False),
)

ROOM = (check_states,)


class CatalogStates:
    """A :class:`mirror.checks.states.StateStore` on the catalog.

    States are written at once, not with the job: files of a transaction that is aborted afterwards never come back, so
    what is kept of them is never asked for.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        catalog.ensure(*ROOM)

    def units(self, dataset: str) -> Sequence[StateUnit]:
        """All units of a dataset, in the order they were kept."""
        query = sa.select(check_states.c.files, check_states.c.states).where(check_states.c.dataset == dataset)
        with self._catalog.reading() as connection:
            rows = connection.execute(query.order_by(check_states.c.sequence)).all()
        return [StateUnit(frozenset(json.loads(files)), json.loads(states)) for files, states in rows]

    def keep(self, dataset: str, unit: StateUnit) -> None:
        """Adds a unit; states of the same files join what was kept of them."""
        files = json.dumps(sorted(unit.files))
        digest = hashlib.sha256(files.encode()).hexdigest()
        same = (check_states.c.dataset == dataset) & (check_states.c.unit == digest)
        with self._catalog.writing() as connection:
            before = connection.scalar(sa.select(check_states.c.states).where(same))
            states = json.dumps((json.loads(before) if before else {}) | dict(unit.states), sort_keys=True)
            if before is not None:
                connection.execute(check_states.update().where(same).values(states=states))
                return
            of_dataset = check_states.c.dataset == dataset
            last = connection.scalar(sa.select(sa.func.max(check_states.c.sequence)).where(of_dataset)) or 0
            values = {"dataset": dataset, "unit": digest, "sequence": last + 1, "files": files, "states": states}
            connection.execute(check_states.insert().values(**values))
