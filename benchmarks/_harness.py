"""Interleaved pairs, median ratio, spread."""

from __future__ import annotations

import gc
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Figure:
    """One measured ratio. ``limit`` is what it may not exceed, ``None`` when nothing is promised."""

    name: str
    ratio: float
    limit: float | None
    spread: float
    n: int

    @property
    def within(self) -> bool:
        return self.limit is None or self.ratio <= self.limit

    def to_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "ratio": round(self.ratio, 4),
            "limit": self.limit,
            "spread": round(self.spread, 4),
            "n": self.n,
        }


def spread(values: Sequence[float]) -> float:
    """The distance between the quartiles; zero for a single value."""
    if len(values) < 2:
        return 0.0
    first, _, third = statistics.quantiles(values, n=4, method="inclusive")
    return third - first


class Bench:
    """Handed to an entry's ``run``; the docstring of :mod:`benchmarks` describes each member."""

    def __init__(
        self,
        entry: str,
        scratch: Path,
        rounds: int,
        *,
        size: float = 1.0,
        timer: Callable[[], float] = time.perf_counter,
        say: Callable[[str], None] = lambda _text: None,
        data: Path | None = None,
    ) -> None:
        if rounds < 1:
            raise ValueError(f"rounds must be at least 1, not {rounds}")
        self.entry = entry
        self.scratch = scratch
        self.rounds = rounds
        self.size = size
        self.say = say
        self.data = data
        self._timer = timer

    def compare(
        self,
        name: str,
        a: Callable[[], object],
        b: Callable[[], object],
        *,
        limit: float | None = None,
        setup: Callable[[int], object] | None = None,
        rounds: int | None = None,
        warm_up: int = 1,
        timer: Callable[[], float] | None = None,
    ) -> Figure:
        """The median of seconds(a) / seconds(b) over interleaved pairs.

        ``timer`` measures them; work of a single thread is better told in CPU seconds (``time.process_time``).
        """
        pairs = min(self.rounds, rounds) if rounds is not None else self.rounds
        turn = 0
        ratios: list[float] = []
        for number in range(warm_up + pairs):
            seconds: dict[str, float] = {}
            # The side that runs first pays for cold caches, so the first place alternates.
            for side in "ab" if number % 2 == 0 else "ba":
                if setup is not None:
                    setup(turn)
                turn += 1
                seconds[side] = self._seconds(a if side == "a" else b, timer or self._timer)
            if number >= warm_up:
                ratios.append(seconds["a"] / seconds["b"])
                self.say(f"{self.entry}.{name}: {seconds['a']:.3f} s / {seconds['b']:.3f} s = {ratios[-1]:.3f}")
        return self._figure(name, ratios, limit)

    def share(
        self, name: str, parts: Sequence[float], wholes: Sequence[float], *, limit: float | None = None
    ) -> Figure:
        """The median of part / whole, for figures that are no A/B."""
        return self._figure(name, [part / whole for part, whole in zip(parts, wholes, strict=True)], limit)

    def python(self, source: str) -> Callable[[], None]:
        """A callable that runs ``source`` in a fresh interpreter and fails loudly with its stderr."""

        def run() -> None:
            done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(f"{self.entry}: a measured process ended with {done.returncode}:\n{done.stderr}")

        return run

    def spark(self) -> SparkSession:
        """The shared session; never stop it."""
        from mirror.spark import start_session

        guest = Path(__file__).resolve().parent.parent / "transforms-python" / "src"
        return start_session(app_name="foundry-mirror benchmarks", python_path=[guest])

    @staticmethod
    def _seconds(side: Callable[[], object], timer: Callable[[], float]) -> float:
        gc.collect()
        start = timer()
        side()
        return timer() - start

    def _figure(self, name: str, ratios: Sequence[float], limit: float | None) -> Figure:
        return Figure(f"{self.entry}.{name}", statistics.median(ratios), limit, spread(ratios), len(ratios))
