"""One JVM for both test processes.

Half of what a JVM does in a short run it does for the first time, and two JVMs do all of that twice. The process that
hands out the tests starts this one while the others still collect. Each of those has a context object and a session of
its own on the one SparkContext, so settings, temporary views and job groups stay apart.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_PAUSE = 0.02


class SharedJvm:
    """Started by :meth:`wanted`, or by the first process that joins."""

    def __init__(self, start: Callable[[], SparkSession]) -> None:
        # nobody else may read the secret
        self.folder = Path(tempfile.mkdtemp(prefix="mirror-jvm-"))
        self._start = start
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shared-jvm", daemon=True)
        self._thread.start()

    def wanted(self) -> None:
        """Starts it now."""
        _wanted(self.folder).touch()

    def close(self) -> None:
        """Nobody joins any more. It ends with the process that started it, which need not wait for that."""
        self._closing.set()
        self._thread.join()
        shutil.rmtree(self.folder)

    def _run(self) -> None:
        while not _wanted(self.folder).exists():
            if self._closing.wait(_PAUSE):
                return
        told: dict[str, Any] = {}
        try:
            parameters: Any = self._start().sparkContext._gateway.gateway_parameters  # type: ignore[union-attr]
            told = {"port": parameters.port, "secret": parameters.auth_token}
        except Exception as error:  # noqa: BLE001 - each process that joins meets it again, and its tests fail with it
            sys.stderr.write(f"the test processes share no JVM, it did not start: {error}\n")
        written = self.folder / "writing"
        written.write_text(json.dumps(told), encoding="utf-8")
        written.replace(_told(self.folder))


def join(folder: Path) -> bool:
    """Gives this process its own context and session on the shared JVM, where whoever starts a session finds them.

    ``False`` where that JVM could not start: one of this process's own would tell why.
    """
    _wanted(folder).touch()
    while not _told(folder).exists():
        time.sleep(_PAUSE)
    told = json.loads(_told(folder).read_text(encoding="utf-8"))
    if not told:
        return False
    from pyspark import SparkConf, SparkContext, __version__
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    gateway = _connected(told["port"], told["secret"])
    package = gateway.jvm.org.apache.spark
    # Spark 4 moved the sessions that have a JVM of their own into a package of their own
    home = package.sql if __version__.startswith("3.") else package.sql.classic
    session = home.SparkSession.getDefaultSession().get()
    context = package.api.java.JavaSparkContext.fromSparkContext(session.sparkContext())
    configuration = SparkConf(_jconf=context.getConf())
    SparkSession(SparkContext(conf=configuration, gateway=gateway, jsc=context), session.newSession())
    return True


def _connected(port: int, secret: str) -> Any:
    """A connection to the JVM that listens on ``port``; what this process starts later must not find it."""
    from pyspark.java_gateway import launch_gateway

    told = {"PYSPARK_GATEWAY_PORT": str(port), "PYSPARK_GATEWAY_SECRET": secret}
    with mock.patch.dict(os.environ, told):
        return launch_gateway()


def _wanted(folder: Path) -> Path:
    return folder / "wanted"


def _told(folder: Path) -> Path:
    return folder / "told.json"
