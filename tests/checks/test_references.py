"""Row counts and values against other datasets of the same transform."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pyspark.sql import SparkSession

from mirror.checks import ERROR, FAIL, PASS, CheckResult, CheckSubject, evaluate
from transforms import expectations as E
from transforms.api import Check

DEVICE = E.dataset_ref("devices")
CASES: list[tuple[E.Expectation, str, str]] = [
    (E.col("device").is_in_foreign_col(DEVICE.col("id")), FAIL, "values without counterpart: 1 (5 rows in all)"),
    (E.col("known").is_in_foreign_col(DEVICE.col("ID")), PASS, "values without counterpart: 0"),
    (E.negate(E.col("device").is_in_foreign_col(DEVICE.col("id"))), PASS, ""),
    (E.any(E.col("device").is_in_foreign_col(DEVICE.col("id")), E.col("known").exists()), PASS, ""),
    (E.count().equals(DEVICE.count()), FAIL, "5 rows, expected = 3, the rows of devices"),
    (E.count().gt(DEVICE.count()), PASS, ""),
    (E.count().gte(E.dataset_ref("none").count()), PASS, ""),
    (E.count().lt(DEVICE.count()), FAIL, ""),
    (E.col("device").is_in_foreign_col(E.dataset_ref("none").col("id")), FAIL, "counterpart: 3"),
    (E.col("device").is_in_foreign_col(E.dataset_ref("device").col("id")), ERROR, "Did you mean 'devices'?"),
    (E.col("device").is_in_foreign_col(DEVICE.col("idd")), ERROR, "devices of /d has no column 'idd'"),
    (E.col("device").is_in_foreign_col(DEVICE.col("n")), ERROR, "n of type bigint"),
    (E.count().equals(E.dataset_ref("raw").count()), ERROR, "has no schema or no data on this branch"),
]


def judged(spark: SparkSession, cases: dict[int, E.Expectation]) -> dict[int, CheckResult]:
    own = spark.sql("SELECT * FROM VALUES ('a','a'),('b',NULL),('x','b'),('x','b'),(NULL,'a') AS t(device, known)")
    other = spark.sql("SELECT * FROM VALUES ('a',1L),('b',2L),(NULL,3L) AS t(id, n)")
    subject = CheckSubject(
        "/d",
        own.schema,
        lambda: own,
        references={
            "devices": CheckSubject("/devices", other.schema, lambda: other),
            "none": CheckSubject("/none", other.schema, lambda: other.limit(0)),
            "raw": CheckSubject("/raw", None, lambda: other),
        },
    )
    checks = [Check(case, str(i)) for i, case in cases.items()]
    return dict(zip(cases, evaluate(checks, subject, spark=spark, now=datetime(2024, 5, 1, tzinfo=UTC)), strict=True))


@pytest.fixture(scope="module")
def results(spark: SparkSession) -> dict[int, CheckResult]:
    return judged(spark, {i: case[0] for i, case in enumerate(CASES)})


@pytest.fixture(scope="module")
def some(spark: SparkSession) -> dict[int, CheckResult]:
    """One of each kind; every case costs a query."""
    return judged(spark, {i: CASES[i][0] for i in (0, 4, 5, 12)})


@pytest.mark.parametrize("i", range(len(CASES)), ids=[repr(c[0]) for c in CASES])
@pytest.mark.nightly
def test_against_references(results: dict[int, CheckResult], i: int) -> None:
    assert results[i].outcome == CASES[i][1], results[i].detail
    assert CASES[i][2] in results[i].detail


@pytest.mark.nightly
def test_the_threshold_is_the_other_count(some: dict[int, CheckResult]) -> None:
    assert [(result.outcome, CASES[i][2] in result.detail) for i, result in some.items()] == [
        (CASES[i][1], True) for i in some
    ]
    assert [result.threshold for result in some.values()] == ["= 0", "= 3", "> 3", ""]


def test_shows_the_values_without_counterpart(some: dict[int, CheckResult]) -> None:
    # nulls are no values, and each stray comes once with the rows that hold it
    assert [dict(row) for row in some[0].offending] == [{"device": "x", "rows": 2}]
