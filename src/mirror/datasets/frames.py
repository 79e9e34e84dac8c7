"""Views as Spark frames: explicit schema, explicit files, columns of partitioned paths taken from the logical path."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mirror.datasets.errors import NoSchemaError, SparkCannotReachError
from mirror.datasets.records import StoredSchema, is_hidden
from mirror.datasets.storage import spark_names
from transforms.ports import FileEntry

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession
    from pyspark.sql.types import StructType

_NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"


def spark_schema(schema: StoredSchema) -> StructType:
    """The schema as Spark's type, every column nullable."""
    from pyspark.sql.types import StructType

    return StructType.fromJson(json.loads(json.dumps(schema.fields)))


def read_frame(
    spark: SparkSession, dataset: str, branch: str, files: Sequence[FileEntry], schema: StoredSchema | None
) -> DataFrame:
    """The rows of some files of a dataset; hidden files are left out. Raises NoSchemaError."""
    if schema is None:
        raise NoSchemaError(dataset, branch)
    wanted = spark_schema(schema)
    locations = spark_names([f for f in files if not is_hidden(f.path)])
    if not locations:
        return spark.createDataFrame([], wanted)
    inside = [f for f in wanted.fields if f.name not in schema.path_columns]
    reader = spark.read.schema(type(wanted)(inside)).format(schema.format).options(**schema.options)
    with reachable(locations[0]):
        frame = reader.load(locations)
    if not schema.path_columns:
        return frame
    kinds: dict[str, Any] = {f.name: f.dataType for f in wanted.fields}
    from pyspark.sql import functions as F

    derived = {name: _from_path(name, locations).cast(kinds[name]) for name in schema.path_columns}
    return frame.select(
        [derived[f.name].alias(f.name) if f.name in derived else F.col(_quoted(f.name)) for f in wanted]
    )


@contextlib.contextmanager
def reachable(place: str) -> Iterator[None]:
    """Says which scheme Spark lacks a file system for. Raises SparkCannotReachError."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (Py4JError, PySparkException) as error:
        text = str(error)
        for line in text.splitlines():
            if "No FileSystem for scheme" in line or ("ClassNotFoundException" in line and "FileSystem" in line):
                raise SparkCannotReachError(place, line.strip()) from error
        raise


def _from_path(name: str, locations: Sequence[str]) -> Column:
    """The value of ``name=value`` in the file's path: decoded as URI, as physical name, and as Hive partition.

    Spark leaves out files by it, but then judges it again for every row; values in which nothing is escaped, such as
    days, are therefore cut out of the path without any decoding, which is some fifty times as fast.
    """
    import re
    from urllib.parse import quote

    from pyspark.sql import functions as F

    plain = re.compile(rf"/{re.escape(name)}=[A-Za-z0-9.-]+/")
    if all(len(plain.findall(place)) == place.count(f"/{name}=") == 1 for place in locations):
        return F.substring_index(F.substring_index(F.col("_metadata.file_path"), f"/{name}=", -1), "/", 1)
    folder = re.escape(quote(quote(quote(name))))
    value = F.regexp_extract(F.col("_metadata.file_path"), f"/{folder}=([^/]*)/", 1)
    for _ in range(3):
        value = F.url_decode(F.replace(value, F.lit("+"), F.lit("%2B")))
    return F.when(value != _NULL_PARTITION, value)


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
