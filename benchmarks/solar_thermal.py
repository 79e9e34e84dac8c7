"""Rows of a measured fleet by what became of them, over the published counts: 1 is exact.

Needs ``--data DIR`` with the folder ``data`` of github.com/stritti/thermal-solar-plant-dataset (682 files); without it
there is nothing to report. The profile is ``docs/solar_thermal/solar_thermal.yaml``. Published: 971,811 rows, 28 of
them unusable, and a sentinel in five channels of every other row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks import Bench, Figure

PROFILE = Path(__file__).resolve().parent.parent / "docs" / "solar_thermal" / "solar_thermal.yaml"
ROWS, UNUSABLE, CHANNELS = 971_811, 28, 5


def run(bench: Bench) -> Iterator[Figure]:
    files = sorted(bench.data.glob("*/*/????????.csv")) if bench.data else []
    if not files:
        bench.say("solar_thermal: skipped, because no --data DIR holds YEAR/MONTH/YYYYMMDD.csv")
        return
    counts, nulls = counted(files)
    for text, rows in sorted(counts.items()):
        bench.say(f"solar_thermal: {rows:,} {text}")
    read = counts["read"]
    yield bench.share("rows", [sum(counts.values())], [ROWS], limit=1.0)
    yield bench.share("unusable", [sum(counts.values()) - read], [UNUSABLE], limit=1.0)
    bench.say("solar_thermal: null cells by channel: " + ", ".join(f"{c} {n:,}" for c, n in sorted(nulls.items()) if n))
    yield bench.share("sentinels", [sum(nulls.values())], [CHANNELS * (ROWS - UNUSABLE)], limit=1.0)


def counted(files: list[Path]) -> tuple[Counter[str], Counter[str]]:
    """Rows by their reason (``read`` where there is none), and null cells of the rows that were read, by channel."""
    from fleet_health.ingestion.deserialise import parse_file
    from fleet_health.profiles.loader import load_profile

    profile = load_profile(PROFILE)
    counts: Counter[str] = Counter()
    nulls: Counter[str] = Counter()
    for file in files:
        with file.open("rb") as stream:
            for part in parse_file(stream, file.name, profile):
                counts.update(part["reason"].fillna("read"))
                good = part[part["reason"].isna()]
                nulls.update({name: int(n) for name, n in good[list(profile.sensor_names)].isna().sum().items()})
    return counts, nulls
