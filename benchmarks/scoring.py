"""Live requests against the same model called in this process: reading JSON, predict, writing JSON."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import Bench, Figure
from benchmarks._scoring_live import live


def run(bench: Bench) -> Iterator[Figure]:
    yield from live(bench)
