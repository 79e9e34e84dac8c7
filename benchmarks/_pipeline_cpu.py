"""CPU seconds of this process and everything it started: what work costs, whoever else uses the machine (Linux)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds() -> float:
    """So far, of this process and its descendants, the JVM and the Python workers among them."""
    children: dict[int, list[int]] = {}
    used: dict[int, float] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = file.read_text()
        except OSError:
            continue
        pid = int(text.split(maxsplit=1)[0])
        fields = text[text.rindex(")") + 2 :].split()
        children.setdefault(int(fields[1]), []).append(pid)
        used[pid] = sum(map(int, fields[11:15])) / _TICK
    total, waiting = 0.0, [os.getpid()]
    while waiting:
        pid = waiting.pop()
        total += used.get(pid, 0.0)
        waiting += children.get(pid, [])
    return total


def cost(work: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    before = cpu_seconds()
    work()
    return cpu_seconds() - before
