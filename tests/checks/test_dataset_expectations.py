"""Properties, groups, keys and counts, on data, on no rows and on nothing but nulls: each frame is evaluated once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Context, Decimal

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from mirror.checks import ERROR, FAIL, PASS, CheckResult
from mirror.checks.metrics.total import Total
from mirror.checks.operands import Bound, holds
from transforms import expectations as E

Judge = Callable[..., dict[str, CheckResult]]
DAY = timedelta(days=1)
BIG = 2**62

#: expectation, outcome on `rows`, outcome without rows
CASES: list[tuple[E.Expectation, str, str]] = [
    (E.count().equals(5), PASS, FAIL),
    (E.count().gt(0), PASS, FAIL),
    (E.count().equals(0), FAIL, PASS),
    (E.col("num").null_count().equals(1), PASS, FAIL),
    (E.col("num").null_count().equals(0), FAIL, PASS),
    (E.col("num").null_percentage().equals(0.2), PASS, FAIL),
    (E.col("num").null_percentage().lt(0.2), FAIL, FAIL),
    (E.col("num").distinct_count().equals(4), PASS, FAIL),
    (E.col("text").distinct_count().equals(0), FAIL, PASS),
    (E.col("num").approx_distinct_count().equals(4), PASS, FAIL),
    (E.col("num").sum().equals(11), PASS, FAIL),
    (E.col("num").sum().gt(0), PASS, FAIL),
    (E.col("dbl").sum().gt(1e300), PASS, FAIL),
    (E.col("dec").sum().equals(2.5), PASS, FAIL),
    (E.col("num").max_value().lt(float("inf")), PASS, FAIL),
    (E.col("dbl").min_value().gt(float("-inf")), PASS, FAIL),
    (E.col("num").standard_deviation_sample().lt(5.6), PASS, FAIL),
    (E.col("num").standard_deviation_sample().gt(5.5), PASS, FAIL),
    (E.col("num").standard_deviation_population().lt(4.9), PASS, FAIL),
    (E.col("num").min_value().equals(-1), PASS, FAIL),
    (E.col("num").max_value().lte(11), PASS, FAIL),
    (E.col("dbl").max_value().gt(float("inf")), PASS, FAIL),
    (E.col("text").min_value().equals(""), PASS, FAIL),
    (E.col("day").max_value().equals("2024-06-01"), PASS, FAIL),
    (E.col("at").max_value().equals("2024-05-01T15:00:00+02:00"), PASS, FAIL),
    (E.col("at").max_value().timestamp_offset_to_current_time().lt(DAY), PASS, FAIL),
    (E.col("at").min_value().timestamp_offset_to_current_time().lt(3600), FAIL, FAIL),
    (E.col("at").min_value().is_on_or_after("2024-05-01T11:00:00Z"), PASS, FAIL),
    (E.col("wall").max_value().equals("2024-05-01T13:00:00"), PASS, FAIL),
    # rows and keys hold vacuously on no rows; a null group key is a group
    (E.col("num").gt(100), FAIL, PASS),
    (E.col("num").non_null(), FAIL, PASS),
    (E.primary_key("row"), PASS, PASS),
    (E.primary_key("num"), FAIL, PASS),
    (E.primary_key("num", "row"), FAIL, PASS),
    (E.group_by("num").is_unique(), PASS, PASS),
    (E.group_by("flag").is_unique(), FAIL, PASS),
    (E.group_by("flag", "day").is_unique(), PASS, PASS),
    (E.group_by("flag").count().lte(2), PASS, PASS),
    (E.group_by("flag").count().gt(1), FAIL, PASS),
    (E.group_by("flag").col("num").sum().gte(-1), FAIL, PASS),
    (E.group_by("flag").col("row").sum().lte(7), PASS, PASS),
    (E.group_by("flag").col("num").null_percentage().lt(1), FAIL, PASS),
    (E.group_by("flag").col("text").distinct_count().lte(2), PASS, PASS),
    (E.group_by("flag").col("row").max_value().gte(3), PASS, PASS),
    (E.group_by("row").col("at").max_value().is_on_or_before("2024-05-01T13:00:00Z"), FAIL, PASS),
    (E.group_by("row").col("row").min_value().gt(0), PASS, PASS),
    # a dataset-level part makes any, all, negate and when judge once
    (E.any(E.col("num").gt(100), E.primary_key("row")), PASS, PASS),
    (E.any(E.col("num").lt(0), E.col("num").gt(10), E.col("num").exists()), PASS, PASS),
    (E.all(E.col("row").gt(0), E.count().gt(0)), PASS, FAIL),
    (E.negate(E.primary_key("flag")), PASS, FAIL),
    (E.negate(E.negate(E.primary_key("flag"))), FAIL, PASS),
    (E.when(E.count().gt(0), E.primary_key("flag")).otherwise(E.false()), FAIL, FAIL),
    (E.when(E.count().equals(0), E.false()).otherwise(E.primary_key("row")), PASS, FAIL),
    (E.true(), PASS, PASS),
    (E.false(), FAIL, FAIL),
]
NAMED = {f"{i}": expectation for i, (expectation, _, _) in enumerate(CASES)}
IDS = [repr(expectation) for expectation, _, _ in CASES]


@pytest.fixture(scope="module")
def on_rows(judge: Judge, rows: DataFrame) -> dict[str, CheckResult]:
    # offenders cost a query each and have their own tests
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mirror.checks.evaluation.collect", lambda *_, **__: ())
        return judge(rows, NAMED)


@pytest.fixture(scope="module")
def on_nothing(judge: Judge, rows: DataFrame) -> dict[str, CheckResult]:
    return judge(rows.limit(0), NAMED)


@pytest.mark.parametrize("i", range(len(CASES)), ids=IDS)
def test_on_rows(on_rows: dict[str, CheckResult], i: int) -> None:
    result = on_rows[str(i)]
    assert (result.outcome, result.reason) == (CASES[i][1], ""), result.detail


@pytest.mark.parametrize("i", range(len(CASES)), ids=IDS)
@pytest.mark.nightly
def test_without_rows(on_nothing: dict[str, CheckResult], i: int) -> None:
    result = on_nothing[str(i)]
    assert (result.outcome, result.offending) == (CASES[i][2], ()), result.detail


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("key", "value"), [("spark.sql.ansi.enabled", "true"), ("spark.sql.session.timeZone", "America/New_York")]
)
def test_no_setting_of_the_session_changes_a_verdict(
    spark: SparkSession, judge: Judge, rows: DataFrame, on_rows: dict[str, CheckResult], key: str, value: str
) -> None:
    before = spark.conf.get(key)
    spark.conf.set(key, value)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("mirror.checks.evaluation.collect", lambda *_, **__: ())
            found = judge(rows, NAMED)
    finally:
        spark.conf.set(key, before)
    assert {name: (r.outcome, r.detail) for name, r in found.items()} == {
        name: (r.outcome, r.detail) for name, r in on_rows.items()
    }


def test_numbers_compare_as_in_spark() -> None:
    # an exact number beside a double is a double; Python alone would call 0.3 the smaller of the two
    assert holds(Decimal("0.3"), Bound("lte", 0.3))
    assert holds(Decimal("0.30"), Bound("equals", 0.3))
    assert holds(2**53 + 1, Bound("equals", float(2**53)))
    assert not holds(2**53 + 1, Bound("equals", 2**53))
    assert holds(float("nan"), Bound("gt", float("inf")))
    assert holds(float("nan"), Bound("equals", float("nan")))
    # and Python alone would keep 28 digits of a decimal sum
    total = Total("c", T.DecimalType(38, 2))
    large, small = Decimal(10**33), Decimal("0.01")
    assert total.value(total.merge((1, large), (1, small))) == Decimal(10**35 + 1).scaleb(-2, Context(prec=40))


def test_a_property_of_nothing_says_so(judge: Judge, rows: DataFrame) -> None:
    (result,) = judge(rows.limit(0), {"sum": E.col("num").sum().equals(11)}).values()
    assert result.detail == "sum(num) has no value here, expected = 11"
    assert result.measured == {"sum(num)": None}


def test_offset_results_show_the_timestamps_used(on_rows: dict[str, CheckResult]) -> None:
    result = on_rows[str(IDS.index("E.col('at').max_value().timestamp_offset_to_current_time().lt(86400)"))]
    assert result.measured == {
        "max_value(at)": "2024-05-01T13:00:00+00:00",
        "now": "2024-05-01T12:00:00+00:00",
        "bound": "2024-04-30T12:00:00+00:00",
    }
    assert result.threshold == "> 2024-04-30T12:00:00+00:00"


@pytest.mark.nightly
def test_null_is_a_key_like_any_other_and_floats_group_as_they_compare(spark: SparkSession, judge: Judge) -> None:
    frame = spark.sql(
        "SELECT * FROM VALUES (NULL, 1, 0.0D, 1), (NULL, 1, -0.0D, 2), (NULL, 2, double('NaN'), 3), "
        "('a', NULL, double('NaN'), 4), ('a', 3, 1.0D, 5) AS t(k, n, d, i)"
    )
    results = judge(
        frame,
        {
            "pair repeats": E.group_by("k", "n").is_unique(),
            "triple does not": E.group_by("k", "n", "i").is_unique(),
            "null group counts": E.group_by("k").count().lte(2),
            "zero and NaN repeat": E.group_by("d").is_unique(),
            "distinct leaves null out": E.col("k").distinct_count().equals(1),
            "distinct floats": E.col("d").distinct_count().equals(3),
            "key with null": E.primary_key("k", "i"),
            "key": E.primary_key("i"),
        },
    )
    assert {name: r.outcome for name, r in results.items()} == {
        "pair repeats": FAIL,
        "triple does not": PASS,
        "null group counts": FAIL,
        "zero and NaN repeat": FAIL,
        "distinct leaves null out": PASS,
        "distinct floats": PASS,
        "key with null": FAIL,
        "key": PASS,
    }
    # -0.0 equals 0.0, NaN itself
    assert sorted(row["rows"] for row in results["zero and NaN repeat"].offending) == [2, 2]
    assert [dict(row) for row in results["pair repeats"].offending] == [{"k": None, "n": 1, "rows": 2}]


@pytest.mark.nightly
def test_sums_of_longs_do_not_wrap(spark: SparkSession, judge: Judge) -> None:
    big = spark.range(4).select(
        F.lit(BIG).alias("long"),
        F.lit(-1).alias("minus"),
        F.lit("k").alias("key"),
        F.lit(1).cast("decimal(38,0)").alias("small"),
        F.expr("CAST('99999999999999999999999999999999999999' AS DECIMAL(38,0))").alias("huge"),
    )
    results = judge(
        big,
        {
            "exact": E.col("long").sum().equals(4 * BIG),
            "negative": E.col("minus").sum().equals(-4),
            "grouped": E.group_by("key").col("long").sum().gt(0),
            "decimal": E.col("small").sum().equals(4),
            "too big": E.col("huge").sum().gt(0),
        },
    )
    assert {name: r.outcome for name, r in results.items()} == {
        "exact": PASS,
        "negative": PASS,
        "grouped": PASS,
        "decimal": PASS,
        "too big": ERROR,
    }
    assert results["too big"].reason == "overflow"
    assert "sum(huge) of /Fleet/clean does not fit its type decimal(38,0)" in results["too big"].detail
