"""Forks the Python workers of a local session, as ``pyspark.daemon`` does, with what they all import already loaded.

Spark's own daemon makes every task pay for its libraries: before it, the directories of all archives on the path are
read again; after it, the collector walks every object that pandas and pyarrow made. On two cores that was a tenth of
a CPU second a task, more than most tasks take. Here libraries come from plain folders, are loaded once before the
first fork, and are left alone by the collector. ``mirror.spark`` names this module to Spark, for local masters only.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import sys
from typing import Any


def _forget_archives() -> None:
    """Spark names its own archives first; wherever pyspark lies in a plain folder they say nothing new."""
    everything = list(sys.path)
    sys.path[:] = [entry for entry in everything if not entry.endswith((".zip", ".jar"))]
    if importlib.util.find_spec("pyspark") is None or importlib.util.find_spec("py4j") is None:
        sys.path[:] = everything
        return
    for entry in set(everything).difference(sys.path):
        sys.path_importer_cache.pop(entry, None)


def _run() -> None:
    _forget_archives()
    import pandas  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import pyspark.sql.pandas.serializers  # noqa: F401

    daemon: Any = importlib.import_module("pyspark.daemon")
    work = daemon.worker
    loaded = 0

    def worker(*given: Any) -> Any:
        """One task; then what it imported is set aside, and what else it left behind is collected as ever."""
        nonlocal loaded
        code = work(*given)
        if len(sys.modules) != loaded:
            loaded = len(sys.modules)
            gc.collect()
            gc.freeze()
        return code

    daemon.worker = worker
    gc.collect()
    gc.freeze()
    daemon.manager()


if __name__ == "__main__":
    _run()
