"""Metric states in the catalog."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from mirror.checks.hash_marks import Marks
from mirror.checks.states import KeyUnit, StateUnit
from mirror.datasets.catalog import Catalog, batches
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

check_key_hashes = sa.Table(
    "check_key_hashes",
    metadata,
    sa.Column("dataset", sa.String(1000), primary_key=True),
    sa.Column("way", sa.String(500), primary_key=True),
    sa.Column("unit", sa.String(64), primary_key=True),
    # their identities, and the limits of the key columns
    sa.Column("files", sa.Text, nullable=False),
    # Eight bytes per row in two halves. At most one view of a dataset is kept: units of files that are not all in the
    # view go when one is added, so that all that stay were held against each other.
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("marks", sa.LargeBinary, nullable=False),
    # last, because what comes after it in a row would be read with it
    sa.Column("rests", sa.LargeBinary, nullable=False),
)

check_file_facts = sa.Table(
    "check_file_facts",
    metadata,
    sa.Column("dataset", sa.String(1000), primary_key=True),
    sa.Column("form", sa.String(50), primary_key=True),
    sa.Column("file", sa.String(1000), primary_key=True),
    sa.Column("facts", sa.Text, nullable=False),
)

ROOM = (check_states, check_key_hashes, check_file_facts)

_MOST_UNITS = 1000
"""Of one dataset; older ones go, and their files are read again if they are still asked for."""


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
        files, digest = _named(unit.files)
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
            connection.execute(
                check_states.delete().where(of_dataset & (check_states.c.sequence <= last + 1 - _MOST_UNITS))
            )

    def facts(self, dataset: str, form: str, files: Sequence[str]) -> Mapping[str, Any]:
        """What footers said: identity of a file -> its facts."""
        table = check_file_facts
        of = (table.c.dataset == dataset) & (table.c.form == form)
        found: dict[str, Any] = {}
        with self._catalog.reading() as connection:
            for some in batches(files):
                rows = connection.execute(sa.select(table.c.file, table.c.facts).where(of & table.c.file.in_(some)))
                found.update({file: json.loads(facts) for file, facts in rows})
        return found

    def keep_facts(self, dataset: str, form: str, facts: Mapping[str, Any]) -> None:
        """Adds facts about files that had none."""
        table = check_file_facts
        of = (table.c.dataset == dataset) & (table.c.form == form)
        with self._catalog.writing() as connection:
            for some in batches(list(facts)):
                # Another process may have judged the same files in the meantime.
                held = set(connection.scalars(sa.select(table.c.file).where(of & table.c.file.in_(some))))
                rows = [
                    {"dataset": dataset, "form": form, "file": file, "facts": json.dumps(facts[file], sort_keys=True)}
                    for file in some
                    if file not in held
                ]
                if rows:
                    connection.execute(table.insert(), rows)

    def key_units(self, dataset: str, way: str) -> Sequence[KeyUnit]:
        """Of which files of a dataset key hashes were made in that way."""
        table = check_key_hashes
        query = sa.select(table.c.files).where((table.c.dataset == dataset) & (table.c.way == way))
        with self._catalog.reading() as connection:
            found = connection.scalars(query.order_by(table.c.unit)).all()
        return [KeyUnit(_files(text), way, _limits(text)) for text in found]

    def key_marks(self, dataset: str, unit: KeyUnit) -> Marks:
        """The marks of the hashes of a unit."""
        table = check_key_hashes
        with self._catalog.reading() as connection:
            query = sa.select(table.c.rows, table.c.marks).where(_keys_of(dataset, unit))
            rows, marks = connection.execute(query).one()
        return Marks(rows, bytes(marks))

    def key_rests(self, dataset: str, unit: KeyUnit) -> bytes:
        """What the marks of a unit leave of its hashes."""
        with self._catalog.reading() as connection:
            query = sa.select(check_key_hashes.c.rests).where(_keys_of(dataset, unit))
            return bytes(connection.execute(query).scalar_one())

    def keep_keys(self, dataset: str, unit: KeyUnit, marks: Marks, rests: bytes, current: frozenset[str]) -> None:
        """Adds key hashes, and drops those made in the same way of files that are not all among ``current``."""
        digest = _named(unit.files)[1]
        table = check_key_hashes
        of = (table.c.dataset == dataset) & (table.c.way == unit.way)
        files = json.dumps({"files": sorted(unit.files), "limits": dict(unit.limits)})
        row: dict[str, Any] = {"dataset": dataset, "way": unit.way, "unit": digest, "files": files}
        row |= {"rows": marks.rows, "marks": marks.halves, "rests": rests}
        with self._catalog.writing() as connection:
            kept = connection.execute(sa.select(table.c.unit, table.c.files).where(of)).all()
            gone = [name for name, held in kept if name == digest or not current.issuperset(_files(held))]
            for name in gone:
                connection.execute(table.delete().where(of & (table.c.unit == name)))
            connection.execute(table.insert().values(**row))


def _keys_of(dataset: str, unit: KeyUnit) -> sa.ColumnElement[bool]:
    table = check_key_hashes
    return (table.c.dataset == dataset) & (table.c.way == unit.way) & (table.c.unit == _named(unit.files)[1])


def _files(text: str) -> frozenset[str]:
    """Older catalogs hold a bare list."""
    held = json.loads(text)
    return frozenset(held if isinstance(held, list) else held["files"])


def _limits(text: str) -> dict[str, tuple[int, int]]:
    held = json.loads(text)
    return {} if isinstance(held, list) else {key: (low, high) for key, (low, high) in held["limits"].items()}


def _named(files: frozenset[str]) -> tuple[str, str]:
    """A set of files as text, and its name."""
    text = json.dumps(sorted(files))
    return text, hashlib.sha256(text.encode()).hexdigest()
