"""A pytest plugin that writes what each test and the session start cost; loaded by ``suite_split`` with ``-p``."""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

RESULT = "BENCHMARKS_SUITE_RESULT"

_seconds: dict[str, float] = defaultdict(float)
_fixtures: dict[str, float] = defaultdict(float)
_started = time.perf_counter()


@pytest.hookimpl(hookwrapper=True)
def pytest_fixture_setup(fixturedef: Any) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    _fixtures[fixturedef.argname] += time.perf_counter() - begun


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _seconds[report.nodeid] += report.duration


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A test process ended: the suite waits for the slower of the session starts, which run side by side."""
    _fixtures["spark"] = max(_fixtures["spark"], getattr(node, "workeroutput", {}).get("spark", 0.0))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["spark"] = _fixtures["spark"]
        return
    document = {
        "whole": time.perf_counter() - _started,
        "session_start": _fixtures["spark"],
        "tests": dict(_seconds),
        "exit": int(exitstatus),
    }
    Path(os.environ[RESULT]).write_text(json.dumps(document), encoding="utf-8")
