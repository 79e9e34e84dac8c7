"""One Spark session for the whole run, from the same function every command uses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """The session of all tests: ``local[2]``, UTC, Arrow on. Never stop it in a test."""
    from mirror.spark import start_session

    session = start_session(app_name="foundry-mirror tests", python_path=[ROOT / "transforms-python" / "src"])
    yield session
    session.stop()
