"""What a result holds: counts, offenders bounded, ordered and masked, and a stored form that comes back equal."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from pyspark.sql import DataFrame, SparkSession

from mirror.checks import FAIL, PASS, CheckResult, CheckSubject, evaluate
from mirror.checks.encoding import plain
from transforms import expectations as E
from transforms.api import Check

# Each case looks for offenders of its own; that a failing check blocks is proved every time.
pytestmark = pytest.mark.nightly

Judge = Callable[..., dict[str, CheckResult]]


@pytest.fixture(scope="module")
def results(judge: Judge, rows: DataFrame) -> dict[str, CheckResult]:
    named = {
        "key": E.primary_key("row"),
        "range": E.col("num").gt(0),
        "wide": E.col("dbl").lt(0),
        "instants": E.col("at").is_before("2024-05-01T11:30:00Z"),
        "nulls": E.col("day").non_null(),
        "repeats": E.group_by("flag").is_unique(),
        "groups": E.group_by("flag").col("num").sum().gte(-1),
        "secret": E.col("text").is_in("alpha"),
        "secret largest": E.col("text").max_value().lt("a"),
        "secret smallest": E.col("Dec").min_value().gt(0),
        "secret total": E.col("dec").sum().lt(0),
        "secret by group": E.group_by("flag").col("text").max_value().lt("a"),
        "secret groups": E.group_by("text").col("dec").sum().lt(0),
        "secret without value": E.all(E.col("row").lt(9), E.col("dec").distinct_count().lt(9)),
        "both": E.all(E.col("num").lt(11), E.primary_key("row"), E.group_by("flag").is_unique()),
        "property": E.col("num").sum().lt(0),
    }
    return judge(rows, named, sensitive=frozenset({"TEXT", "dec"}))


def test_offenders_carry_the_declared_key_and_the_columns_concerned(results: dict[str, CheckResult]) -> None:
    assert [dict(r) for r in results["range"].offending] == [{"row": 2, "num": -1}, {"row": 5, "num": 0}]
    assert [dict(r) for r in results["nulls"].offending] == [{"row": 3, "day": None}]
    # Spark reads -0.0 as 0.0 in JSON order, and infinity has no number in JSON
    assert [r["row"] for r in results["wide"].offending] == [1, 2, 4, 5]
    assert results["wide"].offending[1]["dbl"] == "NaN"
    assert results["wide"].offending[3]["dbl"] == "Infinity"


def test_instants_are_shown_in_utc_with_microseconds(results: dict[str, CheckResult]) -> None:
    assert results["instants"].offending[0] == {"row": 2, "at": "2024-05-01T13:00:00.000000Z"}


def test_groups_show_their_key_and_property(results: dict[str, CheckResult]) -> None:
    shown = [dict(r) for r in results["repeats"].offending]
    assert shown == [{"flag": False, "rows": 2}, {"flag": True, "rows": 2}]
    # the null group's sum has no value, and nothing that has no value passes
    assert [dict(r) for r in results["groups"].offending] == [{"flag": None, "sum(num)": None}]


def test_sensitive_values_are_masked(results: dict[str, CheckResult]) -> None:
    assert [r["text"] for r in results["secret"].offending] == ["***", None, "***", "***"]
    for name in ("secret", "secret largest", "secret smallest", "secret total", "secret by group", "secret groups"):
        assert results[name].outcome == FAIL
        told = json.dumps(results[name].to_json())
        assert "***" in told
        # the largest text, the least and the total decimal, and one in a group; "a", 0 and "alpha" are the author's
        assert not [value for value in ("beta", "-1.0", "2.5", "3.5") if value in told], name
    assert results["secret largest"].detail == "max_value(text) is ***, expected < 'a'"
    assert results["secret largest"].measured == {"max_value(text)": "***"}
    # what reveals no value is shown
    assert results["secret without value"].measured["distinct_count(dec)"] == 4


def test_composites_break_down(results: dict[str, CheckResult]) -> None:
    both = results["both"]
    assert both.outcome == FAIL
    assert [(p.expectation, p.outcome) for p in both.parts] == [
        ("E.col('num').lt(11)", FAIL),
        ("E.primary_key('row')", PASS),
        ("E.group_by('flag').is_unique()", FAIL),
    ]
    assert both.detail == "rows that break it: 1 (5 rows in all); repeated values of (flag): 2 (5 rows in all)"
    assert dict(both.offending[0]) == {"row": 4, "num": 11}
    assert both.measured == {
        "row_count": 5,
        "violations(E.col('num').lt(11))": 1,
        "null_count(row)": 0,
        "duplicate_keys(row)": 0,
        "duplicate_keys(flag)": 2,
    }


def test_passing_results_carry_numbers_too(results: dict[str, CheckResult]) -> None:
    assert results["key"].measured == {"row_count": 5, "null_count(row)": 0, "duplicate_keys(row)": 0}
    assert results["property"].offending == ()
    assert [results[n].threshold for n in ("property", "instants", "secret smallest", "both")] == [
        "< 0",
        "= 0",
        "> 0",
        "",
    ]
    assert [part.threshold for part in results["both"].parts] == ["= 0", "", "= 0"]


def test_stored_form_comes_back_equal(results: dict[str, CheckResult]) -> None:
    for result in results.values():
        assert CheckResult.from_json(json.loads(json.dumps(result.to_json()))) == result


def test_blocks_only_under_fail() -> None:
    def made(on_error: str, outcome: str) -> bool:
        return CheckResult("n", on_error, outcome, "E.true()", "", {}).blocks

    assert [made("FAIL", o) for o in ("PASS", "FAIL", "ERROR")] == [False, True, True]
    assert [made("WARN", o) for o in ("PASS", "FAIL", "ERROR")] == [False, False, False]


@pytest.mark.nightly
def test_offenders_are_bounded_and_in_order(spark: SparkSession) -> None:
    frame = spark.range(500).selectExpr("499 - id AS id", *[f"id AS c{i}" for i in range(20)]).repartition(4)
    subject = CheckSubject("/d", frame.schema, lambda: frame)
    (result,) = evaluate([Check(E.col("c15").lt(0), "n")], subject, spark=spark, now=datetime(2024, 5, 1, tzinfo=UTC))
    assert result.measured["violations(E.col('c15').lt(0))"] == 500
    assert [row["c15"] for row in result.offending] == list(range(20))
    assert len(result.offending[0]) == 12


def test_plain_values() -> None:
    assert plain(float("nan")) == "nan"
    assert plain({"a": (float("-inf"), b"\x00")}) == {"a": ["-inf", "AA=="]}
    assert plain(datetime(2024, 1, 1, tzinfo=UTC)) == "2024-01-01T00:00:00+00:00"
