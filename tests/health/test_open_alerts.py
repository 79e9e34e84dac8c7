"""Which alerts are open, in what order, and who is told: pure rows first, then through a real workspace."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime, timedelta

import pytest

from mirror.cli import run
from mirror.datasets import Workspace
from mirror.health import AlertColumnsError, read_alerts
from mirror.health.alert_book import counts
from mirror.health.alerts import open_equipment, open_quality

AT = datetime(2026, 3, 2, 6, tzinfo=UTC)


def _quality(**changed) -> dict:
    return {
        "metric_id": "VOL-06",
        "family": "volume",
        "dataset": "quarantine_sensor_readings",
        "severity": "MEDIUM",
        "observed": 0.016,
        "threshold": "> 0.01",
        "reason": "1 percent is a roll-out nobody registered",
        "owner": "Data Engineer",
        "rotation": "On-call Data Engineer",
        "channel": "#data-platform-alerts",
        "runbook_id": "RB-07",
        "runbook_step": "List the new ids [first]",
        "raised_at": AT,
    } | changed


def _equipment(**changed) -> dict:
    return {
        "alert_id": "a1",
        "device_id": "unit-1",
        "site_id": "SITE",
        "alert_type": "ANOMALY_DETECTED",
        "severity": "HIGH",
        "title": "HIGH: anomaly detected on unit-1",
        "description": "Score 0.91",
        "model_id": "isolation_forest_v1",
        "anomaly_score": 0.91,
        "top_contributors": ["fan_speed_mean"],
        "suppressed": False,
        "status": "OPEN",
        "alert_created_at": AT,
        "window_end": AT,
        "sla_deadline": AT + timedelta(hours=2),
        "escalation_level": "L2",
    } | changed


def test_one_alert_per_metric_and_dataset_with_its_newest_figures() -> None:
    rows = [
        _quality(raised_at=AT + timedelta(hours=1), observed=0.03, severity="HIGH"),
        _quality(),
        _quality(dataset="raw_sensor_readings"),
        _quality(metric_id="FRS-01", resolved_at=AT),
        _quality(metric_id="FRS-02", status="RESOLVED"),
    ]
    found = {alert.dataset: alert for alert in open_quality("q", rows)}
    assert set(found) == {"quarantine_sensor_readings", "raw_sensor_readings"}
    newest = found["quarantine_sensor_readings"]
    assert (newest.severity, newest.observed, newest.times, newest.first_raised_at) == ("HIGH", "0.03", 2, AT)


def test_acknowledgement_and_escalation_come_from_the_row_else_from_the_severity() -> None:
    own, default = open_quality("q", [_quality(acknowledge="now", escalation="the boss"), _quality(dataset="x")])
    assert (own.acknowledge, own.escalation) == ("now", "the boss")
    assert (default.acknowledge, default.escalation) == (
        "8 working hours",
        "Lead Engineer desk after 3 days (ESC-MEDIUM)",
    )
    (named,) = open_quality("q", [_quality(escalation="ESC-HIGH")])
    assert named.escalation == "Lead Engineer desk after 3 days (ESC-MEDIUM)"


def test_figures_of_one_metric_are_told_apart_by_dimension() -> None:
    rows = [_quality(dimension="fan_speed"), _quality(dimension="damper"), _quality(dimension="ALL")]
    assert [alert.dimension for alert in open_quality("q", rows)] == ["fan_speed", "damper", ""]


@pytest.mark.parametrize(
    ("change", "is_open"),
    [
        ({}, True),
        ({"status": "ACKNOWLEDGED"}, True),
        ({"status": "IN_PROGRESS"}, True),
        ({"status": "RESOLVED"}, False),
        ({"status": "FALSE_POSITIVE"}, False),
        ({"suppressed": True}, False),
    ],
)
def test_what_people_or_deduplication_closed_is_not_open(change: dict, is_open: bool) -> None:
    assert bool(open_equipment("e", [_equipment(**change)])) is is_open


def test_a_resolved_anomaly_ends_earlier_alerts_of_the_same_device_and_model_only() -> None:
    later = AT + timedelta(hours=3)
    resolved = _equipment(alert_id="r", alert_type="ANOMALY_RESOLVED", status="RESOLVED", window_end=later)
    rows = [
        _equipment(alert_id="before"),
        resolved,
        _equipment(alert_id="after", window_end=later + timedelta(hours=1)),
        _equipment(alert_id="other device", device_id="unit-2"),
        _equipment(alert_id="other model", model_id="threshold_fallback_v1"),
    ]
    # All rows of one run share alert_created_at, so only the window tells what came first.
    assert [a.alert_id for a in open_equipment("e", rows)] == ["after", "other device", "other model"]


def test_equipment_alerts_name_people_at_the_machine() -> None:
    (alert,) = open_equipment("e", [_equipment()])
    assert (alert.owner, alert.rotation, alert.channel) == ("Operations Lead", "Site Operations", "#refrigeration-ops")
    assert alert.escalation_level == "L2 regional engineer"
    assert alert.step == "Inspect the unit today"
    assert open_equipment("e", [_equipment(channel="#mine")])[0].channel == "#mine"


def test_a_workspace_keeps_the_two_kinds_apart_and_orders_by_severity(workspace: Workspace, commit) -> None:
    commit("/Fleet/a/quality_alerts", [_quality(), _quality(metric_id="FRS-05", severity="CRITICAL")])
    commit("/Fleet/b/quality_alerts", [_quality(severity="LOW")], branch="develop")
    late = AT + timedelta(hours=1)
    commit("/Fleet/a/device_alerts", [_equipment(), _equipment(alert_id="a2", alert_created_at=late, window_end=late)])
    commit("/Fleet/a/device_alerts", [_equipment(alert_id="a3", severity="CRITICAL")])
    book = read_alerts(workspace.store, "master")
    assert [(a.severity, a.metric_id) for a in book.quality] == [("CRITICAL", "FRS-05"), ("MEDIUM", "VOL-06")]
    assert [a.alert_id for a in book.equipment] == ["a3", "a2", "a1"]
    assert counts(book.equipment) == {"CRITICAL": 1, "HIGH": 2, "MEDIUM": 0, "LOW": 0}
    assert [a.source for a in read_alerts(workspace.store, "develop").quality] == ["/Fleet/b/quality_alerts"]
    assert read_alerts(workspace.store, "master", under="/Fleet/b").quality == ()


def test_alerts_without_routing_columns_are_refused_by_name(workspace: Workspace, commit) -> None:
    row = _quality()
    row["runbook"] = row.pop("runbook_id")
    commit("/Fleet/a/quality_alerts", [row])
    with pytest.raises(AlertColumnsError) as refused:
        read_alerts(workspace.store, "master")
    text = str(refused.value)
    assert "/Fleet/a/quality_alerts has no column runbook_id" in text
    assert "Did you mean 'runbook" in text
    assert str(pickle.loads(pickle.dumps(refused.value))) == text  # noqa: S301 - our own error, just pickled


def test_the_command_prints_owner_channel_runbook_and_reason(workspace: Workspace, commit, capsys) -> None:
    commit("/Fleet/a/quality_alerts", [_quality()])
    commit("/Fleet/a/device_alerts", [_equipment(alert_id=f"a{n}") for n in range(3)])
    assert run(["--workspace", str(workspace.path), "alerts", "--limit", "2"]) == 0
    text = capsys.readouterr().out
    quality, equipment = text.split("Equipment alerts")
    assert "Quality alerts on master: 1 MEDIUM" in quality
    assert "observed     0.016, limit > 0.01" in quality
    assert "why it is    1 percent is a roll-out nobody registered" in quality
    assert "owner        Data Engineer" in quality
    assert "told         On-call Data Engineer in #data-platform-alerts" in quality
    assert "acknowledge  8 working hours; escalates: Lead Engineer desk after 3 days (ESC-MEDIUM)" in quality
    assert "do           RB-07: List the new ids [first]" in quality
    assert "unit-1" not in quality
    assert "on master: 3 HIGH" in equipment
    assert "acknowledge  by 2026-03-02 08:00 UTC; escalates: regional engineer (L2) after 2 h, then vendor" in equipment
    assert "1 more; --limit 3 prints all" in equipment


def test_json_holds_both_sections_with_counts(workspace: Workspace, commit, capsys) -> None:
    commit("/Fleet/a/quality_alerts", [_quality()])
    assert run(["--workspace", str(workspace.path), "--json", "alerts", "--severity", "medium"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["quality"]["open"] == {"CRITICAL": 0, "HIGH": 0, "MEDIUM": 1, "LOW": 0}
    assert document["quality"]["alerts"][0]["runbook_step"] == "List the new ids [first]"
    assert document["equipment"] == {"open": {"CRITICAL": 0, "HIGH": 0, "MEDIUM": 0, "LOW": 0}, "alerts": []}


@pytest.mark.parametrize("name", ["alerts", "health"])
def test_a_branch_that_nothing_was_written_to_is_refused(workspace: Workspace, commit, capsys, name: str) -> None:
    commit("/Fleet/a/quality_alerts", [_quality()])
    assert run(["--workspace", str(workspace.path), name, "--branch", "mastre"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "no dataset has a branch 'mastre'. Did you mean 'master'?" in said.err


def test_an_empty_workspace_has_no_alerts(workspace: Workspace, capsys) -> None:
    workspace.store.create("/Fleet/a/quality_alerts")
    assert run(["--workspace", str(workspace.path), "alerts"]) == 0
    assert capsys.readouterr().out.count("none open") == 2
