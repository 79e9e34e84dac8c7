"""Which rows each row expectation blames; every case of this file is one column of a single Spark job."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from pyspark.sql import DataFrame, SparkSession

from mirror.checks.columns import Columns
from mirror.checks.patterns import java_pattern_fault
from mirror.checks.predicates import Predicates
from transforms import expectations as E

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

CASES: list[tuple[E.Expectation, set[int]]] = [
    # comparisons ignore null; NaN exceeds every number
    (E.col("num").gt(0), {2, 5}),
    (E.col("num").gte(0), {2}),
    (E.col("num").lt(11), {4}),
    (E.col("num").lte(0), {1, 4}),
    (E.col("num").equals(1), {2, 4, 5}),
    (E.col("num").not_equals(1), {1}),
    (E.col("num").gt(0.5), {2, 5}),
    (E.col("num").lt(2**70), set()),
    (E.col("NUM").gt(0), {2, 5}),
    (E.col("dbl").gt(1.0), {4}),
    (E.col("dbl").lt(1.0), {1, 2, 5}),
    (E.col("dbl").equals(float("nan")), {1, 4, 5}),
    (E.col("dbl").equals(0), {1, 2, 5}),
    (E.col("dec").gt(Decimal("0.5")), {2, 5}),
    (E.col("dec").lt(float("inf")), set()),
    (E.col("num").lt(float("inf")), set()),
    (E.col("num").gt(float("nan")), {1, 2, 4, 5}),
    (E.col("dbl").lt(float("inf")), {2, 5}),
    (E.col("dbl").lt(float("nan")), {2}),
    (E.col("text").gte("a"), {4, 5}),
    (E.col("text").equals("alpha"), {2, 4, 5}),
    (E.col("flag").equals(True), {2, 5}),
    (E.col("day").gte(date(2024, 5, 1)), {2}),
    (E.col("day").lt("2024-06-01"), {4}),
    (E.col("at").gt("2024-05-01T12:00:00+00:00"), {1, 4}),
    (E.col("wall").lt("2024-05-01T13:00:00"), {2}),
    # presence
    (E.col("num").non_null(), {3}),
    (E.col("dbl").non_null(), {3}),
    (E.col("num").is_null(), {1, 2, 4, 5}),
    (E.col("tags").non_null(), {3}),
    # is_in fails on null unless None is listed; more than ten values must still take -0.0 for 0.0
    (E.col("num").is_in(1, -1, 11, 0), {3}),
    (E.col("num").is_in(1, -1, None), {4, 5}),
    (E.col("num").is_in(None), {1, 2, 4, 5}),
    (E.col("text").is_in("alpha", "beta"), {3, 4, 5}),
    (E.col("dbl").is_in(0, float("nan")), {1, 3, 5}),
    (E.col("dbl").is_in(*range(12)), {1, 2, 3, 5}),
    (E.col("day").is_in(date(2024, 5, 1), "2024-05-02"), {2, 3, 4}),
    (E.col("at").is_in("2024-05-01T11:00:00+00:00", None), {2, 4, 5}),
    # patterns match anywhere
    (E.col("text").rlike("^al"), {2, 4, 5}),
    (E.col("text").rlike("(?i)LPH"), {2, 4}),
    (E.col("text").rlike(""), set()),
    # two columns; null on either side is undecided
    (E.col("num").gt_col("row"), {1, 2, 5}),
    (E.col("num").equals_col("row"), {2, 4, 5}),
    (E.col("num").not_equals_col("row"), {1}),
    (E.col("num").lte_col("dbl"), {4}),
    (E.col("row").gte_col("row"), set()),
    # timestamps against instants, columns and now (12:00)
    (E.col("at").is_before("2024-05-01T12:00:00+00:00"), {2, 4, 5}),
    (E.col("at").is_on_or_before("2024-05-01T14:00:00+02:00"), {2, 5}),
    (E.col("at").is_after("2024-05-01T12:00:00Z"), {1, 4}),
    (E.col("at").is_on_or_after("2024-05-01T12:00:00Z"), {1}),
    (E.col("at").is_before_col("ref_at"), {1, 4}),
    (E.col("at").is_on_or_before_col("ref_at"), {1}),
    (E.col("at").is_on_or_before_col("ref_at", 3600), set()),
    (E.col("at").is_after_col("ref_at", -7200), set()),
    (E.col("at").is_after_col("ref_at"), {2, 4}),
    (E.col("at").timestamp_offset_from_current_time().lt(3600), {2}),
    (E.col("at").timestamp_offset_from_current_time().lte(3600), set()),
    (E.col("at").timestamp_offset_from_current_time().gt(0), {1, 4}),
    (E.col("at").timestamp_offset_to_current_time().lt(HOUR), {1}),
    (E.col("at").timestamp_offset_to_current_time().lte(HOUR), set()),
    (E.col("at").timestamp_offset_to_current_time().gte(0), {2, 5}),
    (E.col("at").timestamp_offset_to_current_time().equals(3600), {2, 4, 5}),
    # arrays: a null array is undecided, a null element follows is_in, an empty array has no bad element
    (E.col("tags").is_in("a", "b"), {2, 5}),
    (E.col("tags").is_in("a", "b", None), {5}),
    (E.col("codes").is_in(1, 2, 3, 9), set()),
    (E.col("tags").array_contains("a"), {4, 5}),
    (E.col("tags").array_contains("c"), {1, 2, 4}),
    (E.col("tags").array_contains(None), {1, 4, 5}),
    (E.col("codes").array_contains(1), {2, 4}),
    (E.col("tags").size().equals(2), {4, 5}),
    (E.col("tags").size().lt(1), {1, 2, 5}),
    (E.col("codes").size().gte(0), set()),
    # combinations, row by row
    (E.any(E.col("num").lt(0), E.col("num").gt(10)), {1, 5}),
    (E.any(E.col("num").gt(0), E.col("text").is_in("ALPHA")), {2}),
    (E.all(E.col("num").gte(0), E.col("dbl").lt(2)), {2, 5}),
    (E.all(E.col("num").gt(0), E.col("num").non_null()), {2, 3, 5}),
    (E.negate(E.col("num").gt(0)), {1, 4}),
    (E.negate(E.negate(E.col("num").gt(0))), {2, 5}),
    (E.negate(E.col("text").is_in("alpha")), {1}),
    (E.negate(E.any(E.col("num").gt(0), E.col("dbl").equals(1.5))), {1, 4}),
    (E.negate(E.all(E.col("num").gt(0), E.col("text").rlike("a"))), {1}),
    (E.any(E.col("num").gt(0), E.false()), {2, 5}),
    (E.all(E.col("num").gt(0), E.true()), {2, 5}),
    (E.negate(E.all(E.col("num").non_null(), E.true())), {1, 2, 4, 5}),
    # a null in the condition passes it, so that row must meet the consequence
    (E.when(E.col("num").gt(0), E.col("text").non_null()).otherwise(E.true()), {3}),
    (E.when(E.col("num").gt(0), E.true()).otherwise(E.col("text").rlike("^b")), {5}),
    (E.when(E.col("num").non_null(), E.col("num").gt(0)).otherwise(E.col("row").equals(3)), {2, 5}),
    (E.when(E.true(), E.col("num").gt(0)).otherwise(E.false()), {2, 5}),
]


def blames(spark: SparkSession, rows: DataFrame) -> list[set[int]]:
    predicates = Predicates(Columns("/Fleet/clean", rows.schema), NOW, lambda p: java_pattern_fault(spark, p))
    verdicts = [predicates.passes(expectation).alias(f"c{i}") for i, (expectation, _) in enumerate(CASES)]
    found = rows.select("row", *verdicts).toPandas()
    assert not found.isna().any().any()
    return [set(found.loc[~found[f"c{i}"].astype(bool), "row"]) for i in range(len(CASES))]


@pytest.fixture(scope="module")
def blamed(spark: SparkSession, rows: DataFrame) -> list[set[int]]:
    return blames(spark, rows)


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("spark.sql.ansi.enabled", "true"),
        ("spark.sql.session.timeZone", "America/New_York"),
        ("spark.sql.legacy.sizeOfNull", "false"),
        ("spark.sql.caseSensitive", "true"),
    ],
)
def test_no_setting_of_the_session_changes_a_verdict(
    spark: SparkSession, rows: DataFrame, blamed: list[set[int]], key: str, value: str
) -> None:
    before = spark.conf.get(key)
    spark.conf.set(key, value)
    try:
        assert blames(spark, rows) == blamed
    finally:
        spark.conf.set(key, before)


@pytest.mark.parametrize("i", range(len(CASES)), ids=[repr(expectation) for expectation, _ in CASES])
def test_blames_exactly(blamed: list[set[int]], i: int) -> None:
    assert blamed[i] == CASES[i][1]


def test_reads_only_the_columns_it_names(spark: SparkSession, rows: DataFrame) -> None:
    predicates = Predicates(Columns("/Fleet/clean", rows.schema), NOW, lambda p: None)
    looked_at = predicates.columns_of(E.all(E.col("NUM").gt_col("row"), E.negate(E.col("tags").size().gt(1))))
    assert looked_at == ("num", "row", "tags")
