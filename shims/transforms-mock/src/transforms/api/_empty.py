"""Empty Spark frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType


def empty_frame(spark: SparkSession, schema: StructType) -> DataFrame:
    """No rows of exactly this schema.

    Made inside the JVM: the public way goes through a Python worker, which costs more than everything else that usually
    happens to an empty frame.
    """
    from pyspark.sql import DataFrame

    jvm = spark._jvm
    if jvm is None:
        return spark.createDataFrame([], schema)
    described = jvm.org.apache.spark.sql.types.DataType.fromJson(schema.json())
    return DataFrame(spark._jsparkSession.createDataFrame(jvm.java.util.ArrayList(), described), spark)
