"""Whether Spark can compile a regular expression."""

from __future__ import annotations

from pyspark.errors.exceptions.captured import IllegalArgumentException
from pyspark.sql import SparkSession


def java_pattern_fault(spark: SparkSession, pattern: str) -> str | None:
    """What Java's compiler says against ``pattern``, on one line; ``None`` when it compiles."""
    jvm = spark.sparkContext._jvm
    try:
        jvm.java.util.regex.Pattern.compile(pattern)  # type: ignore[union-attr]
    except IllegalArgumentException as error:
        return str(error).splitlines()[0]
    return None
