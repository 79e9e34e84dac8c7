"""Where the default test suite's time goes: the share of the session start, and of the ten slowest tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import Bench, Figure, _suite_plugin

_ROOT = Path(__file__).resolve().parent.parent


def run(bench: Bench) -> Iterator[Figure]:
    # One run is all: the shares say where to look, and a whole suite per round would cost minutes.
    result = bench.scratch / "suite.json"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "benchmarks._suite_plugin"],
        cwd=_ROOT,
        env=os.environ | {_suite_plugin.RESULT: str(result)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if not result.exists():
        raise RuntimeError(f"pytest ended with {done.returncode} before it measured anything:\n{done.stdout[-2000:]}")
    suite = json.loads(result.read_text(encoding="utf-8"))
    slowest = sorted(suite["tests"].items(), key=lambda item: -item[1])[:10]
    bench.say(f"suite_split: {len(suite['tests'])} tests in {suite['whole']:.1f} s, pytest ended with {suite['exit']}")
    for name, seconds in slowest:
        bench.say(f"suite_split: {seconds:6.2f} s  {name}")
    yield bench.share("session_start", [suite["session_start"]], [suite["whole"]], limit=0.5)
    yield bench.share("slowest_ten", [sum(seconds for _, seconds in slowest)], [suite["whole"]])
