"""A Spark session for each test process, from the same function every command uses."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import sqlite3
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import shared_jvm
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

if TYPE_CHECKING:  # the process that hands out the tests starts the others before it loads anything else
    from pyspark.sql import SparkSession

# Imports and thousands of test items make no garbage, and looking for it among them takes seconds.
gc.disable()

# Without compiled copies each process would compile all tests and modules anew, which takes longer than to import them.
# Container images often forbid them; the ones here are in nobody's way (see .gitignore).
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

ROOT = Path(__file__).resolve().parent.parent

# Thousands of small commits and files are proved, none of them against a power cut: where there is memory for them,
# they need not wait for a disk. A container's /dev/shm may hold as little as 64 MB.
_MEMORY, _ENOUGH = Path("/dev/shm"), 2 * 1024**3
if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ENOUGH:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))

# Rooms whose tests share an expensive session fixture, or a library that no other loads, stay together on one of the
# two test processes: some always, and the measured campaigns at night, when they are scored to the end.
_TOGETHER, _TOGETHER_AT_NIGHT = ("tests/promotion", "tests/report"), ("tests/fleet_health",)


# The files that take longest, dearest first: they are handed out first, so that no process ends with a long one while
# the other has nothing left. `python -m benchmarks suite_split` tells when the order has changed.
_LONGEST = (
    "tests/promotion",
    "tests/fleet_health/ingestion/test_incremental.py",
    "tests/fleet_health/test_whole_way.py",
    "tests/fleet_health/features/test_lateness.py",
    "tests/checks/test_row_expectations.py",
    "tests/fleet_health/ingestion/test_cleansing.py",
    "tests/fleet_health/feature_store/test_published.py",
    "tests/cli/test_datasets_and_builds.py",
    "tests/builds/test_builds.py",
    "tests/checks/test_dataset_expectations.py",
    "tests/shim/test_s09_incremental.py",
    "tests/shim/test_s05_spark_runtime.py",
    "tests/fleet_health/feature_store/test_point_in_time.py",
    "tests/fleet_health/contracts/test_audits.py",
    "tests/fleet_health/contracts/test_planted.py",
    "tests/fleet_health/model_input/test_vectors.py",
)

# At night a session fixture carries whole campaigns to their scores, on a machine that may be busy with other things.
_SECONDS_AT_NIGHT = 1200


def _by_day(config: pytest.Config) -> bool:
    return str(config.option.markexpr) == "not nightly"


def _scope(nodeid: str, *, by_day: bool) -> str:
    file = nodeid.split("::", 1)[0]
    rooms = _TOGETHER if by_day else (*_TOGETHER, *_TOGETHER_AT_NIGHT)
    return next((room for room in rooms if file.startswith(f"{room}/")), file)


class ByFile(LoadScopeScheduling):
    """Two processes share the suite: file by file, or room by room where a fixture is dear."""

    def _split_scope(self, nodeid: str) -> str:
        return _scope(nodeid, by_day=_by_day(self.config))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In the order in which the processes take them: :data:`_LONGEST`, then the scopes with most tests."""
    scope = {item: _scope(item.nodeid, by_day=_by_day(config)) for item in items}
    tests = Counter(scope.values())
    rank = {name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: (rank.get(scope[item], len(rank)), -tests[scope[item]]))
    if not _by_day(config):
        for item in items:
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(_SECONDS_AT_NIGHT))


def pytest_collection_finish() -> None:
    """What was imported to collect stays, so no collection of garbage need walk it again.

    The test modules may be kept compiled; the repositories that tests write may not: a test writes a module again
    within a second, and a compiled copy is told stale only by time and size.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()
    sys.dont_write_bytecode = True


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Used whenever the suite runs on more than one process (``-n``)."""
    return ByFile(config, log)


# By day expressions are interpreted: to generate and compile Java for plans that see a hundred rows costs more than to
# run them. With any other `-m` than the default's code is generated, as in production: `-m nightly`, and `-m ''` for
# all tests.
_SETTINGS_BY_DAY = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    # a task takes longer to be sent than to see a hundred rows
    "spark.default.parallelism": "1",
}
_JVM = pytest.StashKey[shared_jvm.SharedJvm]()
_JOIN = "shared_jvm"
_WORKERS = pytest.StashKey[tuple[dict[str, Any], str]]()


def _start(config: pytest.Config) -> SparkSession:
    from mirror.spark import start_session

    return start_session(
        app_name="foundry-mirror tests",
        python_path=[ROOT / "transforms-python" / "src"],
        settings=_SETTINGS_BY_DAY if _by_day(config) else {},
    )


def pytest_configure(config: pytest.Config) -> None:
    """A test process that others wait for does not take thousands of modules apart before it ends.

    Its outcome has been sent by then, and what tests and libraries register from here on is done before. A process
    that a test starts inherits the variables of this one, but is none of the test processes: its exit code counts.
    """
    if hasattr(config, "workerinput"):
        atexit.register(os._exit, 0)


def pytest_configure_node(node: WorkerController) -> None:
    """By day the test processes share a JVM; at night each has the memory of its own."""
    config = node.config
    if not _by_day(config) or (config.getoption("numprocesses", None) or 0) < 2:
        return
    if _JVM not in config.stash:
        config.stash[_JVM] = shared_jvm.SharedJvm(lambda: _start(config))
        if config.args_source is pytest.Config.ArgsSource.TESTPATHS:
            config.stash[_JVM].wanted()
    node.workerinput[_JOIN] = str(config.stash[_JVM].folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    """The test processes have ended."""
    if (jvm := config.stash.get(_JVM, None)) is not None:
        jvm.close()


@pytest.fixture(scope="session")
def spark(pytestconfig: pytest.Config) -> Iterator[SparkSession]:
    """The session of all tests: ``local[2]``, UTC, Arrow on. Never stop it in a test."""
    from pyspark import SparkContext

    folder = getattr(pytestconfig, "workerinput", {}).get(_JOIN)
    # a test before may have started a session as a command or a guest's own fixture does; it is the one to go on with
    alone = folder is None or SparkContext._active_spark_context is not None
    joined = not alone and shared_jvm.join(Path(folder))
    session = _start(pytestconfig)
    # planning again between the stages of a query pays for itself from thousands of rows on; here it costs a tenth
    session.conf.set("spark.sql.adaptive.enabled", "false")
    environment = session.sparkContext.environment
    pytestconfig.stash[_WORKERS] = environment, environment.setdefault("PYTHONPATH", "")
    yield session
    if not joined:
        session.stop()


def pytest_runtest_teardown(item: pytest.Item) -> None:
    """A repository that a test built leaves the path of Python workers; those of all later tests would begin anew."""
    if (own := item.config.stash.get(_WORKERS, None)) is not None:
        environment, path = own
        environment["PYTHONPATH"] = path


@pytest.fixture(scope="session")
def unsynced() -> Callable[[], AbstractContextManager[None]]:
    """``with unsynced():`` SQLite commits do not wait for the disk.

    For tests that make hundreds of small ones and prove nothing about power cuts.
    """

    from sqlalchemy import event
    from sqlalchemy.pool import Pool

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
