"""What the sections say about a small real workspace, number by number, and about one that lacks everything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from tests.report.hall_workspace import commit

from mirror.datasets import Workspace
from mirror.report import collect, render
from mirror.report.parts import Panel

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HALL = "/Fleet/hall"
EVIL = "<img src=x onerror=alert(1)>"


def _score(device: str, hours_ago: float, score: float, model: str = "forest") -> dict:
    end = NOW - timedelta(hours=hours_ago)
    return {
        "device_id": device, "window_start": end - timedelta(hours=1), "window_end": end, "model_id": model,
        "model_version": "1.0.0", "anomaly_score": score, "anomaly_flag": score > 0.6, "threshold_used": 0.62,
    }  # fmt: skip


def _alert(number: int, severity: str, at: datetime, **changed: object) -> dict:
    return {
        "alert_id": str(number), "device_id": EVIL, "severity": severity, "title": "t", "status": "OPEN",
        "alert_created_at": at, "window_end": at, "alert_type": "ANOMALY_DETECTED", "suppressed": False,
        "model_id": "forest", "sla_breached": False,
    } | changed  # fmt: skip


def _metric(metric: str, status: str, days_ago: float) -> dict:
    at = NOW - timedelta(days=days_ago)
    return {"measured_at": at, "metric_id": metric, "dataset_name": "raw", "status": status}


TABLES: dict[str, list[dict]] = {
    "model_scores": [
        _score(EVIL, 0, 0.97), _score(EVIL, 1, 0.65), _score("b", 0, 0.12), _score("b", 30, 0.13), _score("c", 40, 0.2),
        _score("b", 0, 0.5, "baseline"),
    ],
    "device_registry": [
        {"device_id": device, "site_id": site, "status": status, "model": "M"}
        for device, site, status in ((EVIL, "S1", "active"), ("b", "S1", "active"), ("c", "S2", "active"),
                                     ("d", "S2", "retired"))
    ],
    "device_alerts": [
        _alert(1, "HIGH", NOW),
        _alert(2, "LOW", NOW - timedelta(days=1), sla_breached=True),
        _alert(3, "LOW", NOW - timedelta(days=20), status="RESOLVED"),
        _alert(4, "LOW", NOW, suppressed=True),
        _alert(5, "LOW", NOW - timedelta(days=40), alert_type="ANOMALY_RESOLVED"),
    ],
    "device_dropout_flags": [
        {"evaluated_hour": NOW, "device_id": "b", "dropout_type": "FULL_DROPOUT", "reading_count": 0},
        {"evaluated_hour": NOW, "device_id": "c", "dropout_type": "HEALTHY", "reading_count": 60},
        {"evaluated_hour": NOW, "device_id": "e", "dropout_type": "INTERMITTENT_DROPOUT", "reading_count": 9},
        {"evaluated_hour": NOW - timedelta(hours=1), "device_id": "f", "dropout_type": "FULL_DROPOUT"},
    ],
    "quarantine_sensor_readings": [
        {"quarantine_reason": "DEVICE_UNKNOWN", "timestamp_ingested": NOW},
        {"quarantine_reason": "DEVICE_UNKNOWN", "timestamp_ingested": NOW - timedelta(days=1)},
    ],
    "dead_letter": [{"reason": "MALFORMED", "timestamp_ingested": NOW}],
    "model_agreement_metrics": [
        {"evaluation_date": date(2026, 3, 1), "pair_id": "a|b", "agreement_rate": 0.5},
        {"evaluation_date": date(2026, 3, 2), "pair_id": "a|b", "agreement_rate": 0.97, "jaccard_flagged": 0.4},
    ],
    "pipeline_health_metrics": [
        _metric("A", "OK", 0), _metric("A", "BREACH", 1), _metric("A", "OK", 2), _metric("A", "UNKNOWN", 3),
        _metric("B", "OK", 0), _metric("B", "BREACH", 31),
    ],
    "metric_coverage": [{"metric_id": "A", "family": "null_rate"}],
    "scoring_run_metrics": [
        {"scheduled_at": NOW, "devices_eligible": 3, "devices_scored": 2},
        {"scheduled_at": NOW - timedelta(hours=1), "devices_eligible": 3, "devices_scored": 0},
    ],
    "clean_sensor_readings": [{"fan": 1.0, "valve": None}, {"fan": None, "valve": None}, {"fan": 2.0, "valve": 5.0}],
    "training_statistics": [
        {"feature_name": "fan_mean", "window_duration_minutes": 60, "bin_edges": [float(n) for n in range(11)],
         "bin_fractions": [0.1] * 10 + [0.0, 0.0]},
    ],
    "device_features": [
        {"window_end": NOW, "window_duration_minutes": minutes, "fan_mean": value}
        for minutes, value in ((60, 0.0), (60, None), (60, 3.0), (60, 99.0), (15, 5.0))
    ] + [{"window_end": NOW - timedelta(days=2), "window_duration_minutes": 60, "fan_mean": 5.0}],
}  # fmt: skip


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("sections")
    with Workspace.create(folder / "ws", repository=folder, clock=lambda: NOW) as made:
        for name, rows in TABLES.items():
            columns = list(dict.fromkeys(key for row in rows for key in row))
            table = {column: [row.get(column) for row in rows] for column in columns}
            commit(made, f"{HALL}/{name}", pa.table(table))
        commit(made, "/Fleet/bare/raw_sensor_readings", pa.table({"event_id": ["x"]}))
        strange = {"model_scores": {"device_id": [1], "anomaly_flag": [True], "anomaly_score": ["high"],
                                    "model_id": [{"a": 1}], "window_end": [5]},
                   "device_dropout_flags": {"evaluated_hour": [[1]], "device_id": ["d"], "dropout_type": [None]},
                   "dead_letter": {"reason": [1.5], "timestamp_ingested": [NOW]},
                   "feature_drift_metrics": {"scoring_window_start": [1], "feature_name": [None], "psi_value": ["x"]},
                   "raw_sensor_readings": {"event_id": ["x"]}}  # fmt: skip
        for name, columns in strange.items():
            commit(made, f"/Fleet/strange/{name}", pa.table(columns))
        yield made


@pytest.fixture(scope="module")
def panels(workspace: Workspace) -> dict[tuple[str, str], Panel]:
    snapshot = collect(workspace)
    page = render(snapshot)
    assert EVIL not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "Dropouts</strong>: There is no /Fleet/bare/device_dropout_flags on master yet." in page
    return {(panel.fleet.rsplit("/", 1)[-1], panel.name): panel for panel in snapshot.panels}


def test_every_fleet_has_every_section_or_is_told_why_not(panels) -> None:
    names = {name for fleet, name in panels if fleet == "hall"}
    assert len(names) >= 13
    for fleet in ("bare", "strange"):
        assert {name for at, name in panels if at == fleet} == names
    assert {name for fleet, name in panels if fleet == "hall" and panels[fleet, name].missing} == {"drift"}
    shown = {name for fleet, name in panels if fleet == "bare" and panels[fleet, name].parts}
    assert shown == {"freshness", "pipeline"}
    assert all(bool(panel.parts) != bool(panel.missing) for panel in panels.values())


def test_freshness_says_what_was_written_and_what_was_not_there_yet(panels) -> None:
    (heat,) = panels["hall", "freshness"].parts
    row = next(row for row in heat.rows if row.name == "model_scores")
    assert [(cell.text, cell.step) for cell in row.cells] == [("", 5)] * 13 + [("1", 0)]


def test_pipeline_status_counts_what_is_sound(panels) -> None:
    tiles, rows = panels["hall", "pipeline"].parts
    assert [(tile.value, tile.level) for tile in tiles.tiles] == [("13", "good"), ("0", "neutral"), ("0", "neutral")]
    assert rows.total == len(TABLES)


def test_dropouts_are_those_of_the_newest_hour(panels) -> None:
    bars, rows = panels["hall", "dropouts"].parts
    assert {bar.name: bar.value for bar in bars.bars} == {"full dropout": 1, "intermittent dropout": 1}
    assert [row[:3] for row in rows.rows] == [("full dropout", "b", "0"), ("intermittent dropout", "e", "9")]


def test_rows_set_aside_are_counted_per_day_and_reason(panels) -> None:
    (stack,) = panels["hall", "quarantine"].parts
    assert stack.periods == ("2026-03-01", "2026-03-02")
    assert stack.parts == (("DEVICE_UNKNOWN", (1, 1)), ("MALFORMED", (0, 1)))


def test_a_distribution_is_counted_into_the_bins_of_training(panels) -> None:
    (found,) = panels["hall", "distributions"].parts
    (one,) = found.histograms
    # Of the newest day and of 60 minutes: zero, null, 3.0 (an edge: the bin on its right) and one beyond the last edge.
    assert one.shares == (0, 0, 0, 0.25, 0, 0, 0, 0, 0, 0.25, 0.25, 0.25)
    assert one.labels[3] == "3 to 4"
    assert one.summary == "largest change: exactly 0, 0% in training, 25% now"


def test_scores_are_spread_per_model_with_the_threshold_marked(panels) -> None:
    (found,) = panels["hall", "scores"].parts
    forest, baseline = found.histograms
    assert (forest.title, baseline.title) == ("forest 1.0.0", "baseline 1.0.0")
    assert {place: share for place, share in enumerate(forest.shares) if share} == {2: 0.4, 4: 0.2, 13: 0.2, 19: 0.2}
    assert (forest.marked, forest.summary.split(", ")[2:]) == (12, ["40.0% flagged", "threshold 0.62"])


def test_agreement_is_that_of_the_newest_day(panels) -> None:
    (rows,) = panels["hall", "agreement"].parts
    assert [(row[0], row[3], row[5]) for row in rows.rows] == [("a and b", "0.40", "97.0%")]


def test_null_rates_come_from_the_footers(panels) -> None:
    (bars,) = panels["hall", "nulls"].parts
    assert [(bar.name, bar.text) for bar in bars.bars] == [("valve", "66.7%"), ("fan", "33.3%")]


def test_top_devices_are_ranked_by_flagged_share_and_show_their_alert(panels) -> None:
    (rows,) = panels["hall", "devices"].parts
    assert [row[:6] for row in rows.rows] == [
        ("high", EVIL, "S1", "M", "2", "100.0%"),
        ("none", "b", "S1", "M", "3", "0.0%"),
        ("none", "c", "S2", "M", "1", "0.0%"),
    ]


def test_coverage_counts_active_devices_scored_on_the_newest_day(panels) -> None:
    tiles, sites = panels["hall", "coverage"].parts
    assert [(tile.name, tile.value) for tile in tiles.tiles] == [
        ("devices monitored", "3"), ("coverage", "66.7%"), ("need a person", "1"),
    ]  # fmt: skip
    assert [row[:4] for row in sites.rows] == [("S2", "1", "0", "0.0%"), ("S1", "2", "2", "100.0%")]


def test_alerts_per_week_leave_out_repeats_and_endings(panels) -> None:
    (stack,) = panels["hall", "weekly"].parts
    assert stack.periods == ("2026-02-09", "2026-02-23", "2026-03-02")
    assert dict(stack.parts) == {"LOW": (1, 1, 0), "MEDIUM": (0, 0, 0), "HIGH": (0, 0, 1), "CRITICAL": (0, 0, 0)}


def test_service_levels_are_those_of_the_last_thirty_days(panels) -> None:
    tiles, rows = panels["hall", "promises"].parts
    assert [(tile.name, tile.value) for tile in tiles.tiles] == [
        ("within limits", "60.0%"), ("scoring available", "50.0%"), ("acknowledged in time", "66.7%"),
    ]  # fmt: skip
    assert list(rows.rows) == [("50.0%", "null rate", "A", "raw", "4", "1"), ("100.0%", "–", "B", "raw", "1", "0")]


def test_a_served_report_is_made_anew_when_it_is_old_and_only_for_this_machine(tmp_path: Path) -> None:
    import http.client

    from tests.health.receivers import serving

    from mirror.report.errors import AddressTakenError
    from mirror.report.live import LiveReport

    times = [NOW]
    pages = iter(["one", "two"])

    def page() -> str:
        return next(pages)

    def get(path: str, host: str = "localhost:1") -> tuple[int, str, str]:
        connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        found = answer.status, answer.read().decode(), answer.headers["X-Frame-Options"]
        connection.close()
        return found

    with LiveReport(page, 0, lambda: times[0]) as server, serving(server):
        assert server.server_address[0] == "127.0.0.1"
        assert get("/") == (200, "one", "DENY")
        times[0] += timedelta(seconds=4)
        assert get("/report.html?x")[1] == "one"
        times[0] += timedelta(seconds=1)
        assert get("/", "[::1]:80")[1] == "two"
        assert get("/", "rebound.example")[0] == 403
        assert get("/../../etc/passwd")[0] == 404
        with pytest.raises(AddressTakenError, match="give another with --port"):
            LiveReport(page, server.server_address[1], lambda: times[0])
