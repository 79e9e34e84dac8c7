"""Six invented days of three heat pumps as German CSV: ``python docs/heat_pumps/write_readings.py FOLDER``.

Readings every five minutes, semicolons, decimal commas, Latin-1, local time. Hidden in them: 18 sentinels of a
sensor that answers -999,9, seven cells ``n/a``, one impossible value, one unreadable cell, one torn line, and on
the last day of the southern unit a circulation pump that no longer moves heat.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

STEP = timedelta(minutes=5)
DAY = timedelta(days=1) // STEP
HEADER = "Zeit;Vorlauf [°C];Rücklauf [°C];Außen [°C];Leistung [W];Verdichter"


def readings(unit: str) -> list[str]:
    """The lines of one unit's file."""
    noise = np.random.default_rng(sum(map(ord, unit)))
    start = datetime(2026, 1, 12)  # noqa: DTZ001 - the logger writes local time without an offset
    lines = [HEADER]
    for n in range(6 * DAY):
        angle = 2 * np.pi * (n % DAY) / DAY
        outdoor = 2 - 4 * np.cos(angle) + noise.normal(0, 0.4)
        flow = 38 - 0.6 * outdoor + noise.normal(0, 0.3)
        back = flow - 6 + noise.normal(0, 0.2)
        power = 2100 - 60 * outdoor + noise.normal(0, 30)
        if unit == "hp_south" and n >= 5 * DAY:
            back, power = flow - 0.8, power + 900
        cells = [f"{value:.1f}".replace(".", ",") for value in (flow, back, outdoor, power)]
        if unit == "hp_east":
            cells[2] = "-999,9" if n % 100 == 7 else cells[2]
            cells[3] = "n/a" if n % 250 == 9 else cells[3]
        if unit == "hp_north":
            cells[0] = "412,0" if n == 400 else cells[0]
            cells[1] = "defekt" if n == 500 else cells[1]
        running = "1" if noise.random() > 0.1 else "0"
        line = ";".join([(start + n * STEP).strftime("%d.%m.%Y %H:%M"), *cells, running])
        lines.append("torn" if unit == "hp_north" and n == 600 else line)
    return lines


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for unit in ("hp_north", "hp_south", "hp_east"):
        text = "\n".join(readings(unit)) + "\n"
        (folder / f"{unit}_2026-01.csv").write_text(text, encoding="latin-1")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
