"""Health checks on time, status and size: judged from the catalog of a real workspace, without a session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from mirror.builds import JobSpec, JobStatus, ParamSpec, journal
from mirror.builds import tables as builds
from mirror.datasets import TransactionType, Workspace
from mirror.health.declaration import HealthCheck
from mirror.health.finding import Status
from mirror.health.kinds import check_kinds
from mirror.health.monitor import Evaluation, after_build, evaluate_checks
from mirror.health.reports import CheckReport, history

Run = Callable[..., None]


def check(kind: str, **parameters: Any) -> HealthCheck:
    given = {"name": kind, "type": kind, "dataset": "/d", "owner": "o", "reason": "so it is", **parameters}
    return check_kinds()[kind].model_validate({k: v for k, v in given.items() if v is not None})


def ask(workspace: Workspace, *checks: HealthCheck) -> dict[str, CheckReport]:
    return {report.check: report for report in evaluate_checks(workspace, checks, "master").newest}


def seen(evaluation: Evaluation) -> list[tuple[str, str]]:
    return [(str(report.status), report.notice) for report in evaluation.reports]


def _spec(name: str, output: str, inputs: Sequence[str] = ()) -> JobSpec:
    params = [ParamSpec(f"in{at}", "dataset_input", "input", (path,)) for at, path in enumerate(inputs)]
    made = ParamSpec("out", "dataset_output", "output", (output,))
    return JobSpec(name, name, "m.py:1", "spark", "v", (*params, made))


SPECS = {
    "first": _spec("first", "/first", ["/landing"]),
    "second": _spec("second", "/second", ["/first"]),
    "aside": _spec("aside", "/aside", ["/landing"]),
}


@pytest.fixture
def ran(workspace: Workspace, clock: Any) -> Run:
    """``ran(first="succeeded", second="failed", seconds=60)`` writes one build with these jobs into the journal."""
    workspace.catalog.ensure(*builds.ROOM)
    with workspace.catalog.writing() as connection:
        rows = [
            {"branch": "master", "reference": name, "position": at, "document": _document(spec)}
            for at, (name, spec) in enumerate(SPECS.items())
        ]
        connection.execute(builds.job_specs.insert(), rows)

    def write(seconds: float = 60, **jobs: str) -> None:
        rid = journal.start_build(workspace, "master", ())
        for name, status in jobs.items():
            job = journal.start_job(workspace, rid, SPECS[name], "master", "because", clock())
            clock.advance(seconds=seconds)
            with workspace.catalog.writing() as connection:
                error = "ValueError: no\nmore" if status == "failed" else None
                journal.finish_job(connection, job, JobStatus(status), clock(), error=error)
        journal.finish_build(workspace, rid, "failed" if "failed" in jobs.values() else "succeeded")

    return write


def _document(spec: JobSpec) -> str:
    import json

    return json.dumps(spec.to_json())


def test_a_late_update_leaves_a_failure_at_the_threshold_and_a_pass_now(workspace, commit, clock) -> None:
    """The documented example: one hour; updates after 58 minutes and after 62."""
    start: datetime = clock()
    hour = check(
        "timeSinceLastUpdated",
        bounds={"upperBoundInSeconds": 3600, "severity": "CRITICAL", "reason": "hourly"},
        subscribers=[{"who": "Ada"}, {"who": "Bo", "level": "only critical"}, {"who": "Cy", "level": "nothing"}],
    )
    commit("/d", [{"n": 1}])
    evaluate_checks(workspace, [hour], "master")
    clock.advance(minutes=58)
    commit("/d", [{"n": 1}])
    assert seen(evaluate_checks(workspace, [hour], "master")) == [("PASSED", "")]
    clock.advance(minutes=62)
    commit("/d", [{"n": 1}])
    missed, now = evaluate_checks(workspace, [hour], "master").reports
    assert (missed.status, missed.notice, missed.notified) == (Status.FAILED, "failed", ("Ada", "Bo"))
    assert missed.created_at == start + timedelta(minutes=58 + 60)
    assert missed.message == "time since last updated: 1 h elapsed without an update (CRITICAL: hourly)"
    assert (now.status, now.notice, now.notified, now.value) == (Status.PASSED, "recovered", ("Ada", "Bo"), 0.0)
    clock.advance(minutes=61)
    late = evaluate_checks(workspace, [hour], "master")
    assert seen(late) == [("FAILED", "failed")]
    assert late.newest[0].message == "time since last updated: 1.02 h is above 1 h (CRITICAL: hourly)"
    clock.advance(minutes=5)
    commit("/d", [{"n": 1}])
    assert seen(evaluate_checks(workspace, [hour], "master")) == [("PASSED", "recovered")], "it was seen when due"


def test_empty_transactions_refresh_no_clock_unless_asked(workspace, commit, clock) -> None:
    import pyarrow as pa

    bounds = {"upperBoundInSeconds": 60, "severity": "MODERATE", "reason": "r"}
    kept = check("timeSinceLastUpdated", name="ignoring", bounds=bounds)
    counted = check("timeSinceLastUpdated", name="counting", bounds=bounds, ignoreEmptyTransactions=False)
    commit("/d", [{"n": 1}])
    clock.advance(minutes=2)
    commit("/d", [], schema=pa.schema([("n", pa.int64())]))
    found = ask(workspace, kept, counted)
    assert (found["ignoring"].status, found["counting"].status) == (Status.FAILED, Status.PASSED)
    assert found["ignoring"].value == 120.0


def test_a_lower_bound_and_the_median_look_at_the_time_between_updates(workspace, commit, clock) -> None:
    often = check(
        "timeSinceLastUpdated",
        name="often",
        bounds={"lowerBoundInSeconds": 600, "severity": "MODERATE", "reason": "cost"},
    )
    steady = check(
        "timeSinceLastUpdated",
        name="steady",
        medianDeviation={"dataPoints": 4, "deviationThreshold": 3, "severity": "MODERATE", "reason": "r"},
    )
    commit("/d", [{"n": 1}])
    for minutes in (60, 62, 58, 60):
        clock.advance(minutes=minutes)
        commit("/d", [{"n": 1}])
    assert {report.status for report in ask(workspace, often, steady).values()} == {Status.PASSED}
    clock.advance(minutes=5)
    commit("/d", [{"n": 1}])
    found = ask(workspace, often, steady)
    assert found["often"].message == "time since last updated: 5 min is below 10 min (MODERATE: cost)"
    assert "5 min is more than 3 sigma below the median 1 h of 4" in found["steady"].message


def test_status_checks_escalate_recover_and_tell_nobody_twice(workspace, ran, clock) -> None:
    job = check(
        "jobStatus",
        dataset="/first",
        severity="MODERATE",
        escalation={"failuresToCritical": 2, "timeIntervalInSeconds": 3600},
        subscribers=[{"who": "Ada"}, {"who": "Lead", "level": "only critical"}],
    )

    def evaluate() -> tuple[str, str, tuple[str, ...], int]:
        report = ask(workspace, job)["jobStatus"]
        return str(report.severity), report.notice, report.notified, report.failures

    assert ask(workspace, job)["jobStatus"].message == "no job has ended yet"
    ran(first="failed")
    assert evaluate() == ("MODERATE", "failed", ("Ada",), 1)
    assert evaluate() == ("MODERATE", "", (), 1), "the same job again is no second failure"
    ran(first="aborted")
    assert evaluate() == ("CRITICAL", "escalated", ("Ada", "Lead"), 2)
    ran(first="succeeded")
    assert evaluate() == ("None", "recovered", ("Ada", "Lead"), 0)
    ran(first="failed")
    evaluate()
    clock.advance(hours=2)
    ran(first="failed")
    assert evaluate() == ("MODERATE", "failed", ("Ada",), 2), "outside the interval the row does not escalate"
    newest, *_, oldest = history(workspace, "master", "jobStatus")
    assert newest.message.endswith("UTC: ValueError: no (so it is)")
    assert (oldest.sequence, newest.sequence) == (1, 7)
    assert newest.config == job.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    assert newest.config["escalation"] == {"failuresToCritical": 2, "timeIntervalInSeconds": 3600}


def test_a_snooze_is_silent_until_it_ends(workspace, ran, clock) -> None:
    until = clock() + timedelta(hours=1)
    asleep = check(
        "jobStatus",
        dataset="/first",
        severity="CRITICAL",
        subscribers=[{"who": "Ada"}],
        snooze={"until": until, "reason": "known outage"},
    )
    ran(first="failed")
    quiet = evaluate_checks(workspace, [asleep], "master")
    assert (quiet.newest[0].status, quiet.newest[0].notified, quiet.alarms) == (Status.FAILED, (), ())
    clock.advance(hours=1)
    awake = evaluate_checks(workspace, [asleep], "master")
    assert (awake.newest[0].notice, awake.newest[0].notified, len(awake.alarms)) == ("failed", ("Ada",), 1)
    ran(first="succeeded")
    assert ask(workspace, asleep)["jobStatus"].notified == ("Ada",)


def test_who_never_heard_of_a_failure_does_not_hear_of_its_end(workspace, ran, clock) -> None:
    until = clock() + timedelta(hours=1)
    asleep = check(
        "jobStatus",
        dataset="/first",
        severity="CRITICAL",
        subscribers=[{"who": "Ada"}],
        snooze={"until": until, "reason": "known outage"},
    )
    ran(first="failed")
    assert ask(workspace, asleep)["jobStatus"].notified == ()
    clock.advance(hours=1)
    ran(first="succeeded")
    quiet = ask(workspace, asleep)["jobStatus"]
    assert (quiet.notice, quiet.notified) == ("recovered", ())


def test_builds_count_where_a_dataset_is_their_end_and_schedules_where_it_is_needed(workspace, ran) -> None:
    checks = [
        check("buildStatus", name="first ends", dataset="/first", severity="MODERATE"),
        check("buildStatus", name="second ends", dataset="/second", severity="MODERATE"),
        check("jobStatus", name="second runs", dataset="/second", severity="MODERATE"),
        check("scheduleStatus", name="schedule", dataset=None, schedule={"targets": ["/second"]}, severity="MODERATE"),
    ]

    def statuses() -> dict[str, str]:
        return {name: str(report.status) for name, report in ask(workspace, *checks).items()}

    ran(first="succeeded", second="succeeded")
    good = {"first ends": "NOT_APPLICABLE", "second ends": "PASSED", "second runs": "PASSED", "schedule": "PASSED"}
    assert statuses() == good, "a dataset that another job reads is no terminal output"
    ran(first="succeeded", second="succeeded", aside="failed")
    assert statuses() == good | {"second ends": "FAILED"}, "the build failed, the schedule's part of it did not"
    ran(first="failed")
    assert statuses() == good | {"first ends": "FAILED", "second ends": "FAILED", "schedule": "FAILED"}, (
        "the job that never started keeps its status; only the schedule saw it"
    )


def test_durations_are_held_against_bounds_and_their_own_past(workspace, ran) -> None:
    bounds = [
        {"upperBoundInSeconds": 100, "severity": "MODERATE", "reason": "slow"},
        {"upperBoundInSeconds": 300, "severity": "CRITICAL", "reason": "too slow"},
    ]
    usual = {"dataPoints": 4, "deviationThreshold": 3, "boundsType": "UPPER_BOUND", "severity": "MODERATE"}
    checks = [
        check("jobDuration", dataset="/first", bounds=bounds),
        check("buildDuration", dataset="/second", medianDeviation=usual),
        check("scheduleDuration", dataset=None, schedule={"targets": ["/second"]}, bounds=bounds[1]),
    ]
    for seconds in (60, 62, 58, 60):
        ran(first="succeeded", second="succeeded", seconds=seconds)
    assert {one.status for one in ask(workspace, *checks[::2]).values()} == {Status.PASSED}
    assert ask(workspace, checks[1])["buildDuration"].message == (
        "duration of the last build: 2 min (3 of 4 data points for the median deviation)"
    )
    ran(first="succeeded", second="succeeded", seconds=200)
    found = ask(workspace, *checks)
    assert found["jobDuration"].message == "duration of the last job: 3.33 min is above 1.67 min (MODERATE: slow)"
    assert "6.67 min is more than 3 sigma above the median 2 min of 4" in found["buildDuration"].message
    assert found["scheduleDuration"].severity == "CRITICAL"
    assert found["scheduleDuration"].value == 400.0


def test_what_still_runs_counts_once_it_has_taken_too_long(workspace, ran, clock) -> None:
    bounds = {"upperBoundInSeconds": 100, "severity": "CRITICAL", "reason": "slow"}
    checks = [check(kind, dataset="/first", bounds=bounds) for kind in ("jobDuration", "buildDuration")]
    ran(first="succeeded")
    rid = journal.start_build(workspace, "master", ())
    journal.start_job(workspace, rid, SPECS["first"], "master", "because", clock())
    clock.advance(seconds=90)
    assert {one.message for one in ask(workspace, *checks).values()} == {
        "duration of the last job: 1 min",
        "duration of the last build: 1 min",
    }
    clock.advance(seconds=20)
    late = ask(workspace, *checks)
    assert late["jobDuration"].message == (
        "the job that runs since 2026-03-02 12:01 UTC: 1.83 min is above 1.67 min (CRITICAL: slow)"
    )
    assert late["buildDuration"].event == rid


def test_row_counts_are_relative_to_the_last_that_passed(workspace, commit) -> None:
    relative = check(
        "rowCount",
        relativeBounds={"lowerBoundPercentage": 80, "upperBoundPercentage": 150, "severity": "MODERATE"},
    )
    told = []
    for rows in (100, 70, 79, 90, 136):
        commit("/d", [{"n": n} for n in range(rows)], kind="SNAPSHOT")
        told.append(ask(workspace, relative)["rowCount"])
    assert [str(one.status) for one in told] == ["PASSED", "FAILED", "FAILED", "PASSED", "FAILED"]
    assert told[0].message == "rows: 100 (no count has passed before, so this one is the baseline)"
    assert told[2].message == "rows: 79 % is below 80 % (MODERATE: so it is) (of the last count that passed, 100)"
    assert told[4].value == 136.0
    assert "151.1 % is above 150 %" in told[4].message, "90, not the failed 79, is the baseline"


def test_sizes_come_from_the_catalog(workspace, commit) -> None:
    deviation = {"dataPoints": 3, "deviationThreshold": 1, "severity": "MODERATE", "reason": "r"}
    checks = [
        check("rowCount", medianDeviation=deviation),
        check("datasetFileCount", bounds={"upperBound": 4, "severity": "MODERATE"}),
        check("transactionFileCount", bounds={"lowerBound": 2, "severity": "CRITICAL"}),
        check("transactionFileSize", bounds={"unit": "MB", "lowerBound": 1, "severity": "MODERATE"}),
        check("datasetPartition", severity="MODERATE"),
    ]
    for rows in (10, 10, 10, 10, 10):
        commit("/d", [{"n": n} for n in range(rows)])
    found = ask(workspace, *checks)
    assert found["rowCount"].message.startswith("rows: 50 is more than 1 sigma above the median 30 of 3 (sigma 14.826")
    assert found["datasetFileCount"].message == "files in the view: 5 is above 4 (MODERATE: so it is)"
    assert found["transactionFileCount"].message.startswith("files of the newest transaction: 1 is below 2 (CRITICAL")
    assert " B is below 1 MB (MODERATE: so it is)" in found["transactionFileSize"].message
    assert found["datasetPartition"].message == "5 files, 0 of them above 96 MB"
    assert [str(found[name].status) for name in found] == ["FAILED"] * 4 + ["PASSED"]


def test_many_small_files_are_a_failure_and_log_files_are_none(workspace, tmp_path) -> None:
    dataset = workspace.store.create("/d")
    opened = workspace.store.open_transaction(dataset, "master", TransactionType.SNAPSHOT)
    (tmp_path / "small").write_text("x")
    for name in [*(f"{at}.txt" for at in range(50)), "_SUCCESS", ".crc"]:
        opened.add(tmp_path / "small", name)
    opened.commit()
    found = ask(
        workspace,
        check("datasetPartition", severity="MODERATE", reason="readers pay"),
        check("transactionFileSize", bounds={"unit": "B", "upperBound": 50, "severity": "MODERATE"}),
        check("totalColumnCount", expectedValue=1, severity="MODERATE"),
    )
    assert found["datasetPartition"].message == "50 files, 0 of them above 96 MB (readers pay)"
    assert (found["datasetPartition"].status, found["transactionFileSize"].status) == (Status.FAILED, Status.PASSED)
    assert found["totalColumnCount"].status is Status.NOT_COMPUTABLE
    assert found["totalColumnCount"].message == "/d holds raw files: without a schema it has no columns"


def test_what_does_not_exist_is_told_apart_from_what_is_not_there_yet(workspace, commit, ran) -> None:
    commit("/data", [{"n": 1}], branch="other")
    rows = {"lowerBound": 1, "severity": "CRITICAL"}
    found = ask(
        workspace,
        check("rowCount", name="misspelt", dataset="/firts", bounds=rows),
        check("rowCount", name="declared", dataset="/first", bounds=rows),
        check("rowCount", name="elsewhere", dataset="/data", bounds=rows),
    )
    assert {name: (str(one.status), one.message) for name, one in found.items()} == {
        "misspelt": (
            "NOT_COMPUTABLE",
            "there is no dataset '/firts' and no transform reads or writes it. Did you mean '/first'?",
        ),
        "declared": ("NOT_APPLICABLE", "nothing was ever committed to /first"),
        "elsewhere": ("NOT_APPLICABLE", "/data has no branch 'master' yet"),
    }
    assert (found["misspelt"].severity, found["misspelt"].alarms) == ("CRITICAL", True)


def test_after_a_build_only_what_it_touched_is_judged(workspace, commit, ran, tmp_path) -> None:
    folder = tmp_path / "health" / "checks"
    folder.mkdir(parents=True)
    (folder / "all.yaml").write_text(
        "defaults: {owner: o}\n"
        "checks:\n"
        "  - {name: job, type: jobStatus, dataset: /first, severity: MODERATE, reason: r}\n"
        "  - {name: whole, type: scheduleStatus, schedule: {targets: [/second]}, severity: MODERATE, reason: r}\n"
        "  - {name: other, type: jobStatus, dataset: /aside, severity: MODERATE, reason: r}\n"
        "  - {name: elsewhere, type: buildStatus, dataset: /first, branch: dev, severity: MODERATE, reason: r}\n"
        "  - {name: nightly, type: datasetPartition, dataset: /first, severity: MODERATE, reason: r,\n"
        "     evaluation: {cron: 0 0 11 * * ?}, automaticallyResolve: true}\n".replace("0 0 11 * * ?", "'0 0 11 * * ?'")
        + "  - {name: missing, type: totalColumnCount, dataset: /first, expectedValue: 2, severity: MODERATE,\n"
        "     reason: r, evaluation: {cron: '0 0 11 * * ?'}, automaticallyResolve: true}\n"
    )
    ran(first="succeeded", second="succeeded")
    commit("/first", [{"n": 1}])
    assert [one.check for one in after_build(workspace, "master", ["/first"]).reports] == ["job", "whole"]
    from mirror.health.check_files import load_checks

    evaluate_checks(workspace, load_checks(tmp_path).all, "master")
    touched = after_build(workspace, "master", ["/first"])
    assert [one.check for one in touched.reports] == ["job", "whole", "missing"], "it failed, so it may be resolved"
    assert after_build(workspace, "master", ["/nothing"]).reports == ()
