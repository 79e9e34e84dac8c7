"""Rounds on a schedule: what is due is told without a build, a mistake ends one round only, a signal ends them all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.health.test_open_alerts import _quality

from mirror.cli import run
from mirror.datasets import Workspace
from mirror.health.delivery import Delivery, rounds
from mirror.health.errors import RoutingFileError

NOTHING = Delivery((), (), ())
QUALITY = "/Fleet/a/quality_alerts"


class Hours:
    """A clock that only waiting and working move; asked to end after so many waits."""

    def __init__(self, ends_after: int) -> None:
        self.now, self.waits, self.left = 0.0, [], ends_after

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.now += seconds
        self.left -= 1
        return self.left == 0


def test_rounds_begin_on_time_whatever_they_take_and_missed_ones_are_not_made_up() -> None:
    hours, took = Hours(4), iter([10.0, 0.0, 150.0, 5.0])
    begun = []

    def once() -> Delivery:
        begun.append(hours.now)
        hours.now += next(took)
        return NOTHING

    assert len(list(rounds(once, 60.0, lambda: hours.now, hours.wait))) == 4
    assert begun == [0.0, 60.0, 120.0, 270.0]
    assert hours.waits == [50.0, 60.0, 0.0, 55.0]


def test_a_mistake_in_the_routing_ends_one_round_and_a_fault_of_ours_ends_all() -> None:
    hours, ways = Hours(3), iter([RoutingFileError("routing.yaml", 3, "no owner"), None, None])

    def once() -> Delivery:
        if (error := next(ways)) is not None:
            raise error
        return NOTHING

    first, *others = rounds(once, 60.0, lambda: hours.now, hours.wait)
    assert first.delivery is None
    assert "no owner" in str(first.error)
    assert [one.delivery for one in others] == [NOTHING, NOTHING]

    def broken() -> Delivery:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        next(rounds(broken, 60.0, lambda: hours.now, hours.wait))


@pytest.mark.nightly  # seconds of a process; what a round does is told in test_alert_delivery.py
def test_the_command_goes_on_until_it_is_asked_to_end(workspace: Workspace, commit) -> None:
    commit(QUALITY, [_quality(severity="HIGH")], "SNAPSHOT")
    words = ["--workspace", str(workspace.path), "--json", "alerts", "deliver", "--every", "1s"]
    started = subprocess.Popen(
        [sys.executable, "-c", "from mirror.cli import main; main()", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    try:
        document = json.loads(started.stdout.readline())
        assert [one["sink"] for one in document["delivered"]] == ["stdout"]
        # the routing becomes wrong while it runs
        folder = Path(workspace.config.repository) / "health"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "routing.yaml").write_text("runbooks: {other: all.md}\n")
        while "trying again in 1 s" not in (line := started.stderr.readline()):
            assert line, "it ended"
        (folder / "routing.yaml").unlink()
        assert json.loads(started.stdout.readline()) == {"delivered": [], "undelivered": [], "held": []}
        started.send_signal(signal.SIGTERM)
        assert started.wait(60) == 0
    finally:
        started.kill()
        started.communicate()


@pytest.mark.parametrize("span", ["0s", "5", "1 day", "-1s"])
def test_a_span_that_is_none_is_refused(workspace: Workspace, capsys: pytest.CaptureFixture[str], span: str) -> None:
    assert run(["--workspace", str(workspace.path), "alerts", "deliver", f"--every={span}"]) == 2
    assert "--every takes a span such as 30s, 5min or 1h" in capsys.readouterr().err
