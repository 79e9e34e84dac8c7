"""Schemas without Spark are the ones Spark itself would read."""

from __future__ import annotations

import datetime as dt
import decimal
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from mirror.datasets import StoredSchema
from mirror.datasets.schema import differences, extended, fields_of_arrow, fields_of_parquet, nullable, path_columns_of


def test_arrow_types_map_as_spark_reads_them(spark: SparkSession, tmp_path: Path) -> None:
    table = pa.table(
        {
            "bool": pa.array([True]), "i8": pa.array([1], pa.int8()), "i16": pa.array([1], pa.int16()),
            "i32": pa.array([1], pa.int32()), "i64": pa.array([1], pa.int64()), "u8": pa.array([1], pa.uint8()),
            "u16": pa.array([1], pa.uint16()), "u32": pa.array([1], pa.uint32()), "u64": pa.array([1], pa.uint64()),
            "f32": pa.array([1.0], pa.float32()), "f64": pa.array([1.0]), "text": pa.array(["x"]),
            "large": pa.array(["x"], pa.large_string()), "bytes": pa.array([b"x"]),
            "day": pa.array([dt.date(2026, 1, 1)]),
            "utc": pa.array([dt.datetime(2026, 1, 1, tzinfo=dt.UTC)], pa.timestamp("us", "UTC")),
            "wall": pa.array([dt.datetime(2026, 1, 1, tzinfo=dt.UTC)], pa.timestamp("ms")),
            "money": pa.array([decimal.Decimal("1.50")], pa.decimal128(10, 2)), "list": pa.array([[1, 2]]),
            "map": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())), "struct": pa.array([{"a": 1, "b": ["x"]}]),
            "dict": pa.array(["x"]).dictionary_encode(),
        }
    )  # fmt: skip
    pq.write_table(table, tmp_path / "t.parquet")
    ours, count = fields_of_parquet(tmp_path / "t.parquet")
    theirs = spark.read.parquet(str(tmp_path / "t.parquet")).schema
    assert ours == nullable(json.loads(theirs.json()))
    assert count == 1


def test_what_spark_cannot_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="coerce_timestamps='us'"):
        fields_of_arrow(pa.schema([("t", pa.timestamp("ns"))]))
    with pytest.raises(ValueError, match="Spark has no type for time32"):
        fields_of_arrow(pa.schema([("t", pa.time32("s"))]))


def schema(*fields: tuple[str, str], kind: str = "parquet") -> StoredSchema:
    return StoredSchema(kind, fields_of_arrow(pa.schema([(n, pa.type_for_alias(t)) for n, t in fields])))


def test_rules_of_change() -> None:
    old = schema(("a", "int64"), ("b", "string"))
    assert differences(old, schema(("b", "string"), ("c", "int64"), ("a", "int64"))) == ()
    assert extended(old, schema(("b", "string"), ("c", "int64"), ("a", "int64"))).columns == ("a", "b", "c")
    assert differences(old, schema(("a", "int32"), ("B", "string"))) == (
        "column 'a' is integer instead of long",
        "column 'b' is missing",
        "column 'B' differs from 'b' only in case",
    )
    assert differences(old, schema(("a", "int64"), ("b", "string"), kind="csv")) == (
        "its files are parquet, the new ones csv",
    )


def test_path_columns_are_those_of_every_file() -> None:
    assert path_columns_of(["a=1/b=2/x", "b=3/a=1/y"]) == ("a", "b")
    assert path_columns_of(["a=1/x", "y"]) == ()
    assert path_columns_of([]) == ()


def test_a_schema_survives_json() -> None:
    made = StoredSchema(
        "csv", {"type": "struct", "fields": []}, {"sep": ";"}, ("p",), {"p": "d"}, {}, {"sort_by": ["p"]}
    )
    assert StoredSchema.from_json(json.loads(json.dumps(made.to_json()))) == made
