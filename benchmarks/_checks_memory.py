"""What a driver holds while it judges a folder: ``python _checks_memory.py FOLDER [key]`` prints one JSON object.

``peak_bytes`` is the high-water mark of the Python process, ``heap_bytes`` what the JVM still holds after a collection,
``result_bytes`` what all tasks sent to the driver. A small folder judged beforehand is not taken off: imports, the
session and the first query are in every figure alike.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def main(folder: str, key: bool) -> None:
    from benchmarks._checks_data import checks
    from benchmarks.checks import NOW, subject
    from mirror.checks import evaluate
    from mirror.spark import start_session
    from transforms import expectations as E
    from transforms.api import Check

    spark = start_session(app_name="driver memory")
    asked = [
        *checks(key=key),
        Check(E.group_by("device_id").count().gt(0), "groups"),
        Check(E.col("status").distinct_count().equals(4), "distinct"),
        Check(E.col("s0").lt(0), "every row fails", "WARN"),
    ]
    results = evaluate(asked, subject(spark, Path(folder), spark.read.parquet(folder).schema), spark=spark, now=NOW)
    judged = {result.name: result.outcome for result in results}
    status = Path("/proc/self/status").read_text()
    peak = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024
    jvm = spark.sparkContext._jvm
    assert jvm is not None
    jvm.java.lang.System.gc()
    runtime = jvm.java.lang.Runtime.getRuntime()
    # Scala's defaults, which Java callers have to spell out
    no_quantiles, any_task = spark.sparkContext._gateway.new_array(jvm.double, 0), jvm.java.util.ArrayList()
    store = spark.sparkContext._jsc.sc().statusStore()
    stages = store.stageList(None, False, False, no_quantiles, any_task)
    sent = sum(stages.apply(i).resultSize() for i in range(stages.size()))
    figures = {"peak_bytes": peak, "heap_bytes": runtime.totalMemory() - runtime.freeMemory(), "result_bytes": sent}
    print(json.dumps({**figures, "failed": sorted(name for name, outcome in judged.items() if outcome != "PASS")}))
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1], "key" in sys.argv[2:])
