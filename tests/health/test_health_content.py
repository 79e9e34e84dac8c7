"""Health checks on columns and values: from the schema, from footers and kept states, and from rows when asked."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from mirror.builds import CheckEntry, journal
from mirror.builds import tables as builds
from mirror.checks import CheckResult, Part
from mirror.datasets import StoredSchema, TransactionType, Workspace
from mirror.datasets.schema import fields_of_parquet
from mirror.health.case import HealthCase
from mirror.health.declaration import HealthCheck
from mirror.health.finding import Finding, Status
from mirror.health.kinds import check_kinds
from mirror.health.kinds.dataset_partition import DatasetPartition
from mirror.health.monitor import Evaluation, evaluate_checks
from mirror.health.reports import CheckReport

AT = datetime(2026, 3, 2, 11, tzinfo=UTC)
SCHEMA = pa.schema(
    [("k", pa.int64()), ("x", pa.float64()), ("s", pa.string()), ("t", pa.timestamp("us", "UTC")), ("d", pa.date32())]
)
ROWS = [
    {"k": 1, "x": 1.0, "s": "ab", "t": AT, "d": date(2026, 3, 1)},
    {"k": 2, "x": None, "s": "b", "t": AT - timedelta(hours=1), "d": date(2026, 3, 2)},
    {"k": 3, "x": 5.0, "s": None, "t": AT - timedelta(hours=2), "d": None},
    {"k": 4, "x": 6.0, "s": "c", "t": None, "d": None},
]


def check(kind: str, name: str = "", **parameters: Any) -> HealthCheck:
    given = {"name": name or kind, "type": kind, "dataset": "/d", "owner": "o", "reason": "so it is", **parameters}
    return check_kinds()[kind].model_validate(given)


def by_name(evaluation: Evaluation) -> dict[str, CheckReport]:
    return {report.check: report for report in evaluation.newest}


def ask(workspace: Workspace, *checks: HealthCheck, session: Any = None) -> dict[str, CheckReport]:
    return by_name(evaluate_checks(workspace, checks, "master", session=session))


def moderate(**ends: Any) -> dict[str, Any]:
    return {**ends, "severity": "MODERATE"}


COLUMNS = [
    {"name": name, "type": kind}
    for name, kind in {"k": "long", "x": "double", "s": "string", "t": "timestamp", "d": "date"}.items()
]


def schema(kind: str, columns: list[dict[str, str]], name: str = "") -> HealthCheck:
    return check(
        "schemaComparison", name or kind, schemaComparisonType=kind, expectedSchema=columns, severity="CRITICAL"
    )


def test_schemas_are_compared_in_four_ways(workspace, commit) -> None:
    commit("/d", ROWS, schema=SCHEMA)
    ordered, unordered = "EXACT_MATCH_ORDERED_COLUMNS", "EXACT_MATCH_UNORDERED_COLUMNS"
    found = ask(
        workspace,
        schema(ordered, COLUMNS, "ordered"),
        schema(ordered, [COLUMNS[1], COLUMNS[0], *COLUMNS[2:]], "swapped"),
        schema(unordered, COLUMNS[::-1], "unordered"),
        schema(unordered, COLUMNS[1:], "unlisted"),
        schema("COLUMN_ADDITIONS_ALLOWED", [{"name": "x"}, {"name": "s", "type": "int"}, {"name": "K"}], "wrong"),
        check("columnType", columnName="t", columnType="TIMESTAMP", severity="MODERATE"),
        check("columnType", "gone", columnName="t", present=False, severity="MODERATE"),
        check("columnType", "absent", columnName="z", present=False, severity="MODERATE"),
        check("totalColumnCount", expectedValue=4, severity="MODERATE"),
    )
    assert {name: one.message for name, one in found.items()} == {
        "ordered": "5 columns as expected",
        "swapped": "column 1 is k, expected x (so it is)",
        "unordered": "5 columns as expected",
        "unlisted": "k is not listed (so it is)",
        "wrong": "K is missing; s is string, expected int (so it is)",
        "columnType": "t: timestamp",
        "gone": "t: timestamp, expected no such column (so it is)",
        "absent": "z: no such column",
        "totalColumnCount": "5 columns, expected 4 (so it is)",
    }
    failed = {name for name, one in found.items() if one.status is Status.FAILED}
    assert failed == {"swapped", "unlisted", "wrong", "gone", "totalColumnCount"}


def test_a_strict_schema_absorbs_what_is_added(workspace, commit) -> None:
    strict = schema("COLUMN_ADDITIONS_ALLOWED_STRICT", [{"name": "a", "type": "bigint"}])
    said = []
    for columns in ("a", "ab", "a", "a", "ab"):
        commit("/d", [dict.fromkeys(columns, 1)], kind="SNAPSHOT")
        said.append(ask(workspace, strict)[strict.name].message)
    assert said == [
        "1 columns as expected",
        "2 columns as expected",
        "b was added later and is gone (so it is)",
        "b was added later and is gone (so it is)",
        "2 columns as expected",
    ]


FROM_FOOTERS = [
    check("dataFreshness", columnName="t", bounds=moderate(upperBoundInSeconds=1800)),
    check("nullPercentage", columnName="x", bounds=moderate(upperBoundPercentage=20)),
    check("dateColumnRange", "days", columnName="d", bounds=moderate(lowerBound=date(2026, 3, 2))),
    check("dateColumnRange", "instants", columnName="t", bounds=moderate(upperBound=AT)),
    check("dateColumnRange", "mixed up", columnName="t", bounds=moderate(upperBound=date(2026, 3, 2))),
    check("numericColumnRange", "keys", columnName="k", bounds=moderate(lowerBound=1, upperBound=3)),
    check("numericColumnRange", "text", columnName="s", bounds=moderate(lowerBound=1)),
    check("columnRegex", "digits", columnName="k", regex="^1", severity="CRITICAL"),
    check("allowedColumnValues", "yes", columnName="k", allowedValues=[1, True], severity="CRITICAL"),
    check("nullPercentage", "misspelt", columnName="xx", bounds=moderate(upperBoundPercentage=20)),
]


def test_footers_tell_what_they_can_without_a_job(workspace, commit, jobs) -> None:
    commit("/d", ROWS, schema=SCHEMA)
    found: dict[str, CheckReport] = {}
    assert jobs(lambda: found.update(ask(workspace, *FROM_FOOTERS))) == 0
    assert not evaluate_checks(workspace, READ, "master").reports, "what takes reading is left alone"
    assert {name: f"{one.status} {one.message}" for name, one in found.items()} == {
        "dataFreshness": "FAILED t behind the newest commit: 1 h is above 30 min (MODERATE: so it is)",
        "nullPercentage": "FAILED nulls in x: 25 % is above 20 % (MODERATE: so it is)",
        "days": "FAILED values of d: 2026-03-01 is below 2026-03-02 (MODERATE: so it is)",
        "instants": "PASSED values of t: 2026-03-02T09:00:00+00:00 to 2026-03-02T11:00:00+00:00",
        "mixed up": (
            "NOT_COMPUTABLE t of /d has type timestamp, which does not go with 2026-03-02: "
            "write an instant, as 2026-01-31T00:00:00Z."
        ),
        "keys": "FAILED values of k: 4 is above 3 (MODERATE: so it is)",
        "text": (
            "NOT_COMPUTABLE s of /d has type string, which does not go with a numeric check: name a numeric column."
        ),
        "digits": (
            "NOT_COMPUTABLE k of /d has type bigint, which does not go with a regular expression: "
            "name a column of type string."
        ),
        "yes": (
            "NOT_COMPUTABLE k of /d has type bigint, which does not go with True: "
            "compare it with a number, or cast the column."
        ),
        "misspelt": "NOT_COMPUTABLE /d has no column 'xx'. Did you mean 'x'?",
    }


READ = [
    check("allowedColumnValues", columnName="s", allowedValues=["ab", "b"], severity="MODERATE"),
    check("columnRegex", columnName="s", regex="^[ab]", severity="MODERATE"),
    check("numericColumnMean", columnName="x", bounds=moderate(upperBound=4)),
    check("numericColumnRange", columnName="x", bounds=moderate(lowerBound=0)),
    check("approximateUniquePercentage", columnName="s", bounds=moderate(lowerBoundPercentage=80)),
]


@pytest.mark.nightly
def test_rows_are_read_once_for_all_checks_and_only_when_asked(workspace, commit, spark, jobs) -> None:
    commit("/d", ROWS, schema=SCHEMA)
    told: list[Evaluation] = []

    def evaluate(session: Any) -> Callable[[], object]:
        return lambda: told.append(evaluate_checks(workspace, READ, "master", session=session))

    assert jobs(evaluate(None)) == 0
    assert told[0].reports == ()
    assert {one.check for one in told[0].unsettled} == {one.name for one in READ}
    assert told[0].unsettled[2].why == (
        "neither footers nor kept states tell sum(x); `mirror health run --content` reads it"
    )
    assert jobs(evaluate(lambda: spark)) == 1, "one pass over the dataset"
    assert {name: f"{one.status} {one.message}" for name, one in by_name(told[1]).items()} == {
        "allowedColumnValues": "FAILED values of s outside the list: 2 (so it is)",
        "columnRegex": "FAILED values of s that do not match '^[ab]': 1 (so it is)",
        "numericColumnMean": "PASSED mean of x: 4",
        "numericColumnRange": "PASSED values of x: 1 to 6",
        "approximateUniquePercentage": "FAILED unique values in s: 75 % is below 80 % (MODERATE: so it is)",
    }
    assert jobs(evaluate(None)) == 0, "what was read is kept"
    kept = by_name(told[2])
    assert [one.message for one in kept.values()] == [one.message for one in told[1].newest]


@pytest.mark.nightly
def test_medians_keys_and_relations_read_on_their_own(workspace, commit, spark, jobs) -> None:
    commit("/d", ROWS, schema=SCHEMA)
    commit("/e", ROWS[1:], schema=SCHEMA)
    bounds = moderate(lowerBoundPercentage=60)
    checks = [
        check("columnRelation", columnName="s", otherDataset="/e", otherColumnName="s", bounds=bounds),
        check("columnRelation", "types", columnName="s", otherDataset="/e", otherColumnName="k", bounds=bounds),
        check("numericColumnMedian", columnName="x", bounds=moderate(upperBound=4)),
        check("primaryKey", columns=["k"], severity="CRITICAL"),
        check("primaryKey", "not one", columns=["s"], severity="CRITICAL"),
    ]
    assert {one.check for one in evaluate_checks(workspace, checks, "master").unsettled} == {
        "columnRelation", "numericColumnMedian", "primaryKey", "not one",
    }  # fmt: skip
    found = ask(workspace, *checks, session=lambda: spark)
    assert found["columnRelation"].message == "s like s of /e: 66.7 %"
    assert found["types"].message == (
        "s of /d has type string, which does not go with k of /e, a bigint: compare columns of one type, or cast one."
    )
    assert found["numericColumnMedian"].message == "median of x: 5 is above 4 (MODERATE: so it is)"
    assert found["primaryKey"].status is Status.PASSED
    assert found["not one"].message.startswith("key (s): nulls in s: 1 (4 rows in all)")
    again: dict[str, CheckReport] = {}
    assert jobs(lambda: again.update(ask(workspace, *checks[:3], session=lambda: spark))) == 0
    assert again["numericColumnMedian"].value == 5.0, "the same transaction has the same median"


@pytest.mark.nightly
def test_a_pattern_that_does_not_compile_spoils_no_neighbour(workspace, commit, spark) -> None:
    commit("/d", ROWS, schema=SCHEMA)
    broken = check("columnRegex", "broken", columnName="s", regex="[a", severity="CRITICAL")
    found = ask(workspace, broken, READ[2], session=lambda: spark)
    assert found["broken"].status is Status.NOT_COMPUTABLE
    assert "The regular expression '[a' for s of /d does not compile" in found["broken"].message
    assert found["numericColumnMean"].status is Status.PASSED


@pytest.mark.nightly
def test_nan_meets_no_range_and_no_mean(workspace, tmp_path, spark) -> None:
    folder = tmp_path / "written"
    spark.range(1).selectExpr("double('NaN') AS x", "id AS k").coalesce(1).write.parquet(str(folder))
    (file,) = folder.glob("*.parquet")
    dataset = workspace.store.create("/d")
    opened = workspace.store.open_transaction(dataset, "master", TransactionType.SNAPSHOT)
    opened.add(file, file.name)
    opened.schema = StoredSchema("parquet", fields_of_parquet(file)[0])
    opened.commit()
    found = ask(
        workspace,
        check("numericColumnRange", columnName="x", bounds=moderate(lowerBound=0)),
        check("numericColumnMean", columnName="x", bounds=moderate(upperBound=1)),
        session=lambda: spark,
    )
    assert {one.status for one in found.values()} == {Status.FAILED}
    assert found["numericColumnRange"].measured == {"lowest": "nan", "highest": "nan"}
    assert found["numericColumnMean"].value is None or math.isnan(found["numericColumnMean"].value)


@pytest.mark.nightly
def test_a_mean_follows_its_trend(workspace, commit, spark) -> None:
    trend = {"trendType": "NON_DECREASING", "differenceBounds": {"upperBound": 2}, "severity": "MODERATE"}
    mean = check("numericColumnMean", columnName="x", trend=trend)
    said = []
    for value in (1.0, 2.0, 5.0, 4.0):
        commit("/d", [{"x": value}], kind="SNAPSHOT")
        said.append(ask(workspace, mean, session=lambda: spark)[mean.name])
        again = ask(workspace, mean)[mean.name]
        assert (again.status, again.message) == (said[-1].status, said[-1].message), "the same commit is no new run"
    assert [one.message for one in said] == [
        "mean of x: 1 (no previous run for the trend)",
        "mean of x: 2",
        "mean of x: 5 after 2 is a change of 3, above 2 (MODERATE: so it is)",
        "mean of x: 4 after 5 is not non decreasing (MODERATE: so it is)",
    ]
    assert said[0].status is Status.NOT_APPLICABLE


def _judged(workspace: Workspace, name: str, result: CheckResult) -> None:
    """Writes down what the job that committed the newest transaction of /d said."""
    workspace.catalog.ensure(*builds.ROOM)
    dataset = workspace.store.dataset("/d")
    rid = journal.start_build(workspace, "master", ())
    entry = CheckEntry("out", "/d", "output", name, "FAIL", result.outcome, result.to_json())
    with workspace.catalog.writing() as connection:
        values = {"rid": name, "build_rid": rid, "reference": name, "branch": "master", "reason": "r", "status": "x"}
        connection.execute(builds.jobs.insert().values(**values))
        newest = {"/d": workspace.store.view(dataset).end_rid}
        journal.keep_checks(connection, name, "master", [entry], {"/d": dataset}, newest, workspace.clock())


def test_a_key_takes_the_verdict_of_the_build_on_the_same_transaction(workspace, commit) -> None:
    commit("/d", ROWS, schema=SCHEMA)
    key = check("primaryKey", columns=["K"], severity="CRITICAL")
    part = Part("E.primary_key('k')", "FAIL", "repeated values of (k): 1")
    whole = Part("E.primary_key('s')", "PASS", "")
    _judged(workspace, "keys", CheckResult("keys", "FAIL", "FAIL", "E.all(...)", "", {}, parts=(whole, part)))
    assert ask(workspace, key)["primaryKey"].message == (
        "key (k): repeated values of (k): 1 (judged by the build as 'keys') (so it is)"
    )
    assert ask(workspace, check("primaryKey", columns=["s"], severity="CRITICAL"))["primaryKey"].status == "PASSED"
    commit("/d", ROWS, schema=SCHEMA)
    assert ask(workspace, key) == {}, "that verdict was about another transaction"


def test_a_check_that_is_pointed_elsewhere_forgets_its_data_points(workspace, commit) -> None:
    rule = {"dataPoints": 2, "deviationThreshold": 1, "severity": "MODERATE"}
    said = []
    for column in ("x", "x", "x", "s", "s"):
        commit("/d", ROWS, schema=SCHEMA)
        said.append(ask(workspace, check("nullPercentage", columnName=column, medianDeviation=rule))["nullPercentage"])
    assert [one.message for one in said] == [
        "nulls in x: 25 % (0 of 2 data points for the median deviation)",
        "nulls in x: 25 % (1 of 2 data points for the median deviation)",
        "nulls in x: 25 %",
        "nulls in s: 25 % (0 of 2 data points for the median deviation)",
        "nulls in s: 25 % (1 of 2 data points for the median deviation)",
    ]


class _Broken(DatasetPartition):
    def evaluate(self, case: HealthCase) -> Finding:
        raise RuntimeError("boom")


def test_a_check_that_breaks_is_an_error_and_its_neighbours_report(workspace, commit) -> None:
    commit("/d", ROWS, schema=SCHEMA)
    given = {"name": "broken", "type": "datasetPartition", "dataset": "/d", "owner": "o", "severity": "CRITICAL"}
    found = ask(workspace, _Broken.model_validate(given), FROM_FOOTERS[0])
    assert (found["broken"].status, found["broken"].message, found["broken"].severity) == (
        Status.ERROR, "RuntimeError: boom", "CRITICAL",
    )  # fmt: skip
    assert found["dataFreshness"].status is Status.FAILED


def test_values_of_a_sensitive_column_are_judged_and_never_told(workspace, commit) -> None:
    commit("/d", ROWS, schema=SCHEMA)
    workspace.config = replace(workspace.config, sensitive={"/d": frozenset({"K", "t"})})
    found = ask(
        workspace,
        check("numericColumnRange", columnName="k", bounds=moderate(upperBound=3)),
        check("dateColumnRange", columnName="t", bounds=moderate(upperBound=AT)),
        check("dataFreshness", columnName="t", bounds=moderate(upperBoundInSeconds=60)),
        check("numericColumnMean", columnName="k", trend=moderate(trendType="CONSTANT")),
    )
    assert {name: (one.message, one.value, one.measured) for name, one in found.items()} == {
        "numericColumnRange": ("values of k: a value that is not shown is above 3 (MODERATE: so it is)", None, {}),
        "dateColumnRange": ("values of t: a value that is not shown", None, {}),
        "dataFreshness": (
            "t behind the newest commit: a value that is not shown is above 1 min (MODERATE: so it is)", None, {},
        ),
        "numericColumnMean": ("k of /d is sensitive: no mean of it is kept, so there is no trend", None, {}),
    }  # fmt: skip
