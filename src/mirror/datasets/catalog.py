"""The catalog: one database, opened once, its version checked before anything is believed."""

from __future__ import annotations

import contextlib
import functools
import os
import sqlite3
from collections.abc import Iterator, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.util import LRUCache

from mirror.datasets import tables
from mirror.datasets.errors import (
    CatalogBusyError,
    CatalogUnreadableError,
    CatalogVersionError,
    StorageUnwritableError,
)

VERSION = 4
"""The schema version that this release reads and writes."""

BUSY_SECONDS = 30.0
"""How long a writer waits for another one: longer than any SQL transaction of ours takes."""

_WRITES = "mirror_writes"
_FULL_OR_READ_ONLY = ("readonly", "disk is full", "unable to open", "disk I/O error")


def batches(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """The values of an ``IN``, as many at once as every database takes: SQLite's oldest limit on variables is 999."""
    return (names[at : at + 500] for at in range(0, len(names), 500))


class Catalog:
    """A SQLAlchemy engine, the metadata every room shares, and the two ways to use them.

    ``reading()`` and ``writing()`` yield a connection inside one SQL transaction. A writer takes its lock at once, so
    two writers queue instead of failing half-way.
    """

    def __init__(self, url: str) -> None:
        self._url = sa.engine.make_url(url)
        self.engine: Engine = _engine(self._url)
        self.metadata: sa.MetaData = tables.metadata
        self._writer: Engine = self.engine.execution_options(**{_WRITES: True})
        self._ensured: set[str] = set()

    @property
    def label(self) -> str:
        """The URL without its password."""
        return self._url.render_as_string(hide_password=True)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent read. Raises CatalogBusyError."""
        with self._translated(), self.engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """All or nothing. Raises CatalogBusyError, StorageUnwritableError."""
        with self._translated(), self._writer.begin() as connection:
            yield connection

    def create(self) -> None:
        """Creates the core tables of a new catalog; one of an older version is upgraded, after a copy was made."""
        found = self._version()
        if found is None:
            with self.writing() as connection:
                # another process may have been first; a table without its row is no new catalog, so it is refused below
                if not sa.inspect(connection).has_table(tables.catalog_version.name):
                    _make(connection, tables.CORE)
                    connection.execute(tables.catalog_version.insert().values(version=VERSION))
        elif 0 < found < VERSION:
            self._upgrade(found)
        self.check()

    def check(self) -> None:
        """Raises CatalogVersionError unless this release wrote the catalog."""
        found = self._version()
        if found != VERSION:
            raise CatalogVersionError(self.label, "none" if found is None else found, VERSION)

    def ensure(self, *room: sa.Table) -> None:
        """Creates the tables of another room where they are missing; remembered, so callers may ask every time."""
        missing = [table for table in room if table.name not in self._ensured]
        if not missing:
            return
        with self.reading() as connection:
            present = set(sa.inspect(connection).get_table_names())
        if any(table.name not in present for table in missing):
            with self.writing() as connection:
                _make(connection, missing)
        self._ensured.update(table.name for table in missing)

    def close(self) -> None:
        """Gives back every pooled connection."""
        self.engine.dispose()

    def _version(self) -> int | None:
        """``None`` where there is no catalog yet, or nothing says its version."""
        with self.reading() as connection:
            if not sa.inspect(connection).has_table(tables.catalog_version.name):
                return None
            return connection.scalar(sa.select(tables.catalog_version.c.version))

    def _upgrade(self, found: int) -> None:
        from mirror.datasets.migrations import upgrade

        file = self.engine.url.database
        if self.engine.dialect.name == "sqlite" and file:
            with self.reading() as connection:
                connection.exec_driver_sql("SELECT 1")
            copy = Path(f"{file}.version{found}")
            with self.engine.connect() as source, sqlite3.connect(copy) as target:
                driver: Any = source.connection.driver_connection
                driver.backup(target)
            target.close()
        with self.writing() as connection:
            upgrade(connection, found)
            connection.execute(tables.catalog_version.update().values(version=VERSION))

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.OperationalError as error:
            reason = str(error.orig)
            if any(sign in reason for sign in _FULL_OR_READ_ONLY):
                raise StorageUnwritableError(self.label, reason) from error
            raise CatalogBusyError(self.label, reason) from error
        except sa.exc.IntegrityError:
            raise
        except sa.exc.DatabaseError as error:
            raise CatalogUnreadableError(self.label, str(error.orig)) from error


def _make(connection: Connection, wanted: Sequence[sa.Table]) -> None:
    """Creates what of ``wanted`` is missing."""
    present = set(sa.inspect(connection).get_table_names())
    absent = tuple(table for table in wanted if table.name not in present)
    for statement in _statements(sa.URL.create(connection.engine.url.drivername), absent):
        connection.exec_driver_sql(statement)


@functools.cache
def _statements(url: sa.URL, absent: tuple[sa.Table, ...]) -> tuple[str, ...]:
    """What makes the tables, in an order in which references exist; compiled once for all catalogs of a process."""
    found: list[str] = []
    dialect = url.get_dialect()()
    database = sa.create_mock_engine(url, lambda ddl, *_: found.append(str(ddl.compile(dialect=dialect))))
    tables.metadata.create_all(database, tables=absent, checkfirst=False)
    return tuple(found)


class _OneOfMany(SQLiteDialect_pysqlite):
    """Every catalog of a process speaks the same SQL: what was compiled for one serves the others."""

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return type(other) is _OneOfMany

    def __hash__(self) -> int:
        return hash(_OneOfMany)


sa.dialects.registry.register("sqlite.mirror", __name__, _OneOfMany.__name__)
_COMPILED: MutableMapping[Any, Any] = LRUCache(1000)


def _readable(url: sa.URL) -> sa.URL:
    """A catalog on a read-only file system opens for reading only: its write-ahead log could not be made."""
    file = Path(url.database or "")
    if not file.is_file() or os.access(file.parent, os.W_OK):
        return url
    return url.set(database=f"file:{file}", query={"mode": "ro", "immutable": "1", "uri": "true"})


def _engine(parsed: sa.URL) -> Engine:
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite":
        return sa.create_engine(parsed, pool_pre_ping=True)
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(
        _readable(parsed).set(drivername="sqlite+mirror"),
        connect_args={"timeout": BUSY_SECONDS},
        execution_options={"compiled_cache": _COMPILED},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
        if engine.url.query.get("immutable"):
            cursor.close()
            return
        if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
