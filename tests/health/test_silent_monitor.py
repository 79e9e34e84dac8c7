"""The monitor of the monitor: what stopped, never ran or brings nothing is noticed from outside, without any build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from mirror.datasets import Workspace
from mirror.health import read_conditions
from mirror.health.baselines import difference, versions
from mirror.health.check_files import load_checks
from mirror.health.monitor import evaluate_checks

REPOSITORY = Path(__file__).resolve().parents[2]
MEASURED = "/Fleet/refrigeration/pipeline_health_metrics"
RAW = "/Fleet/refrigeration/raw_sensor_readings"


def _said(workspace: Workspace, name: str) -> tuple[str, str | None]:
    check = load_checks(REPOSITORY).named(name)
    (report,) = evaluate_checks(workspace, [check], "master").newest
    return str(report.status), report.severity


@pytest.mark.case("MST-07")
def test_a_build_without_rows_is_noticed_although_its_time_is_fresh(
    workspace: Workspace, commit: Any, clock: Any
) -> None:
    commit(RAW, [{"n": 1}])
    clock.advance(minutes=20)
    commit(RAW, [], schema=pa.schema([("n", pa.int64())]))
    (found,) = read_conditions(workspace.store, "master", workspace.clock())
    assert (found.state, found.age_seconds) == ("empty", 0.0)
    # the empty transaction does not count as an update either
    assert _said(workspace, "refrigeration raw readings arrive") == ("FAILED", "CRITICAL")


@pytest.mark.case("MST-08")
def test_a_monitor_that_says_nothing_for_25_minutes_is_noticed(workspace: Workspace, commit: Any, clock: Any) -> None:
    commit(MEASURED, [{"n": 1}])
    clock.advance(minutes=20)
    assert _said(workspace, "refrigeration monitors are alive")[0] == "PASSED"
    clock.advance(minutes=5)
    assert _said(workspace, "refrigeration monitors are alive") == ("FAILED", "CRITICAL")


def test_a_monitor_that_never_ran_is_noticed(workspace: Workspace, commit: Any, clock: Any) -> None:
    commit(RAW, [{"n": 1}])
    workspace.store.create(MEASURED)
    states = {one.dataset: one.state for one in read_conditions(workspace.store, "master", workspace.clock())}
    assert states == {RAW: "ok", MEASURED: "never"}


def _baseline(**changes: Any) -> pa.Table:
    row = {
        "model_id": "m",
        "model_version": "1",
        "snapshot_id": "t1",
        "registry_snapshot_id": "r1",
        "window_duration_minutes": 15,
        "slice_name": "ALL",
        "slice_value": "ALL",
        "feature_name": "f",
        "counts": [1.0, 2.0],
        "std": None,
    }
    return pa.Table.from_pylist([{**row, "feature_name": "e"}, {**row, **changes}])


def test_a_baseline_is_the_same_bytes_in_any_order_and_any_other_bit_is_told() -> None:
    stored = _baseline()
    turned = stored.take([1, 0])
    assert difference(stored, turned) == ""
    assert difference(stored, stored.slice(0, 1)) == "2 rows are stored, 1 came out"
    told = difference(stored, _baseline(counts=[1.0, 2.0000000000000004]))
    assert told == "ALL ALL f: counts is [1.0, 2.0], came out [1.0, 2.0000000000000004]"
    both = pa.concat_tables([stored, _baseline(snapshot_id="t2").slice(1)])
    assert [(key["snapshot_id"], rows.num_rows) for key, rows in versions(both)] == [("t1", 2), ("t2", 1)]
