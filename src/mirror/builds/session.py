"""What a job may change in the Spark session, undone when it ends: settings, temporary views, the session itself.

In Foundry every job is a Spark application of its own; here the jobs of a build share one, because starting one takes
seconds. ``docs/fidelity.md`` says what stays shared: the Hadoop configuration and cached data.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mirror.spark import copy_session

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class SharedSession:
    """One session for all jobs of a build, started when the first job asks, and again if a transform stopped it.

    What the asking thread then runs on Spark bears ``tag``, with the checks and the broadcasts that belong to it.
    """

    def __init__(self, start: Callable[[], SparkSession], *, tag: str) -> None:
        self._start = start
        self._tag = tag
        self._lock = threading.Lock()
        self._session: SparkSession | None = None

    def __call__(self) -> SparkSession:
        """The running session."""
        with self._lock:
            if self._session is None or _stopped(self._session):
                self._session = self._start()
            self._session.sparkContext.addJobTag(self._tag)
            return self._session


@contextmanager
def job_session(session: SparkSession, *, group: str, alone: bool) -> Iterator[SparkSession]:
    """The session a compute function gets, such that nothing it sets reaches another job.

    Args:
        session: shared by the build.
        group: of the Spark jobs that this thread starts from now on.
        alone: no other job runs at the same time. The job then works on the shared session itself, so that
            ``getOrCreate()`` finds the same settings and views as ``ctx.spark_session``, and the
            session is put back afterwards. Otherwise the job gets a copy (15 to 27 ms), whose temporary views
            ``getOrCreate()`` does not see.
    """
    session.sparkContext.setJobGroup(group, group)
    if not alone:
        yield copy_session(session)
        return
    settings = _settings(session)
    before = session._jvm.java.util.HashMap(settings)  # type: ignore[union-attr]
    try:
        yield session
    finally:
        if not _stopped(session):
            settings.clear()
            settings.putAll(before)
            session._jsparkSession.sessionState().catalog().clearTempTables()


def _settings(session: SparkSession) -> Any:
    """The live map behind ``spark.conf``; reading it whole through ``spark.conf`` costs a call per key."""
    return session._jsparkSession.sessionState().conf().settings()


def _stopped(session: SparkSession) -> bool:
    context = session.sparkContext
    return context._jsc is None or bool(context._jsc.sc().isStopped())
