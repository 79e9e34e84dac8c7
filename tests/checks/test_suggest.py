"""Checks proposed from data: what is seen, with the reason, and nothing that the data do not show."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pyspark.sql import SparkSession

from mirror.checks import CheckSubject, evaluate
from mirror.checks.suggest import suggest
from transforms import expectations as E
from transforms.api import Check


@pytest.mark.nightly
def test_proposes_what_the_data_show(spark: SparkSession) -> None:
    frame = spark.range(2000).selectExpr(
        "id",
        "CAST(id AS STRING) AS code",
        "id % 7 AS day",
        "CASE WHEN id % 10 = 0 THEN NULL WHEN id = 5 THEN 1e9 WHEN id = 6 THEN double('NaN') ELSE id % 50 END AS temp",
        "CASE WHEN id % 2 = 0 THEN 'ok' ELSE 'warn' END AS status",
        "CASE WHEN id % 4 = 0 THEN NULL ELSE 'x' END AS note",
        "CASE WHEN id % 2 = 0 THEN double('Infinity') ELSE 1D END AS odd",
        "array(id) AS tags",
    )
    made = {s.name: s for s in suggest(CheckSubject("/d", frame.schema, lambda: frame))}
    assert {name: s.expectation for name, s in made.items()} == {
        "id is a key": E.primary_key("id"),
        "code is a key": E.primary_key("code"),
        "id present": E.col("id").non_null(),
        "code present": E.col("code").non_null(),
        "day present": E.col("day").non_null(),
        "day range": E.all(E.col("day").gte(0), E.col("day").lte(6)),
        "temp nulls": E.col("temp").null_percentage().lte(0.2),
        # one value of a billion and one NaN among 1800 are outliers, not bounds
        "temp range": E.all(E.col("temp").gte(1.0), E.col("temp").lte(49.0)),
        "status present": E.col("status").non_null(),
        "status allowed": E.col("status").is_in("ok", "warn"),
        # infinity is no bound, and no literal to paste
        "odd present": E.col("odd").non_null(),
        "note nulls": E.col("note").null_percentage().lte(0.5),
        "note allowed": E.col("note").is_in("x", None),
    }
    assert made["temp nulls"].code() == (
        "Check(E.col('temp').null_percentage().lte(0.2), 'temp nulls', 'WARN',"
        " '10.00% of 2000 rows are null; twice that is allowed'),"
    )
    secret = suggest(CheckSubject("/d", frame.schema, lambda: frame, sensitive=frozenset({"Temp", "note"})))
    assert {s.name for s in secret} == made.keys() - {"temp range", "note allowed"}
    checks = [Check(s.expectation, s.name) for s in made.values() if s.name != "temp range"]
    subject = CheckSubject("/d", frame.schema, lambda: frame)
    results = evaluate(checks, subject, spark=spark, now=datetime(2024, 1, 1, tzinfo=UTC))
    assert {r.outcome for r in results} == {"PASS"}


@pytest.mark.nightly
def test_few_rows_show_no_range_and_no_rows_nothing(spark: SparkSession) -> None:
    frame = spark.sql("SELECT * FROM VALUES (1, 'a'), (1, 'b') t(n, s)")
    few = suggest(CheckSubject("/d", frame.schema, lambda: frame))
    assert [s.name for s in few] == ["s is a key", "n present", "s present"]
    assert suggest(CheckSubject("/d", frame.schema, lambda: frame.limit(0))) == []
