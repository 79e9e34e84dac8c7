"""Windows of a folder of clean files in a process of its own: ``python _pipeline_process.py CLEAN OUT`` prints JSON.

``cpu`` are CPU seconds of the second of two passes, ``jvm_bytes`` and ``python_bytes`` the high-water marks of the JVM
and of the largest Python worker, ``live_bytes`` what the heap holds after a collection at the end. The heap has one
size, whatever the fleet's, and is taken whole from the start: else the mark would tell how long nobody had to collect.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

PARTITIONS = 8
HEAP = "512m"


def _peak(command: bytes) -> int:
    """The largest high-water mark of the processes below this one whose command line names ``command``."""
    peaks, mine = [0], {os.getpid()}
    for pid in sorted(int(folder.name) for folder in Path("/proc").glob("[0-9]*")):
        try:
            status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
            named = command in Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if int(status["PPid"]) in mine:
            mine.add(pid)
            if named and "VmHWM" in status:
                peaks.append(int(status["VmHWM"].split()[0]) * 1024)
    return max(peaks)


def main(clean: str, out: str) -> None:
    from benchmarks._pipeline_cpu import cost
    from benchmarks._pipeline_data import windows, write
    from mirror.spark import start_session

    guest = Path(__file__).resolve().parent.parent / "transforms-python" / "src"
    settings = {"spark.sql.shuffle.partitions": str(PARTITIONS), "spark.driver.memory": HEAP}
    os.environ["SPARK_SUBMIT_OPTS"] = f"-Xms{HEAP} -XX:+AlwaysPreTouch"
    spark = start_session(app_name="windows", python_path=[guest], settings=settings)

    def work() -> None:
        write(windows(spark, Path(clean)), Path(out))

    work()
    figures = {"cpu": cost(work), "jvm_bytes": _peak(b"java"), "python_bytes": _peak(b"-m\0mirror.python_daemon")}
    jvm = cast("Any", spark._jvm)
    jvm.System.gc()
    figures["live_bytes"] = jvm.java.lang.management.ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed()
    print(json.dumps(figures))
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
