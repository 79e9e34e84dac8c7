"""How much of each sensor is missing, from the footers of the files: no row is read."""

from __future__ import annotations

from collections.abc import Iterator

from mirror.report.errors import NotThereError
from mirror.report.fleet_data import FleetData
from mirror.report.parts import BAD, GOOD, WATCH, Bar, Bars

AUDIENCE, ORDER = "science", 50
TITLE = "Null rates"
LEAD = "Share of clean readings without a value, per sensor, over all that is kept."

SHOWN = 30
HEALTHY, BROKEN = 0.07, 0.22
"""Healthy units lose two percent; five points more are one unit in twenty without the sensor, twenty one in five."""
_MEASURED = frozenset({"DOUBLE", "FLOAT"})


def read(fleet: FleetData) -> Iterator[Bars]:
    """Sensors by null share, the emptiest first."""
    rows = 0
    nulls: dict[str, int] = {}
    unknown: set[str] = set()
    for footer in fleet.footers("clean_sensor_readings"):
        rows += footer.num_rows
        for group in (footer.row_group(number) for number in range(footer.num_row_groups)):
            for column in (group.column(place) for place in range(group.num_columns)):
                name = column.path_in_schema
                if column.physical_type not in _MEASURED or "." in name:
                    continue
                statistics = column.statistics
                if statistics is None or not statistics.has_null_count:
                    unknown.add(name)
                else:
                    nulls[name] = nulls.get(name, 0) + statistics.null_count
    known = {name: count / rows for name, count in nulls.items() if name not in unknown}
    if not known:
        raise NotThereError(f"{fleet.prefix}/clean_sensor_readings has no sensor whose nulls its files count.")
    order = sorted(known, key=lambda name: (-known[name], name))
    yield Bars(
        caption=f"{rows:,} readings of {len(order)} sensors",
        bars=tuple(Bar(name, known[name], f"{known[name]:.1%}", level=_level(known[name])) for name in order[:SHOWN]),
        total=len(order),
    )


def _level(share: float) -> str:
    return BAD if share > BROKEN else WATCH if share > HEALTHY else GOOD
