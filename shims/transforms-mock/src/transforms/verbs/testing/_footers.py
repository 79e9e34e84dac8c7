"""The schema of Parquet files from their footers, without a Spark job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql.types import StructType


def parquet_schema(folder: Path) -> StructType | None:
    """The columns of the first Parquet file below a folder, all nullable; ``None`` where there is none."""
    import pyarrow.parquet

    from transforms.api._arrow import spark_schema

    for file in sorted(folder.rglob("*.parquet")):
        return spark_schema(pyarrow.parquet.read_schema(file))
    return None
