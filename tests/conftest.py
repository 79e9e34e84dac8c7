"""One Spark session for the whole run, from the same function every command uses."""

from __future__ import annotations

import gc
import sqlite3
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from sqlalchemy import event
from sqlalchemy.pool import Pool
from xdist.scheduler import LoadScopeScheduling

# Imports and thousands of test items make no garbage, and looking for it among them takes seconds.
gc.disable()

ROOT = Path(__file__).resolve().parent.parent


# Rooms whose tests share an expensive session fixture stay together on one of the two test processes: some always, and
# the measured campaigns at night, when they are scored to the end.
_TOGETHER, _TOGETHER_AT_NIGHT = ("tests/promotion",), ("tests/fleet_health",)


class ByFile(LoadScopeScheduling):
    """Two processes share the suite: file by file, or room by room where a fixture is dear."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        by_day = "not nightly" in self.config.option.markexpr
        rooms = _TOGETHER if by_day else (*_TOGETHER, *_TOGETHER_AT_NIGHT)
        return next((room for room in rooms if file.startswith(f"{room}/")), file)


def pytest_collection_finish() -> None:
    """What was imported to collect stays, so no collection of garbage need walk it again.

    The test modules may be kept compiled; the repositories that tests write may not: a test writes a module again
    within a second, and a compiled copy is told stale only by time and size.
    """
    gc.freeze()
    gc.enable()
    sys.dont_write_bytecode = True


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Used whenever the suite runs on more than one process (``-n``)."""
    return ByFile(config, log)


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """The session of all tests: ``local[2]``, UTC, Arrow on. Never stop it in a test."""
    from mirror.spark import start_session

    session = start_session(app_name="foundry-mirror tests", python_path=[ROOT / "transforms-python" / "src"])
    # planning again between the stages of a query pays for itself from thousands of rows on; here it costs a tenth
    session.conf.set("spark.sql.adaptive.enabled", "false")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def unsynced() -> Callable[[], AbstractContextManager[None]]:
    """``with unsynced():`` SQLite commits do not wait for the disk.

    For tests that make hundreds of small ones and prove nothing about power cuts.
    """

    @contextmanager
    def relaxed() -> Iterator[None]:
        # a listener of its own each time: a shared one would be gone for all when the first of several ends
        def relax(connection: Any, *_: Any) -> None:
            if isinstance(connection, sqlite3.Connection):
                connection.execute("PRAGMA synchronous = OFF")

        event.listen(Pool, "checkout", relax)
        try:
            yield
        finally:
            event.remove(Pool, "checkout", relax)

    return relaxed


@pytest.fixture
def adaptive(spark: SparkSession) -> Iterator[None]:
    """The session plans adaptively for one test, as the session of a command does."""
    before = spark.conf.get("spark.sql.adaptive.enabled")
    spark.conf.set("spark.sql.adaptive.enabled", "true")
    yield
    spark.conf.set("spark.sql.adaptive.enabled", before)


@pytest.fixture
def jobs(spark: SparkSession, adaptive: None) -> Callable[[Callable[[], object]], int]:
    """``jobs(action)``: how many Spark jobs an action ran, as Spark itself counted them."""

    def count(action: Callable[[], object]) -> int:
        group = uuid.uuid4().hex
        spark.sparkContext.setJobGroup(group, "count")
        try:
            action()
            return len(spark.sparkContext.statusTracker().getJobIdsForGroup(group))
        finally:
            spark.sparkContext.setLocalProperty("spark.jobGroup.id", None)  # type: ignore[arg-type]

    return count
