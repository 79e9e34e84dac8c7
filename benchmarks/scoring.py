"""Batch scoring against plain scikit-learn, and live requests against the same model called in this process."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import Bench, Figure
from benchmarks._scoring_batch import batch
from benchmarks._scoring_live import live


def run(bench: Bench) -> Iterator[Figure]:
    yield from batch(bench)
    yield from live(bench)
