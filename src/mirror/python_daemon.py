"""Forks the Python workers of a local session, as ``pyspark.daemon`` does, with what they all import already loaded.

Spark's own daemon makes every task pay for its libraries: before it, the directories of all archives on the path are
read again; after it, the collector walks every object that pandas and pyarrow made. On two cores that was a tenth of
a CPU second a task, more than most tasks take. Here libraries come from plain folders, are loaded once before the
first fork, and are left alone by the collector. ``mirror.spark`` names this module to Spark, for local masters only.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import importlib.util
import os
import platform
import sys
from typing import Any

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_BLOCK = 1 << 25
"""The most that every glibc accepts."""
_KEPT = 1 << 30


def _keep_memory() -> None:
    """Has workers use again what they freed, where the system's allocator is glibc's.

    Else every array of a few megabytes is a mapping of its own, and the kernel clears each of its pages anew. Idle
    workers are ended by Spark after a minute, and give back what they kept.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    allocator = ctypes.CDLL(None)
    allocator.mallopt(_M_MMAP_THRESHOLD, _LARGEST_BLOCK)
    allocator.mallopt(_M_TRIM_THRESHOLD, _KEPT)


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
    _keep_memory()
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
