"""A snapshot of a real workspace: files committed through the store, specs and verdicts as builds keep them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from tests.report.hall_workspace import HALL, NOW, commit, fill

from mirror.cli import run
from mirror.datasets import Workspace
from mirror.report import ReportSnapshot, collect, render
from mirror.report.snapshot import Count, Edge


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("collect")
    with Workspace.create(folder / "ws", repository=folder / "fleet-repository", clock=lambda: NOW) as made:
        yield made


@pytest.fixture(scope="module")
def snapshot(workspace: Workspace) -> ReportSnapshot:
    """Every dataset, spec, verdict and model below is made once."""
    fill(workspace)
    return collect(workspace)


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
    bars, table, hours, _ = panel.parts
    assert [(bar.name, bar.text, bar.level) for bar in bars.bars] == [("f1", "0.30", "bad"), ("f0", "0.10", "good")]
    said = "in windows of {} minutes, of {}; significant drift reaches {}"
    assert bars.caption == "The 2 features that moved most " + said.format(15, 2, "one feature")
    # a length has a newest period of its own
    assert hours.caption == "The 1 features that moved most " + said.format(60, 1, "nothing")
    assert [(bar.name, bar.text) for bar in hours.bars] == [("f4", "0.20")]
    assert [bar.note for bar in bars.bars] == ["looks like sensor hardware", ""]
    assert [(*row[:2], row[-1]) for row in table.rows] == [("f1", "0.3", "sensor hardware"), ("f0", "0.1", "–")]


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


@pytest.mark.nightly
def test_datasets_of_the_same_names_but_another_shape_do_not_break_the_page(workspace: Workspace) -> None:
    strange = {
        "model_scores": {"device_id": ["d"], "window_end": ["yesterday"], "anomaly_score": ["high"]},
        "label_events": {"device_id": ["d"], "event_timestamp": ["then"], "label_type": ["anomaly_confirmed"]},
        "device_alerts": {"severity": ["HIGH"]},
        "clean_sensor_readings": {"quality_flags": ["A;B"]},
        "pipeline_health_metrics": {"anything": [[1, 2]]},
    }
    for name, columns in strange.items():
        commit(workspace, f"/Foreign/{name}", pa.table(columns), branch="foreign")
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
