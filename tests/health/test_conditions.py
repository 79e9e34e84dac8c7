"""Freshness, volume and outcome per dataset, from the catalog's history alone."""

from __future__ import annotations

import json

import pyarrow as pa

from mirror.cli import run
from mirror.cli.health import age
from mirror.datasets import TransactionType, Workspace
from mirror.health import Condition, read_conditions


def _rows(count: int) -> list[dict]:
    return [{"n": n} for n in range(count)]


def _only(workspace: Workspace, branch: str = "master") -> Condition:
    (found,) = read_conditions(workspace.store, branch, workspace.clock())
    return found


def test_age_runs_from_the_newest_commit(workspace: Workspace, commit, clock) -> None:
    commit("/d", _rows(3))
    clock.advance(minutes=90)
    assert (_only(workspace).state, _only(workspace).age_seconds) == ("ok", 5400.0)


def test_volume_is_compared_with_the_median_of_earlier_commits(workspace: Workspace, commit) -> None:
    for count in (10, 12, 1000, 6):
        commit("/d", _rows(count))
    found = _only(workspace)
    assert (found.rows, found.usual_rows, found.volume_ratio, found.commits) == (6, 12.0, 0.5, 4)


def test_a_commit_without_rows_is_empty_however_fresh(workspace: Workspace, commit) -> None:
    commit("/d", _rows(5))
    commit("/d", [], schema=pa.schema([("n", pa.int64())]))
    found = _only(workspace)
    assert (found.state, found.rows, found.age_seconds) == ("empty", 0, 0.0)


def test_an_aborted_newest_transaction_shows_and_keeps_the_old_figures(workspace: Workspace, commit, clock) -> None:
    commit("/d", _rows(5))
    clock.advance(days=2)
    commit("/d", _rows(7), abort=True)
    found = _only(workspace)
    assert (found.state, found.rows, found.aborted, found.age_seconds) == ("aborted", 5, 1, 2 * 86400.0)
    commit("/d", _rows(7))
    assert (_only(workspace).state, _only(workspace).aborted) == ("ok", 0)


def test_open_and_never_written_datasets_say_so(workspace: Workspace, commit) -> None:
    workspace.store.create("/never")
    commit("/written", _rows(1))
    opened = workspace.store.open_transaction(workspace.store.dataset("/written"), "master", TransactionType.APPEND)
    states = {one.dataset: one.state for one in read_conditions(workspace.store, "master", workspace.clock())}
    assert states == {"/never": "never", "/written": "open"}
    opened.abort()
    assert [one.state for one in read_conditions(workspace.store, "other", workspace.clock())] == ["never", "never"]


def test_a_delete_is_no_drop_in_volume(workspace: Workspace, commit) -> None:
    commit("/d", _rows(5))
    commit("/d", _rows(6))
    dataset = workspace.store.dataset("/d")
    opened = workspace.store.open_transaction(dataset, "master", TransactionType.DELETE)
    opened.remove(workspace.store.view(dataset).files[0].path)
    opened.commit()
    found = _only(workspace)
    assert (found.state, found.rows, found.usual_rows, found.commits) == ("ok", 6, 5.0, 3)


def test_the_command_lists_states_and_emits_json(workspace: Workspace, commit, capsys) -> None:
    commit("/Fleet/a/raw_sensor_readings", _rows(4))
    commit("/Fleet/a/raw_sensor_readings", _rows(2))
    assert run(["--workspace", str(workspace.path), "health"]) == 0
    line = next(x for x in capsys.readouterr().out.splitlines() if "raw_sensor_readings" in x)
    assert {"ok", "2", "50%"} <= set(line.split())
    assert run(["--workspace", str(workspace.path), "--json", "health", "/Fleet/b"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_ages_are_told_in_the_largest_unit() -> None:
    assert [age(x) for x in (None, 45, 720, 12_600, 777_600)] == ["-", "45 s", "12 min", "3.5 h", "9.0 d"]
