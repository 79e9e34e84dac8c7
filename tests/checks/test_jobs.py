"""How much is read, counted in Spark jobs: what can share a pass does, and what is known is not read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from pyspark.sql import DataFrame, SparkSession

from mirror.checks import FAIL, PASS, CheckSubject, evaluate, explain
from mirror.checks.explanation import SCAN_RULE
from transforms import expectations as E
from transforms.api import Check

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)

SIX = [
    E.col("id").gte(0),
    E.col("id").non_null(),
    E.col("half").lt(100),
    E.col("half").sum().gt(0),
    E.count().equals(60),
    E.col("half").max_value().lt(31),
]


@pytest.fixture(scope="module")
def stored(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("stored") / "data")
    spark.range(60).selectExpr("id", "id / 2 AS half", "id % 3 AS third").repartition(3).write.parquet(path)
    return path


def ask(spark: SparkSession, path: str, expectations: list[E.Expectation]) -> list[str]:
    # a given schema keeps Spark's own look at the footers out of the count
    frame = spark.read.schema("id LONG, half DOUBLE, third LONG").parquet(path)
    checks = [Check(expectation, str(i)) for i, expectation in enumerate(expectations)]
    return [r.outcome for r in evaluate(checks, CheckSubject("/d", frame.schema, lambda: frame), spark=spark, now=NOW)]


def test_six_checks_are_one_job(spark: SparkSession, stored: str, jobs: Callable[[Callable[[], object]], int]) -> None:
    outcomes: list[str] = []
    assert jobs(lambda: outcomes.extend(ask(spark, stored, SIX))) == 1
    assert outcomes == [PASS] * 6


@pytest.mark.nightly
def test_one_job_per_key_set_beside_the_scan(
    spark: SparkSession, stored: str, jobs: Callable[[Callable[[], object]], int]
) -> None:
    keyed = [
        E.primary_key("id", "third"),
        E.group_by("third", "id").is_unique(),
        E.group_by("third").count().equals(20),
        E.group_by("third").col("half").max_value().lt(30),
        E.col("third").distinct_count().equals(3),
    ]
    outcomes: list[str] = []
    assert jobs(lambda: outcomes.extend(ask(spark, stored, [*SIX, *keyed]))) == 3
    assert outcomes == [PASS] * 11


@pytest.mark.nightly
def test_a_failing_check_costs_one_query(
    spark: SparkSession, stored: str, jobs: Callable[[Callable[[], object]], int]
) -> None:
    outcomes: list[str] = []
    assert jobs(lambda: outcomes.extend(ask(spark, stored, [*SIX, E.col("id").lt(50)]))) == 2
    assert outcomes == [PASS] * 6 + [FAIL]


def test_the_session_keeps_its_settings(spark: SparkSession, adaptive: None, stored: str) -> None:
    before = spark.conf.get("spark.sql.adaptive.enabled")
    ask(spark, stored, SIX)
    assert spark.conf.get("spark.sql.adaptive.enabled") == before == "true"


def test_the_plan_prints(spark: SparkSession) -> None:
    schema = spark.range(0).selectExpr("id", "id AS half", "id AS third").schema

    def unread() -> DataFrame:
        raise AssertionError("explaining read the data")

    expectations = [
        E.col("id").gte(0),
        E.col("ID").non_null(),
        E.primary_key("id"),
        E.group_by("third", "id").is_unique(),
        E.count().equals(E.dataset_ref("other").count()),
        E.schema().contains({}),
        E.all(E.col("half").exists(), E.col("halve").gt(0)),
        E.group_by("third").count().gt(1),
    ]
    checks = [Check(expectation, str(i)) for i, expectation in enumerate(expectations)]
    subject = CheckSubject("/d", schema, unread, references={"other": CheckSubject("/o", schema, unread)})
    hashed = (
        "64-bit hashes from Spark, sorted in memory up to 32,000,000 rows; beyond, or where a hash repeats, the keys"
        " are grouped"
    )
    assert explain(checks, subject, spark=spark, now=NOW).explain() == [
        "from the schema alone",
        "  E.schema().contains({})",
        "  E.col('half').exists()",
        "not computable",
        "  E.col('halve').gt(0): /d has no column 'halve'. Did you mean 'half'?",
        "scan of 1 columns (id)",
        f"  ({SCAN_RULE})",
        "  violations(E.col('id').gte(0))",
        "  row_count",
        "  null_count(id)",
        f"groups by (id): {hashed}",
        "  duplicate_keys(id)",
        f"groups by (third, id): {hashed}",
        "  duplicate_keys(third, id)",
        "groups by (third): all rows",
        "  group_violations(E.group_by('third').count().gt(1))",
        "against other: reference_row_count(other)",
    ]
