"""Our session against Spark's defaults, each as a whole process that makes a small frame, groups it and exits."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import Bench, Figure

_WORK = """
import pandas as pd
frame = session.createDataFrame(pd.DataFrame({"k": ["a", "b", "a"], "v": [1.0, 2.0, 3.0]}))
assert frame.groupBy("k").sum("v").count() == 2
session.stop()
"""

_OURS = "from mirror.spark import start_session\nsession = start_session()\n" + _WORK

_DEFAULTS = (
    """
import os, sys
from mirror.java import find_java
os.environ["JAVA_HOME"] = str(find_java().home)
os.environ["PYSPARK_PYTHON"] = sys.executable
from pyspark.sql import SparkSession
session = SparkSession.builder.master("local[2]").getOrCreate()
"""
    + _WORK
)


def run(bench: Bench) -> Iterator[Figure]:
    from mirror.spark import prepare_class_archive

    archive = prepare_class_archive()
    bench.say(f"session_start: class-data archive {'in place' if archive else 'could not be made'}")
    yield bench.compare("whole_process", a=bench.python(_OURS), b=bench.python(_DEFAULTS), limit=0.9)
