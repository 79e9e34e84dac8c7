"""Windows of a folder of clean files in a process of its own: ``python _pipeline_process.py CLEAN OUT`` prints JSON.

``cpu`` are CPU seconds of the second of two passes, ``heap_bytes`` the highest that the JVM's live heap was right
after a collection during it, ``python_bytes`` the largest Python worker.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

PARTITIONS = 8


class _Heap(threading.Thread):
    """The largest "used after the last collection" of the JVM's pools together, looked at ten times a second."""

    def __init__(self, jvm: Any) -> None:
        super().__init__(daemon=True)
        self._pools = list(jvm.java.lang.management.ManagementFactory.getMemoryPoolMXBeans())
        self._stopped = threading.Event()
        self.peak = 0

    def run(self) -> None:
        while not self._stopped.wait(0.1):
            used = [pool.getCollectionUsage() for pool in self._pools]
            self.peak = max(self.peak, sum(usage.getUsed() for usage in used if usage is not None))

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def _largest_worker() -> int:
    sizes = [0]
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"pyspark.daemon" in (folder / "cmdline").read_bytes():
                line = next(x for x in (folder / "status").read_text().splitlines() if x.startswith("VmHWM"))
                sizes.append(int(line.split()[1]) * 1024)
        except (OSError, StopIteration):
            continue
    return max(sizes)


def main(clean: str, out: str) -> None:
    from benchmarks._pipeline_cpu import cost
    from benchmarks._pipeline_data import windows
    from mirror.spark import start_session

    guest = Path(__file__).resolve().parent.parent / "transforms-python" / "src"
    settings = {"spark.sql.shuffle.partitions": str(PARTITIONS)}
    spark = start_session(app_name="windows", python_path=[guest], settings=settings)

    def work() -> None:
        windows(spark, Path(clean)).write.mode("overwrite").parquet(out)

    work()
    heap = _Heap(spark.sparkContext._jvm)
    heap.start()
    cpu = cost(work)
    heap.stop()
    print(json.dumps({"cpu": cpu, "heap_bytes": heap.peak, "python_bytes": _largest_worker()}))
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
