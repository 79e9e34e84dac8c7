"""Rounds of delivery over a real workspace and real receivers: told once, kept until taken, nothing lost by a kill."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from tests.health.receivers import HookServer, serving
from tests.health.test_open_alerts import _equipment, _quality

from mirror.cli import run
from mirror.datasets import Workspace
from mirror.health.delivery import (
    Delivery,
    acknowledge,
    alert_states,
    deliver,
    end_silence,
    keep_silence,
    preview,
    silences,
    waiting,
)
from mirror.health.delivery.deliver import LEASE
from mirror.health.delivery.sinks import Surroundings, read_sinks
from mirror.health.errors import SilenceError, UnknownAlertError
from mirror.health.routing_file import shipped_routing

QUALITY, DEVICES = "/Fleet/a/quality_alerts", "/Fleet/a/device_alerts"
SINKS = {
    "data": {"type": "webhook", "url": {"env": "HOOK"}, "serves": ["#data-platform-alerts"], "timeout_seconds": 30},
    "ops": {"type": "file", "path": "ops.jsonl", "serves": ["#refrigeration-ops"]},
}


@pytest.fixture
def hook() -> Iterator[HookServer]:
    with HookServer() as server, serving(server):
        yield server


def _round(workspace: Workspace, hook: HookServer, naps: list[float] | None = None, dry: bool = False) -> Delivery:
    around = Surroundings({"HOOK": hook.url}, workspace.path, lambda _: None)
    sinks = read_sinks({"sinks": SINKS}, shipped_routing(), around)
    if dry:
        return preview(workspace, "master", shipped_routing(), sinks)
    return deliver(workspace, "master", shipped_routing(), sinks, (naps if naps is not None else []).append)


def _subjects(found: Delivery) -> list[tuple[str, str]]:
    return [(sink, sent.subject) for sink, sent in found.delivered]


def test_both_kinds_are_told_once_apart_and_told_again_when_it_is_over(
    workspace: Workspace, commit, clock, hook: HookServer
) -> None:
    commit(QUALITY, [_quality(severity="HIGH")], "SNAPSHOT")
    commit(DEVICES, [_equipment(), _equipment(alert_id="a2", severity="CRITICAL")], "SNAPSHOT")
    planned = _round(workspace, hook, dry=True)
    assert (hook.got, alert_states(workspace, "master"), waiting(workspace, "master")) == ([], {}, ())
    told = _round(workspace, hook)
    assert _subjects(told) == _subjects(planned) == [
        ("ops", "[equipment] CRITICAL: unit-1: HIGH: anomaly detected on unit-1"),
        ("data", "[data quality] HIGH: VOL-06 quarantine_sensor_readings"),
    ]  # fmt: skip
    assert [document["kind"] for _, _, document in hook.got] == ["quality"]
    assert [json.loads(line)["kind"] for line in (workspace.path / "ops.jsonl").open()] == ["equipment"]
    assert _round(workspace, hook) == Delivery((), (), ())
    clock.advance(minutes=31)
    assert _subjects(_round(workspace, hook)) == [
        ("ops", "[equipment] CRITICAL, not acknowledged: unit-1: HIGH: anomaly detected on unit-1"),
        ("data", "[data quality] HIGH, not acknowledged: VOL-06 quarantine_sensor_readings"),
    ]
    assert hook.got[-1][2]["recipients"] == ["#data-platform-alerts", "second person of On-call Data Engineer"]
    commit(QUALITY, [_quality(resolved_at=clock.now)], "SNAPSHOT")
    assert _subjects(_round(workspace, hook)) == [("data", "[data quality] over: VOL-06 quarantine_sensor_readings")]


def test_what_a_hook_does_not_take_is_kept_said_and_sent_later(
    workspace: Workspace, commit, clock, hook: HookServer
) -> None:
    commit(QUALITY, [_quality(severity="HIGH"), _quality(dataset="other")], "SNAPSHOT")
    commit(DEVICES, [_equipment()], "SNAPSHOT")
    hook.answers = [500]
    naps: list[float] = []
    first = _round(workspace, hook, naps)
    assert naps == [1.0, 2.0], "the pause grows"
    assert len(hook.got) == 3, "after three attempts the sink is left alone for this round"
    assert [sink for sink, _ in first.delivered] == ["ops"]
    assert [(one.attempts, one.error) for one in first.kept] == [(3, "it answered 500"), (0, "")]
    hook.answers = [500, 200]
    second = _round(workspace, hook)
    assert [sink for sink, _ in second.delivered] == ["data", "data"]
    assert second.kept == ()
    keys = [headers["Idempotency-Key"] for _, headers, _ in hook.got]
    assert len(set(keys)) == 2
    assert _round(workspace, hook) == Delivery((), (), ())
    database = b"".join(path.read_bytes() for path in workspace.path.glob("catalog.sqlite*"))
    assert b"s3cr3t" not in database


def _killed(path: str, hook: HookServer, clock, kill: str) -> None:
    """What the child does: a round in which it is killed at one point."""
    with Workspace.open(path, clock=clock) as own:
        if kill == "before sending":
            around = Surroundings({"HOOK": hook.url}, own.path, lambda _: None)
            sinks = read_sinks({"sinks": SINKS}, shipped_routing(), around)
            sinks.by_name["data"].send = lambda _: os.kill(os.getpid(), signal.SIGKILL)
            deliver(own, "master", shipped_routing(), sinks, lambda _: None)
        _round(own, hook)


@pytest.mark.parametrize(
    "kill", [pytest.param("before sending", marks=pytest.mark.nightly), "while the receiver has it"]
)
def test_a_kill_loses_no_alert_and_a_copy_bears_the_same_id(workspace: Workspace, commit, clock, kill: str) -> None:
    commit(QUALITY, [_quality(severity="HIGH")], "SNAPSHOT")
    with HookServer() as hook:
        # The child is forked before any thread runs here; its connection waits in the backlog.
        child = multiprocessing.get_context("fork").Process(target=_killed, args=(workspace.path, hook, clock, kill))
        workspace.close()
        child.start()
        hook.answers = [lambda _: os.kill(child.pid, signal.SIGKILL), 200]
        if kill == "before sending":
            hook.answers = [200]
        with serving(hook):
            child.join(30)
            assert child.exitcode == -signal.SIGKILL
            (survivor,) = waiting(workspace, "master")
            assert (survivor.attempts, survivor.message.subject.split(":")[0]) == (0, "[data quality] HIGH")
            assert [state.told for state in alert_states(workspace, "master").values()] == ["HIGH"]
            during = _round(workspace, hook)
            assert (len(during.delivered), len(during.kept)) == (0, 1), "another process may be sending it"
            clock.advance(seconds=LEASE.total_seconds())
            after = _round(workspace, hook)
        assert ([sent.id for _, sent in after.delivered], after.kept) == ([survivor.message.id], ())
        copies = [headers["Idempotency-Key"] for _, headers, _ in hook.got]
        assert copies == [survivor.message.id] * (1 if kill == "before sending" else 2)
        assert _round(workspace, hook) == Delivery((), (), ())


def test_a_decision_that_cannot_be_written_tells_nobody(workspace: Workspace, commit, hook: HookServer) -> None:
    commit(QUALITY, [_quality()], "SNAPSHOT")
    _round(workspace, hook, dry=True)
    with sqlite3.connect(workspace.path / "catalog.sqlite") as database:
        database.execute(
            "CREATE TRIGGER full BEFORE INSERT ON alert_outbox BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        )
    with pytest.raises(Exception, match="disk is full"):
        _round(workspace, hook)
    assert (hook.got, alert_states(workspace, "master")) == ([], {})


def test_acknowledging_ends_the_climb_until_it_gets_worse(
    workspace: Workspace, commit, clock, hook: HookServer
) -> None:
    commit(QUALITY, [_quality(severity="HIGH")], "SNAPSHOT")
    with pytest.raises(UnknownAlertError, match="There are none"):
        acknowledge(workspace, "master", "", "Ada")
    _round(workspace, hook)
    (name,) = alert_states(workspace, "master")
    state = acknowledge(workspace, "master", name[:4], "Ada", "looking")
    assert (state.acknowledged_by, state.note) == ("Ada", "looking")
    with pytest.raises(UnknownAlertError, match=name):
        acknowledge(workspace, "master", "zzz", "Ada")
    clock.advance(hours=9)
    assert _round(workspace, hook).delivered == ()
    commit(QUALITY, [_quality(severity="CRITICAL")], "SNAPSHOT")
    assert _subjects(_round(workspace, hook))[0][1].startswith("[data quality] CRITICAL, worse than before")


def test_silences_end_and_none_holds_everything_or_for_ever(
    workspace: Workspace, commit, clock, hook: HookServer
) -> None:
    commit(QUALITY, [_quality(), _quality(metric_id="FRS-01", dataset="elsewhere")], "SNAPSHOT")
    later = clock.now + timedelta(hours=1)
    for matcher, until, said in (
        ({}, later, "would hold every alert"),
        ({"metric": "VOL-06"}, clock.now, "must end in the future"),
        ({"metric": "VOL-06"}, clock.now + timedelta(days=31), "at most 30 days"),
    ):
        with pytest.raises(SilenceError, match=said):
            keep_silence(workspace, "master", matcher, until, "works", "Ada")
    with pytest.raises(SilenceError, match="--reason"):
        keep_silence(workspace, "master", {"metric": "VOL-06"}, later, " ", "Ada")
    made = keep_silence(workspace, "master", {"metric": "VOL-06"}, later, "works", "Ada")
    assert silences(workspace, "master") == (made,)
    first = _round(workspace, hook)
    assert _subjects(first) == [("data", "[data quality] MEDIUM: FRS-01 elsewhere")]
    assert [held.concern.metric for held in first.held] == ["VOL-06"]
    with pytest.raises(UnknownAlertError):
        end_silence(workspace, "master", "zzz")
    end_silence(workspace, "master", made.id[:5])
    assert silences(workspace, "master") == ()
    assert _subjects(_round(workspace, hook)) == [("data", "[data quality] MEDIUM: VOL-06 quarantine_sensor_readings")]


def test_the_commands_tell_acknowledge_silence_and_list(workspace: Workspace, commit, capsys) -> None:
    commit(QUALITY, [_quality(severity="HIGH")], "SNAPSHOT")
    commit(DEVICES, [_equipment()], "SNAPSHOT")
    at = ["--workspace", str(workspace.path)]
    config = workspace.path / "config.toml"
    config.write_text(config.read_text() + "\n".join([
        "[alerts.sinks.ops]", 'type = "slack"', 'url = {file = "missing.txt"}', 'serves = ["#refrigeration-ops"]',
    ]))  # fmt: skip
    assert run([*at, "alerts", "silence", "--device", "unit-9", "--for", "2h", "--reason", "works", "--by", "Ada"]) == 0
    assert run([*at, "alerts", "deliver", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "would send to stdout for #data-platform-alerts, On-call Data Engineer: [data quality] HIGH: VOL-06" in said
    assert run([*at, "alerts", "deliver"]) == 1
    said = capsys.readouterr().out
    assert "  do: RB-07: List the new ids [first]" in said
    assert "not delivered to ops, kept: [equipment] HIGH: unit-1" in said
    assert "missing.txt, which should hold the url, is missing or empty" in said
    assert run([*at, "--json", "alerts", "list"]) == 0
    document = json.loads(capsys.readouterr().out)
    (alert,) = document["quality"]["alerts"]
    assert alert["delivery"]["told"] == "HIGH"
    assert [one["sink"] for one in document["undelivered"]] == ["ops"]
    assert [one["matcher"] for one in document["silences"]] == [{"device": "unit-9"}]
    assert run([*at, "alerts", "ack", alert["id"], "--by", "Ada"]) == 0
    assert run([*at, "alerts", "ack", "zzz", "--by", "Ada"]) == 2
    capsys.readouterr()
    assert run([*at, "alerts", "--severity", "high"]) == 0
    said = capsys.readouterr().out
    assert f"id           {alert['id']}  told" in said
    assert "Ada works on it" in said
    assert "Not delivered: 1, kept until" in said
    assert "quiet until" in said
    assert run([*at, "alerts", "silence", "--device", "x", "--reason", "r", "--by", "b"]) == 2


@pytest.mark.nightly
def test_two_rounds_at_the_same_time_send_one_message(workspace: Workspace, commit, hook: HookServer) -> None:
    commit(QUALITY, [_quality(severity="HIGH")], "SNAPSHOT")
    hook.answers = [lambda handler: (time.sleep(0.2), handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n"))]
    with ThreadPoolExecutor(2) as pool:
        rounds = list(pool.map(lambda _: _round(workspace, hook), range(2)))
    assert sorted(len(found.delivered) for found in rounds) == [0, 1]
    assert len(hook.got) == 1
    assert waiting(workspace, "master") == ()
