"""A snapshot of a real workspace: files committed through the store, specs and verdicts as builds keep them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mirror.builds import tables as builds
from mirror.builds.specs import JobSpec, ParamSpec
from mirror.checks.result import CheckResult
from mirror.cli import run
from mirror.datasets import StoredSchema, TransactionType, Workspace
from mirror.datasets.schema import fields_of_parquet
from mirror.health.finding import Severity, Status
from mirror.health.reports import CheckReport, keep
from mirror.models import tables as models
from mirror.report import ReportSnapshot, collect, render
from mirror.report.snapshot import Count, Edge

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HALL = "/Fleet/hall"
Commit = Callable[..., str]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("collect")
    with Workspace.create(folder / "ws", repository=folder / "fleet-repository", clock=lambda: NOW) as made:
        yield made


@pytest.fixture(scope="module")
def snapshot(workspace: Workspace) -> ReportSnapshot:
    """Every dataset, spec, verdict and model below is made once."""
    _telemetry(workspace)
    _scores(workspace)
    _small_tables(workspace)
    _specs(workspace)
    _verdicts(workspace)
    _models(workspace)
    return collect(workspace)


def _commit(workspace: Workspace, path: str, table: pa.Table | bytes, branch: str = "master") -> str:
    dataset = workspace.store.create(path, exist_ok=True)
    opened = workspace.store.open_transaction(dataset, branch, TransactionType.APPEND)
    file = workspace.path / f"{opened.record.sequence}.part"
    if isinstance(table, bytes):
        file.write_bytes(table)
        opened.add(file, f"{opened.record.sequence}.csv")
    else:
        pq.write_table(table, file)
        opened.add(file, f"{opened.record.sequence}.parquet")
        opened.schema = StoredSchema("parquet", fields_of_parquet(file)[0])
    return opened.commit().rid


def _telemetry(workspace: Workspace) -> None:
    _commit(workspace, f"{HALL}/landing", b"a,b\n1,2\n")
    _commit(workspace, f"{HALL}/raw_sensor_readings", pa.table({"event_id": [f"e{n}" for n in range(10)]}))
    flags = pa.array([["RANGE_VIOLATION", "SENSOR_GAP"], [], ["RANGE_VIOLATION"], None, [], []], pa.list_(pa.string()))
    _commit(workspace, f"{HALL}/clean_sensor_readings", pa.table({"event_id": list("abcdef"), "quality_flags": flags}))
    reasons = ["DEVICE_UNKNOWN", "DEVICE_UNKNOWN", "IMPOSSIBLE_ROW"]
    _commit(workspace, f"{HALL}/quarantine_sensor_readings", pa.table({"quarantine_reason": reasons}))
    _commit(workspace, f"{HALL}/dead_letter", pa.table({"reason": ["DESERIALIZATION_FAILURE"]}))
    _commit(workspace, "/Elsewhere/orders", pa.table({"n": [1, 2]}))
    _commit(workspace, "/Fleet/other/raw_sensor_readings", pa.table({"event_id": ["x"]}), branch="develop")


def _score_rows(device: str, hours: range, minutes: int, high: set[int], version: str = "1.0.0") -> list[dict]:
    return [
        {
            "device_id": device,
            "window_start": NOW + timedelta(hours=hour) - timedelta(minutes=minutes),
            "window_end": NOW + timedelta(hours=hour),
            "model_id": "isolation_forest_v1",
            "model_version": version,
            "anomaly_score": 0.9 if hour in high else 0.4,
            "anomaly_flag": hour in high,
            "threshold_used": 0.6,
        }
        for hour in hours
    ]


def _scores(workspace: Workspace) -> None:
    rows = [
        *_score_rows("quiet", range(2000), 60, {1234}),
        *_score_rows("sick", range(30), 60, {3, 4, 5}),
        *_score_rows("sick", range(90), 15, set(range(80))),
        *_score_rows("sick", range(5), 1440, set()),
        *_score_rows("sick", range(2), 60, {0, 1}, version="2.0.0"),
    ]
    _commit(workspace, f"{HALL}/model_scores", pa.Table.from_pylist(rows))
    labels = [
        {"device_id": "sick", "event_timestamp": NOW - timedelta(hours=3), "label_type": "anomaly_confirmed"},
        {"device_id": "sick", "event_timestamp": NOW - timedelta(hours=3), "label_type": "failure_confirmed"},
        {"device_id": "sick", "event_timestamp": NOW + timedelta(hours=21), "label_type": "normal_operation"},
        {"device_id": "sick", "event_timestamp": NOW - timedelta(days=9), "label_type": "anomaly_confirmed"},
    ]
    _commit(workspace, f"{HALL}/label_events", pa.Table.from_pylist(labels))


def _small_tables(workspace: Workspace) -> None:
    alert = {
        "device_id": "sick", "model_id": "m", "title": "t", "status": "OPEN", "alert_created_at": NOW,
        "suppressed": False,
    }  # fmt: skip
    alerts = [
        alert | {"alert_id": "1", "severity": "HIGH", "alert_type": "ANOMALY_DETECTED", "window_end": NOW},
        alert
        | {
            "alert_id": "2",
            "severity": "HIGH",
            "alert_type": "ANOMALY_SUSTAINED",
            "window_end": NOW,
            "suppressed": True,
        },
        alert
        | {
            "alert_id": "3",
            "severity": "HIGH",
            "alert_type": "ANOMALY_RESOLVED",
            "window_end": NOW + timedelta(hours=1),
        },
        alert
        | {
            "alert_id": "4",
            "severity": "LOW",
            "alert_type": "ANOMALY_DETECTED",
            "window_end": NOW + timedelta(hours=2),
        },
    ]
    _commit(workspace, f"{HALL}/device_alerts", pa.Table.from_pylist(alerts))
    drift = [
        {
            "scoring_window_start": NOW - timedelta(hours=age),
            "feature_name": f"f{n}",
            "psi_value": psi,
            "ks_statistic": 0.1,
        }
        for n, (age, psi) in enumerate([(0, 0.1), (0, 0.3), (1, 9.0), (0, None)])
    ]
    _commit(workspace, f"{HALL}/feature_drift_metrics", pa.Table.from_pylist(drift))

    measured = [
        {"measured_at": NOW + timedelta(hours=age), "metric_id": metric, "value": 1.0, "status": status}
        for age, metric, status in [(1, "A", "OK"), (1, "B", "BREACH"), (1, "C", "UNKNOWN"), (0, "D", "BREACH")]
    ]
    _commit(workspace, "/Fleet/measured/pipeline_health_metrics", pa.Table.from_pylist(measured), branch="measured")
    looks = [
        {"scheduled_at": NOW + timedelta(hours=n), "outcome": outcome, "fallback_switch": switch, "page": n == 2}
        for n, (outcome, switch) in enumerate(
            [("SUCCEEDED", None), ("FALLBACK", "STARTED"), ("FALLBACK", None), ("SUCCEEDED", "ENDED"), ("FAILED", None)]
        )
    ]
    _commit(workspace, "/Fleet/switched/scoring_run_metrics", pa.Table.from_pylist(looks), branch="switched")


def _specs(workspace: Workspace) -> None:
    def spec(name: str, reads: list[tuple[str, str]], writes: list[tuple[str, str]]) -> JobSpec:
        params = [ParamSpec(f"i{n}", kind, "input", (alias,)) for n, (kind, alias) in enumerate(reads)]
        params += [ParamSpec(f"o{n}", kind, "output", (alias,)) for n, (kind, alias) in enumerate(writes)]
        return JobSpec(f"fleet:{name}", name, "f.py:1", "spark", "v1", tuple(params))

    read, write = "dataset_input", "dataset_output"
    specs = (
        spec(
            "deserialise",
            [(read, f"{HALL}/landing"), ("parameter", "strict")],
            [(write, f"{HALL}/raw_sensor_readings")],
        ),
        spec("train", [(read, f"{HALL}/raw_sensor_readings")], [("model_output", f"{HALL}/models/forest")]),
        spec("score", [("model_input", f"{HALL}/models/forest")], [(write, f"{HALL}/model_scores")]),
    )
    workspace.catalog.ensure(*builds.ROOM)
    with workspace.catalog.writing() as connection:
        for position, one in enumerate(specs):
            row = {"branch": "master", "reference": one.reference, "position": position}
            connection.execute(builds.job_specs.insert().values(**row, document=json.dumps(one.to_json())))


def _verdicts(workspace: Workspace) -> None:
    dataset = workspace.store.dataset("clean_sensor_readings").rid
    with workspace.catalog.writing() as connection:
        build = {"rid": "b", "sequence": 1, "branch": "master", "fallbacks": "[]", "status": "DONE", "started_at": NOW}
        connection.execute(builds.builds.insert().values(**build))
        for job, outcome in (("j1", "FAIL"), ("j2", "PASS")):
            later = NOW + timedelta(hours=job == "j2")
            row = {"rid": job, "build_rid": "b", "reference": "r", "branch": "master", "reason": ""}
            connection.execute(builds.jobs.insert().values(**row, status="succeeded", started_at=later))
            unit = CheckResult("repaired", "FAIL", outcome, "E.count().gt(0)", "", {})
            _keep(connection, job, dataset, unit, later)
            if job == "j1":
                _keep(connection, job, dataset, replace(unit, name="removed"), later)
        offending = ({"damper": -0.04, "device_id": None},)
        warns = CheckResult("damper", "WARN", "FAIL", "E.col('damper').gte(0)", "1 of 6 rows", {}, offending)
        broken = CheckResult(
            "broken", "FAIL", "ERROR", "E.col('gone').non_null()", "no column gone", {}, (), "missing_column"
        )
        _keep(connection, "j2", dataset, warns, NOW)
        _keep(connection, "j2", dataset, broken, NOW)
    said = (Status.NOT_APPLICABLE, None), (Status.PASSED, None), (Status.FAILED, Severity.CRITICAL)
    report = CheckReport("late", "master", "rowCount", f"{HALL}/x", (f"{HALL}/x",), "hall", Status.PASSED, "", NOW)
    keep(workspace, [replace(report, status=status, severity=severity) for status, severity in said])
    keep(workspace, [replace(report, check="idle", status=Status.NOT_APPLICABLE)])


def _keep(connection, job: str, dataset: str, result: CheckResult, at: datetime) -> None:
    row = {
        "job_rid": job, "parameter": "out", "name": result.name, "dataset_rid": dataset, "branch": "master",
        "side": "output",
        "on_error": result.on_error, "outcome": result.outcome, "document": json.dumps(result.to_json()),
        "evaluated_at": at,
    }  # fmt: skip
    connection.execute(builds.check_results.insert().values(**row))


def _models(workspace: Workspace) -> None:
    workspace.catalog.ensure(*models.ALL)
    with workspace.catalog.writing() as connection:
        connection.execute(models.models.insert().values(rid="m", path=f"{HALL}/models/forest", created_at=NOW))
        for number in (1, 2, 3):
            row = {
                "rid": f"v{number}", "model_rid": "m", "sequence": number, "semantic": f"1.{number}.0",
                "branch": "develop" if number == 3 else "master", "adapter": "a:B", "location": "l",
                "sha256": "s", "size": 1, "api": {}, "provenance": {}, "created_at": NOW,
                "facts": {"seed": 0, "threshold": 0.625, "features": ["a"]},
            }  # fmt: skip
            connection.execute(models.versions.insert().values(**row))
            row = {"objective": "o", "model_rid": "m", "version_rid": f"v{number}", "sha256": "s", "owner": "me"}
            connection.execute(models.submissions.insert().values(rid=f"s{number}", **row, created_at=NOW))
        for number, (environment, version) in enumerate([("staging", 2), ("production", 2), ("production", 1)]):
            row = {"objective": "o", "model_rid": "m", "environment": environment, "number": number, "kind": "RELEASE"}
            row |= {"approved_by": [], "actor": "me", "reason": "r", "released_at": NOW}
            refers = {"submission_rid": f"s{version}", "version_rid": f"v{version}"}
            connection.execute(models.releases.insert().values(rid=f"r{number}", **row, **refers))


def test_datasets_of_any_name_are_listed_with_rows_and_origin(snapshot: ReportSnapshot) -> None:
    lines = {line.path: line for line in snapshot.datasets}
    assert (lines["/Elsewhere/orders"].rows, lines["/Elsewhere/orders"].produced) == (2, False)
    assert (lines[f"{HALL}/landing"].rows, lines[f"{HALL}/landing"].files) == (None, 1)
    assert (lines[f"{HALL}/raw_sensor_readings"].rows, lines[f"{HALL}/raw_sensor_readings"].produced) == (10, True)
    assert lines["/Fleet/other/raw_sensor_readings"].transaction is None
    assert (snapshot.workspace, snapshot.branch, snapshot.as_of) == ("fleet-repository", "master", NOW)


def test_only_folders_with_data_on_the_branch_are_fleets(workspace: Workspace, snapshot: ReportSnapshot) -> None:
    assert [fleet.prefix for fleet in snapshot.fleets] == [HALL]
    assert [fleet.prefix for fleet in collect(workspace, "develop").fleets] == ["/Fleet/other"]


def test_rows_follow_the_way_of_the_data(snapshot: ReportSnapshot) -> None:
    flow = [(stage.name, stage.rows, stage.aside) for stage in snapshot.fleets[0].flow]
    assert flow == [
        ("landing", None, False),
        ("raw", 10, False),
        ("clean", 6, False),
        ("quarantine", 3, True),
        ("dead letter", 1, True),
        ("scores", 2127, False),
        ("alerts", 4, False),
    ]
    assert snapshot.fleets[0].flow[0].note == "1 file"


def test_reasons_and_flags_are_counted(snapshot: ReportSnapshot) -> None:
    (fleet,) = snapshot.fleets
    assert fleet.reasons == (
        Count("DEVICE_UNKNOWN", 2, "quarantine"),
        Count("IMPOSSIBLE_ROW", 1, "quarantine"),
        Count("DESERIALIZATION_FAILURE", 1, "dead letter"),
    )
    assert fleet.flags == (Count("RANGE_VIOLATION", 2), Count("SENSOR_GAP", 1))


def test_the_most_suspicious_device_comes_first_over_windows_up_to_an_hour(snapshot: ReportSnapshot) -> None:
    (fleet,) = snapshot.fleets
    sick, quiet = fleet.scores
    assert fleet.devices_scored == 2
    assert (sick.device_id, sick.model, sick.window_minutes) == ("sick", "isolation_forest_v1 1.0.0", 60)
    assert (sick.windows, sick.flagged, sick.threshold) == (30, 3, 0.6)
    assert [point.at for point in sick.points if point.flagged] == [NOW + timedelta(hours=h) for h in (3, 4, 5)]
    assert sick.faults == (NOW - timedelta(hours=3),)
    assert (quiet.windows, quiet.flagged, quiet.faults) == (2000, 1, ())


def test_thinning_keeps_the_one_peak_in_two_thousand(snapshot: ReportSnapshot) -> None:
    quiet = snapshot.fleets[0].scores[1]
    assert len(quiet.points) == 500
    assert [point.at for point in quiet.points if point.flagged] == [NOW + timedelta(hours=1234)]


def test_alerts_raised_and_alerts_open_are_told_apart(snapshot: ReportSnapshot) -> None:
    (fleet,) = snapshot.fleets
    assert {count.name: count.rows for count in fleet.raised} == {"CRITICAL": 0, "HIGH": 1, "MEDIUM": 0, "LOW": 1}
    assert [alert.alert_id for alert in fleet.alerts.equipment] == ["4"]
    assert [alert.alert_id for alert in fleet.worst_raised] == ["1", "4"]


def test_drift_shows_the_newest_period_largest_first(snapshot: ReportSnapshot) -> None:
    (panel,) = [panel for panel in snapshot.panels if panel.name == "drift"]
    bars, table = panel.parts
    assert [(bar.name, bar.text, bar.level) for bar in bars.bars] == [("f1", "0.30", "bad"), ("f0", "0.10", "good")]
    assert [row[:2] for row in table.rows] == [("f1", "0.3"), ("f0", "0.1")]


def test_measurements_that_need_attention_come_first(workspace: Workspace, snapshot: ReportSnapshot) -> None:
    (fleet,) = collect(workspace, "measured").fleets
    assert [row[0] for row in fleet.tables[0].rows] == ["B", "C", "A"]


def test_the_switch_to_the_rules_and_the_way_back_are_on_the_page_before_ordinary_runs(
    workspace: Workspace, snapshot: ReportSnapshot
) -> None:
    (fleet,) = collect(workspace, "switched").fleets
    assert fleet.tables[0].columns == ("scheduled at", "outcome", "fallback switch", "page")
    assert [row[1:] for row in fleet.tables[0].rows] == [
        ("SUCCEEDED", "ENDED", "no"),
        ("FALLBACK", "STARTED", "no"),
        ("FAILED", "–", "no"),
        ("FALLBACK", "–", "yes"),
        ("SUCCEEDED", "–", "no"),
    ]


def test_lineage_joins_datasets_and_models_but_no_plain_parameters(snapshot: ReportSnapshot) -> None:
    assert snapshot.edges == (
        Edge(f"{HALL}/landing", f"{HALL}/raw_sensor_readings", "deserialise"),
        Edge(f"{HALL}/models/forest", f"{HALL}/model_scores", "score"),
        Edge(f"{HALL}/raw_sensor_readings", f"{HALL}/models/forest", "train"),
    )
    assert snapshot.model_paths == (f"{HALL}/models/forest",)


def test_only_the_newest_verdict_of_a_check_counts(snapshot: ReportSnapshot) -> None:
    assert {check.name: check.status for check in snapshot.checks} == {
        "broken": "error",
        "damper": "warn",
        "repaired": "pass",
    }
    assert snapshot.check_counts() == {"pass": 1, "warn": 1, "fail": 0, "error": 1}
    # what came before, newest last; a check that its transform judges no more is gone with its past
    assert {check.name: check.past for check in snapshot.checks}["repaired"] == (
        ("fail", NOW), ("pass", NOW + timedelta(hours=1))
    )  # fmt: skip
    damper = next(check for check in snapshot.checks if check.name == "damper")
    assert [(one.check, one.status, one.severity, [status for status, _ in one.past]) for one in snapshot.health] == [
        ("late", "fail", "CRITICAL", ["idle", "pass", "fail"])
    ]
    assert damper.offending == ((("damper", "-0.04"), ("device_id", "null")),)


def test_models_show_what_serves_now_after_a_rollback(snapshot: ReportSnapshot) -> None:
    assert [(line.version, line.released) for line in snapshot.models] == [
        ("1.2.0", ("staging",)),
        ("1.1.0", ("production",)),
    ]
    assert snapshot.models[0].facts == (("seed", "0"), ("threshold", "0.625"))


def test_a_branch_without_published_transforms_says_so(workspace: Workspace, snapshot: ReportSnapshot) -> None:
    assert snapshot.notes == ()
    (note,) = collect(workspace, "develop").notes
    assert "No build has published its transforms on develop yet" in note


def test_datasets_of_the_same_names_but_another_shape_do_not_break_the_page(workspace: Workspace) -> None:
    strange = {
        "model_scores": {"device_id": ["d"], "window_end": ["yesterday"], "anomaly_score": ["high"]},
        "label_events": {"device_id": ["d"], "event_timestamp": ["then"], "label_type": ["anomaly_confirmed"]},
        "device_alerts": {"severity": ["HIGH"]},
        "clean_sensor_readings": {"quality_flags": ["A;B"]},
        "pipeline_health_metrics": {"anything": [[1, 2]]},
    }
    for name, columns in strange.items():
        _commit(workspace, f"/Foreign/{name}", pa.table(columns), branch="foreign")
    found = collect(workspace, "foreign")
    (fleet,) = found.fleets
    assert (fleet.scores, fleet.raised[0].rows, fleet.flags) == ((), 0, (Count("A;B", 1),))
    assert fleet.tables[0].rows == (("1, 2",),)
    assert any("/Foreign/device_alerts has no column alert_created_at, alert_id" in note for note in found.notes)
    assert "has no column alert_created_at" in render(found)


def test_the_command_writes_one_file_and_says_where(
    workspace: Workspace, snapshot: ReportSnapshot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--workspace", str(workspace.path), "--json", "report", "--out", str(tmp_path / "out")]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["report"] == str(tmp_path / "out" / "report.html")
    assert document["checks"] == {"pass": 1, "warn": 1, "fail": 0, "error": 1}
    page = Path(document["report"]).read_text()
    assert 'data-figure="rows:/Fleet/hall:clean" value="6"' in page
    assert run(["--workspace", str(workspace.path), "report", "--branch", "mastr", "--out", str(tmp_path)]) == 2
    assert "no dataset has a branch 'mastr'. Did you mean 'master'? There are: develop, " in capsys.readouterr().err
    assert not (tmp_path / "report.html").exists()
