"""Schema, type and existence checks: decided without a job, nullability and order aside, names by case."""

from __future__ import annotations

from datetime import UTC, datetime

import polars
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from mirror.checks import ERROR, FAIL, PASS, CheckSubject, evaluate
from transforms import expectations as E
from transforms.api import Check

SCHEMA = T.StructType(
    [
        T.StructField("id", T.LongType(), False),
        T.StructField("tags", T.ArrayType(T.StringType(), False)),
        T.StructField("price", T.DecimalType(10, 2)),
        T.StructField("at", T.TimestampType()),
        T.StructField("inner", T.StructType([T.StructField("x", T.IntegerType(), False)])),
    ]
)
ALL = {
    "inner": T.StructType([T.StructField("x", T.IntegerType())]),
    "at": T.TimestampType,
    "price": T.DecimalType(10, 2),
    "tags": T.ArrayType(T.StringType()),
    "id": T.LongType(),
}

CASES: list[tuple[E.Expectation, str, str]] = [
    (E.schema().equals(ALL), PASS, "5 columns as expected"),
    (E.schema().equals({k: v for k, v in ALL.items() if k != "at"}), FAIL, "at is not listed"),
    (E.schema().equals(ALL | {"more": T.LongType()}), FAIL, "more is missing"),
    (E.schema().equals(ALL | {"id": T.IntegerType()}), FAIL, "id is bigint, expected int"),
    (E.schema().contains({"id": T.LongType()}), PASS, "as expected"),
    (E.schema().contains({}), PASS, "as expected"),
    (E.schema().contains({"ID": T.LongType()}), FAIL, "ID is missing"),
    (E.schema().contains({"price": T.DecimalType(10, 3)}), FAIL, "decimal(10,2), expected decimal(10,3)"),
    (E.schema().contains({"tags": T.ArrayType(T.LongType())}), FAIL, "array<string>, expected array<bigint>"),
    (E.schema().is_subset_of(ALL | {"more": T.LongType()}), PASS, "as expected"),
    (E.schema().is_subset_of({"id": T.LongType()}), FAIL, "tags is not listed; price is not listed"),
    (E.schema().is_subset_of(ALL | {"id": T.StringType()}), FAIL, "id is bigint, expected string"),
    (E.any(E.schema().contains({"ID": T.LongType()}), E.schema().contains({"id": T.LongType()})), PASS, ""),
    (E.col("id").has_type(T.LongType()), PASS, "id is bigint"),
    (E.col("ID").has_type(T.LongType), PASS, "id is bigint"),
    (E.col("id").has_type(T.IntegerType()), FAIL, "id is bigint, expected int"),
    (E.col("gone").has_type(T.IntegerType()), FAIL, "no column 'gone'"),
    (E.col("id").has_type(polars.Int64), PASS, "id is bigint"),
    (E.col("id").has_type(polars.String()), FAIL, "expected string"),
    (E.col("tags").has_type(polars.List(polars.String)), PASS, ""),
    (E.col("at").has_type(polars.Datetime("us", "UTC")), PASS, ""),
    (E.col("at").has_type(polars.Datetime("us")), FAIL, "expected timestamp_ntz"),
    (E.col("price").has_type(polars.Decimal(10, 2)), PASS, ""),
    (E.col("inner").has_type(polars.Struct({"x": polars.Int32})), PASS, ""),
    (E.col("id").has_type("bigint"), ERROR, "'bigint', expected of id of /Fleet/clean, is no Spark or Polars type"),
    (E.col("id").exists(), PASS, "id: bigint"),
    (E.col("gone").exists(), FAIL, "no column 'gone'"),
    (E.col("inner.x").exists(), FAIL, "no column 'inner.x'"),
    (E.negate(E.col("gone").exists()), PASS, "no column 'gone'"),
]


def unreadable() -> DataFrame:
    raise AssertionError("a schema check read the data")


@pytest.mark.parametrize(("expectation", "outcome", "says"), CASES, ids=[repr(c[0]) for c in CASES])
def test_from_the_schema_alone(spark: SparkSession, expectation: E.Expectation, outcome: str, says: str) -> None:
    subject = CheckSubject("/Fleet/clean", SCHEMA, unreadable)
    (result,) = evaluate([Check(expectation, "c")], subject, spark=spark, now=datetime.now(UTC))
    assert result.outcome == outcome
    assert says in result.detail
