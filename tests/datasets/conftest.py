"""An empty workspace with a clock that moves one second per look."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from mirror.datasets import Dataset, DatasetStore, Transaction, TransactionType, Workspace

Put = Callable[..., Transaction]
_schemas = itertools.count()


def server_command(program: str, *arguments: str) -> list[str]:
    """A command of the server's own programs; skips with the way to get them where there are none."""
    found = shutil.which("initdb") or next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))), None)
    if found is None:
        pytest.skip("needs a PostgreSQL server: apt-get install postgresql")
    # The server refuses to run as root.
    as_server = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    return [*as_server, str(Path(found).resolve().parent / program), *arguments]


@contextlib.contextmanager
def running_postgres() -> Iterator[str]:
    """A server in a folder that vanishes; skips with the way to get one where there is none."""
    server_command("initdb")
    folder = Path(tempfile.mkdtemp(prefix="mirror-pg-"))
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")

    def call(program: str, *arguments: str) -> None:
        subprocess.run(server_command(program, *arguments), check=True, capture_output=True, cwd=folder)

    data = str(folder / "data")
    call("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N")
    settings = f"-k {folder} -c listen_addresses= -c fsync=off"
    call("pg_ctl", "-D", data, "-l", str(folder / "log"), "-w", "-o", settings, "start")
    try:
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        call("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> str:
    """The database of the catalog; ``BOTH`` runs a module on each."""
    return getattr(request, "param", "sqlite")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of a real PostgreSQL server of our own on a private socket, started for the session."""
    with running_postgres() as url:
        yield url


@pytest.fixture
def catalog_url(backend: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty catalog's URL."""
    if backend == "sqlite":
        yield "sqlite:///catalog.sqlite"
        return
    url = request.getfixturevalue("postgres")
    schema = f"t{next(_schemas)}"
    server = sa.create_engine(url)
    with server.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
    yield f"{url}&options=-csearch_path%3D{schema}"
    with server.begin() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
    server.dispose()


@pytest.fixture
def workspace(tmp_path: Path, catalog_url: str) -> Iterator[Workspace]:
    """A workspace whose repository holds nothing."""
    ticks = itertools.count()

    def clock() -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=next(ticks))

    with Workspace.create(tmp_path / ".mirror", repository=tmp_path, catalog_url=catalog_url, clock=clock) as made:
        yield made


@pytest.fixture
def store(workspace: Workspace) -> DatasetStore:
    """Its store."""
    return workspace.store


@pytest.fixture
def dataset(store: DatasetStore) -> Dataset:
    """An empty dataset."""
    return store.create("/Fleet/raw/readings")


@pytest.fixture
def put(store: DatasetStore, dataset: Dataset, tmp_path: Path) -> Put:
    """``put("APPEND", {"A": "text"}, branch=..., delete=[...], fallbacks=[...])`` commits one transaction."""

    def commit(
        kind: str,
        files: dict[str, str] | None = None,
        *,
        branch: str = "master",
        delete: tuple[str, ...] = (),
        fallbacks: tuple[str, ...] = (),
    ) -> Transaction:
        with store.transaction(dataset, branch, TransactionType(kind), fallbacks=fallbacks) as opened:
            for name, text in (files or {}).items():
                source = tmp_path / "source"
                source.write_text(text)
                opened.add(source, name)
            for name in delete:
                opened.remove(name)
        return next(t for t in store.history(dataset, branch) if t.rid == opened.rid)

    return commit
