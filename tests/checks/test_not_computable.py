"""What cannot be computed is an ERROR with its reason; it blocks under FAIL, and its neighbours still report."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import cast

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from mirror.checks import ERROR, FAIL, PASS, CheckResult, CheckSubject, errors, evaluate
from mirror.checks.columns import Columns
from mirror.checks.errors import CheckError, DuplicateCheckError
from mirror.checks.ranges import refuse_swapped
from mirror.errors import ExitCode
from transforms import expectations as E
from transforms.api import Check
from transforms.expectations.tree import AllOf, Expectation

Judge = Callable[..., dict[str, CheckResult]]
NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
CASES: list[tuple[E.Expectation, str, str]] = [
    (E.col("nun").gt(1), "missing_column", "/Fleet/clean has no column 'nun'. Did you mean 'num'?"),
    (E.col("num").gt_col("zzzzz"), "missing_column", "Its columns: at, codes, day"),
    (E.primary_key("row", "keys"), "missing_column", "no column 'keys'"),
    (E.group_by("nun").count().gt(1), "missing_column", "Did you mean 'num'?"),
    (E.col("nun").sum().gt(1), "missing_column", "Did you mean 'num'?"),
    (E.col("text").gt(9), "wrong_type", "text of /Fleet/clean has type string, which does not go with 9"),
    (E.col("num").gt("9"), "wrong_type", "num of /Fleet/clean has type bigint, which does not go with '9'"),
    (E.col("num").equals(True), "wrong_type", "does not go with True"),
    (E.col("flag").equals(1), "wrong_type", "compare it with True or False"),
    (E.col("day").gt(3), "wrong_type", "compare it with a date such as '2024-05-01'"),
    (E.col("day").is_before("2024-05-01T00:00:00Z"), "wrong_type", "Timestamp columns only"),
    (E.col("wall").is_after("2024-05-01T00:00:00Z"), "wrong_type", "Timestamp columns only"),
    (E.col("at").is_before_col("day"), "wrong_type", "day of /Fleet/clean has type date"),
    (E.col("at").gt("yesterday"), "wrong_type", "an instant such as"),
    (E.col("wall").gt("2024-05-01T00:00:00Z"), "wrong_type", "the column has no zone"),
    (E.col("tags").gt("a"), "wrong_type", "array columns take is_in, array_contains and size only"),
    (E.col("num").array_contains(1), "wrong_type", "only array columns contain elements"),
    (E.col("codes").array_contains("1"), "wrong_type", "the elements of codes of /Fleet/clean"),
    (E.col("codes").is_in("1"), "wrong_type", "the elements of codes"),
    (E.col("num").size().gt(1), "wrong_type", "only arrays have a size"),
    (E.col("num").rlike("1"), "wrong_type", "patterns apply to strings"),
    (E.col("text").sum().gt(1), "wrong_type", "it takes numeric columns only"),
    (E.col("tags").distinct_count().gt(1), "wrong_type", "it takes plain columns only"),
    (E.primary_key("tags"), "wrong_type", "keys and groups are plain columns"),
    (E.col("num").equals_col("text"), "wrong_type", "compare columns of one plain kind"),
    (E.col("num").gt(10**40), "wrong_type", "more than 38 digits"),
    (E.col("dec").gt(Decimal("NaN")), "wrong_type", "decimals are finite"),
    (
        E.all(E.col("num").gte(10), E.col("num").lte(-10)),
        "swapped_range",
        "is to be >= 10 and <= -10, which nothing is",
    ),
    (E.all(E.col("num").lt(3), E.col("NUM").non_null(), E.col("num").gt(3.5)), "swapped_range", "swap the ends"),
    (E.all(E.col("num").gt(3), E.all(E.col("num").lt(3))), "swapped_range", "E.col('num') of /Fleet/clean"),
    (E.all(E.col("dbl").gte(float("inf")), E.col("dbl").lte(0)), "swapped_range", ">= inf and <= 0"),
    (
        E.all(E.col("at").is_after("2024-05-02T01:00:00+02:00"), E.col("at").lt("2024-05-01T22:00:00Z")),
        "swapped_range",
        "> 2024-05-01T23:00:00+00:00 and < 2024-05-01T22:00:00+00:00",
    ),
    (
        E.all(E.col("at").timestamp_offset_to_current_time().gt(60), E.col("at").is_after("2024-05-01T12:00:00Z")),
        "swapped_range",
        "< 2024-05-01T11:59:00+00:00",
    ),
    (E.negate(E.all(E.col("day").gte("2024-05-02"), E.col("day").lte("2024-05-01"))), "swapped_range", "swap the ends"),
    (E.all(E.col("text").gte("b"), E.col("text").lt("b")), "swapped_range", "is to be >= 'b' and < 'b'"),
    (E.all(E.col("tags").size().gt(2), E.col("tags").size().lt(2)), "swapped_range", "E.col('tags').size()"),
    (E.all(E.count().gte(10), E.count().lte(5)), "swapped_range", "E.count() of /Fleet/clean is to be >= 10 and <= 5"),
    (E.all(E.col("num").sum().gt(9), E.col("num").sum().lt(1)), "swapped_range", "E.col('num').sum()"),
    (E.all(E.group_by("flag").count().gt(9), E.group_by("flag").count().lt(1)), "swapped_range", ".count() of"),
    (E.col("num").max_value().is_before("2024-05-01T00:00:00Z"), "wrong_type", "Timestamp columns only"),
    (E.col("text").rlike("(a"), "bad_pattern", "'(a' for text of /Fleet/clean does not compile: Unclosed group"),
    (E.col("at").is_before("2024-05-01T00:00:00"), "timestamp_without_zone", "write e.g. '2024-05-01T00:00:00+00:00'"),
    (E.col("at").is_before(datetime(2024, 5, 1)), "timestamp_without_zone", "has no time zone"),  # noqa: DTZ001
    (E.col("at").gt("2024-05-01"), "timestamp_without_zone", "'2024-05-01', compared with at"),
    (E.count().equals(E.dataset_ref("row").count()), "missing_reference", "no dataset of the same transform"),
    (E.when(E.col("num").gt(1), E.primary_key("row")).otherwise(E.true()), "mixed_levels", "split them"),
    (E.negate(E.col("nun").gt(1)), "missing_column", "'nun'"),
    (E.negate(E.any(E.col("nun").gt(1), E.col("num").gt(1))), "missing_column", "'nun'"),
    (E.when(E.col("nun").gt(1), E.true()).otherwise(E.true()), "missing_column", "'nun'"),
    (E.all(E.col("nun").gt(1), E.col("row").gt(0)), "missing_column", "'nun'"),
    (E.any(E.col("nun").gt(1), E.col("row").gt(1)), "missing_column", "'nun'"),
    (E.when(E.col("nun").sum().gt(1), E.true()).otherwise(E.true()), "missing_column", "'nun'"),
]

#: an undecidable part does not matter where the others decide
DECIDED: list[tuple[E.Expectation, str]] = [
    (E.any(E.col("nun").gt(1), E.col("row").gt(0)), PASS),
    (E.any(E.col("nun").gt(1), E.col("row").lt(3), E.col("row").gt(2)), PASS),
    (E.all(E.col("nun").gt(1), E.col("row").gt(1)), FAIL),
    (E.any(E.negate(E.col("nun").exists()), E.col("nun").gt(0)), PASS),
    (E.any(E.primary_key("nun"), E.primary_key("row")), PASS),
    # ends that meet are no mistake, nor are ends of different columns
    (E.all(E.col("row").gte(1), E.col("row").lte(5), E.col("num").lte(11), E.col("num").gte(-1)), PASS),
    (E.any(E.all(E.col("row").gte(9), E.col("row").lte(0)), E.col("row").gt(0)), PASS),
    (E.all(E.col("nun").exists(), E.col("nun").gt(0)), FAIL),
]


@pytest.fixture(scope="module")
def results(judge: Judge, rows: DataFrame) -> dict[str, CheckResult]:
    cases = {f"error {i}": c[0] for i, c in enumerate(CASES)} | {f"decided {i}": c[0] for i, c in enumerate(DECIDED)}
    return judge(rows, cases | {"neighbour": E.col("num").lt(12)})


@pytest.mark.parametrize("i", range(len(CASES)), ids=[repr(c[0]) for c in CASES])
def test_error_with_reason(results: dict[str, CheckResult], i: int) -> None:
    result = results[f"error {i}"]
    assert (result.outcome, result.reason) == (ERROR, CASES[i][1])
    assert CASES[i][2] in result.detail
    assert result.blocks


@pytest.mark.parametrize("i", range(len(DECIDED)), ids=[repr(c[0]) for c in DECIDED])
def test_decided_by_the_other_parts(results: dict[str, CheckResult], i: int) -> None:
    assert results[f"decided {i}"].outcome == DECIDED[i][1]


def test_ends_are_compared_as_their_column_compares_them() -> None:
    columns = Columns("/d", T.StructType().add("dec", "decimal(9,2)").add("at", "timestamp").add("n", "long"))
    sound = [
        # as text the first instant is the later one, and as exact numbers 0.3 is less than three tenths
        E.all(E.col("at").gte("2024-05-01T12:00:00+02:00"), E.col("at").lt("2024-05-01T11:00:00Z")),
        E.all(E.col("dec").gte(Decimal("0.3")), E.col("dec").lte(0.3)),
        E.all(E.col("n").gt(1), E.col("n").gt(3), E.col("n").lt(5), E.col("n").lte(9)),
        E.all(E.col("n").not_equals(1), E.col("n").gt("wrong"), E.col("gone").gt(3), E.col("gone").lt(1)),
    ]
    for demanded in sound:
        refuse_swapped(cast(AllOf, demanded), columns, NOW)
    for demanded in (E.all(E.col("n").gt(1), E.col("n").gt(5), E.col("n").lt(5), E.col("n").lt(9)),):
        with pytest.raises(errors.SwappedRangeError, match="> 5 and < 5"):
            refuse_swapped(cast(AllOf, demanded), columns, NOW)


def test_neighbours_still_report(results: dict[str, CheckResult]) -> None:
    assert results["neighbour"].outcome == PASS
    assert results["neighbour"].measured["row_count"] == 5


def test_raw_files_have_no_columns(spark: SparkSession) -> None:
    subject = CheckSubject("/Fleet/raw", None, lambda: spark.range(0).toDF("x"))
    results = evaluate([Check(E.col("x").gt(0), "a", "WARN"), Check(E.true(), "b")], subject, spark=spark, now=NOW)
    assert [(r.outcome, r.reason, r.blocks) for r in results] == [(ERROR, "no_schema", False), (PASS, "", False)]
    assert "/Fleet/raw has no schema" in results[0].detail


class Homemade(Expectation):
    """A kind of expectation that nobody taught the compiler."""

    def __repr__(self) -> str:
        return "Homemade()"


def test_a_kind_nobody_knows_blocks_with_its_own_reason(judge: Judge, rows: DataFrame) -> None:
    results = judge(rows, {"own": Homemade(), "known": E.count().gt(0)})
    assert (results["own"].outcome, results["own"].reason) == (ERROR, "not_an_expectation")
    assert "Homemade()" in results["own"].detail
    assert results["known"].outcome == "PASS"


def test_two_checks_of_one_name_are_refused(spark: SparkSession, rows: DataFrame) -> None:
    subject = CheckSubject("/Fleet/clean", rows.schema, lambda: rows)
    with pytest.raises(DuplicateCheckError, match="/Fleet/clean has two checks named 'same'") as raised:
        evaluate([Check(E.true(), "same"), Check(E.false(), "same")], subject, spark=spark, now=NOW)
    assert raised.value.exit_code is ExitCode.USAGE


def test_errors_pickle() -> None:
    made: list[CheckError] = [
        errors.ColumnMissingError("/d", "a", ("b",)),
        errors.ColumnTypeError("/d", "a", "int", "x", "cast it"),
        errors.PatternError("/d", "a", "(", "unclosed"),
        errors.ZonelessTimestampError("/d", "a", "2024-01-01"),
        errors.UnknownTypeError("/d", "a", "int"),
        errors.ReferenceMissingError("/d", "left", ("lefts",), ""),
        errors.ReferenceMissingError("/d", "left", ("left",), "has no schema"),
        errors.NoSchemaError("/d"),
        errors.SwappedRangeError("/d", "E.col('a')", ">= 1", "<= 0"),
        errors.MixedLevelsError("/d", "E.when(...)"),
        errors.NotAnExpectationError("/d", "3"),
        errors.OverflowedError("/d", "a", "decimal(38,0)"),
        errors.DuplicateCheckError("/d", "n"),
    ]
    for error in made:
        assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - our own bytes
        assert "/d" in str(error)
    assert "Did you mean 'lefts'?" in str(made[5])
