"""What lies in the workspace of the report's tests: a hall with data, specs, verdicts and models, and a few strays."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq

from mirror.builds import tables as builds
from mirror.builds.specs import JobSpec, ParamSpec
from mirror.checks.result import CheckResult
from mirror.datasets import StoredSchema, TransactionType, Workspace
from mirror.datasets.schema import fields_of_parquet
from mirror.health.finding import Severity, Status
from mirror.health.reports import CheckReport, keep
from mirror.models import tables as models

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HALL = "/Fleet/hall"


def fill(workspace: Workspace) -> None:
    """Everything, once."""
    _telemetry(workspace)
    _scores(workspace)
    _small_tables(workspace)
    _specs(workspace)
    _verdicts(workspace)
    _models(workspace)


def commit(workspace: Workspace, path: str, table: pa.Table | bytes, branch: str = "master") -> str:
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
    commit(workspace, f"{HALL}/landing", b"a,b\n1,2\n")
    commit(workspace, f"{HALL}/raw_sensor_readings", pa.table({"event_id": [f"e{n}" for n in range(10)]}))
    flags = pa.array([["RANGE_VIOLATION", "SENSOR_GAP"], [], ["RANGE_VIOLATION"], None, [], []], pa.list_(pa.string()))
    commit(workspace, f"{HALL}/clean_sensor_readings", pa.table({"event_id": list("abcdef"), "quality_flags": flags}))
    reasons = ["DEVICE_UNKNOWN", "DEVICE_UNKNOWN", "IMPOSSIBLE_ROW"]
    commit(workspace, f"{HALL}/quarantine_sensor_readings", pa.table({"quarantine_reason": reasons}))
    commit(workspace, f"{HALL}/dead_letter", pa.table({"reason": ["DESERIALIZATION_FAILURE"]}))
    commit(workspace, "/Elsewhere/orders", pa.table({"n": [1, 2]}))
    commit(workspace, "/Fleet/other/raw_sensor_readings", pa.table({"event_id": ["x"]}), branch="develop")


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
    commit(workspace, f"{HALL}/model_scores", pa.Table.from_pylist(rows))
    labels = [
        {"device_id": "sick", "event_timestamp": NOW - timedelta(hours=3), "label_type": "anomaly_confirmed"},
        {"device_id": "sick", "event_timestamp": NOW - timedelta(hours=3), "label_type": "failure_confirmed"},
        {"device_id": "sick", "event_timestamp": NOW + timedelta(hours=21), "label_type": "normal_operation"},
        {"device_id": "sick", "event_timestamp": NOW - timedelta(days=9), "label_type": "anomaly_confirmed"},
    ]
    commit(workspace, f"{HALL}/label_events", pa.Table.from_pylist(labels))


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
    commit(workspace, f"{HALL}/device_alerts", pa.Table.from_pylist(alerts))
    drift = [
        {
            "scoring_window_start": NOW - timedelta(hours=age),
            "feature_name": f"f{n}",
            "window_duration_minutes": 15 if n < 4 else 60,
            "psi_value": psi,
            "ks_statistic": 0.1,
            "triage": "sensor_hardware" if psi == 0.3 else None,
            "reach": "one feature" if n < 4 else "nothing",
        }
        for n, (age, psi) in enumerate([(0, 0.1), (0, 0.3), (1, 9.0), (0, None), (2, 0.2)])
    ]
    commit(workspace, f"{HALL}/feature_drift_metrics", pa.Table.from_pylist(drift))

    measured = [
        {"measured_at": NOW + timedelta(hours=age), "metric_id": metric, "value": 1.0, "status": status}
        for age, metric, status in [(1, "A", "OK"), (1, "B", "BREACH"), (1, "C", "UNKNOWN"), (0, "D", "BREACH")]
    ]
    commit(workspace, "/Fleet/measured/pipeline_health_metrics", pa.Table.from_pylist(measured), branch="measured")
    looks = [
        {"scheduled_at": NOW + timedelta(hours=n), "outcome": outcome, "fallback_switch": switch, "page": n == 2}
        for n, (outcome, switch) in enumerate(
            [("SUCCEEDED", None), ("FALLBACK", "STARTED"), ("FALLBACK", None), ("SUCCEEDED", "ENDED"), ("FAILED", None)]
        )
    ]
    commit(workspace, "/Fleet/switched/scoring_run_metrics", pa.Table.from_pylist(looks), branch="switched")


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
