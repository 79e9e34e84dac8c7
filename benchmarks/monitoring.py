"""One look of the monitors at a small fleet against counting the rows of every dataset that it reads.

Seventeen datasets of 150 units, the healthy day of the self-test (``tests/fleet_health/fleets/watched_fleet.py``), read
from files. What a look costs here is planning: the rows are few. Both sides in CPU seconds of all processes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import Bench, Figure
from benchmarks._pipeline_cpu import cost

FLEETS = Path(__file__).resolve().parent.parent / "tests" / "fleet_health" / "fleets"


def run(bench: Bench) -> Iterator[Figure]:
    sys.path.insert(0, str(FLEETS))
    from watched_fleet import PROFILE, planted

    from fleet_health.monitoring.definitions import shipped_metrics
    from fleet_health.monitoring.health import look
    from fleet_health.monitoring.measured import Watched
    from fleet_health.monitoring.passes import MEASURES

    spark, metrics, folder = bench.spark(), shipped_metrics(MEASURES), bench.scratch
    frames = {}
    for name, made in planted(spark, False).items():
        made.write.parquet(str(folder / name))
        frames[name] = spark.read.schema(made.schema).parquet(str(folder / name))

    def looked() -> None:
        look(Watched(frames, PROFILE), metrics)

    def counted() -> None:
        for frame in frames.values():
            frame.count()

    first = cost(looked)
    pairs = [(cost(looked), cost(counted)) for _ in range(bench.rounds)]
    for a, b in pairs:
        bench.say(f"monitoring: {a:.2f} / {b:.2f} CPU seconds; the first look of the process took {first:.2f}")
    yield bench.share("look_beside_counting", [a for a, _ in pairs], [b for _, b in pairs])
