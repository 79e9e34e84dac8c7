"""The pytest plugin that Foundry's environments provide: fixtures that a repository's own tests ask for by name.

Registered as the entry point ``pytest11: transforms_mock``, so test files of a Foundry repository need no import and no
``conftest.py``. Importing this module imports neither pyspark nor pandas; each fixture pays for what it uses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

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


@pytest.fixture(scope="session")
def spark_session() -> SparkSession:
    """The Spark session of the test run, under the name that Foundry repositories use.

    A session that is already running in the process is handed out as it is. Otherwise a small ``local[2]`` one is
    started: UTC, ANSI mode off, Arrow on, one shuffle partition. It is left running, as other fixtures may share it;
    it ends with the process.
    """
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").appName("transforms unit tests")
    if SparkSession.getActiveSession() is None:
        for key, value in _SESSION_SETTINGS.items():
            builder = builder.config(key, value)
    return builder.getOrCreate()
