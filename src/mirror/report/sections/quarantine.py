"""Rows set aside per day: a rise is a registry or a firmware that changed."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from mirror.report.errors import NotThereError
from mirror.report.fleet_data import FleetData
from mirror.report.parts import Stack

AUDIENCE, ORDER = "operations", 40
TITLE = "Quarantine over time"
LEAD = "Rows per day that did not go the main way, by reason."

DAYS = 30
KINDS = 4
_SOURCES = (("quarantine_sensor_readings", "quarantine_reason"), ("dead_letter", "reason"))
_TIMES = ("timestamp_ingested", "ingested_at", "timestamp_utc", "received_at")


def read(fleet: FleetData) -> Iterator[Stack]:
    """The last days on which anything was set aside; the rarest reasons together."""
    counts: dict[tuple[str, str], int] = {}
    problems = []
    for name, reason in _SOURCES:
        try:
            for (day, why), count in _per_day(fleet, name, reason).items():
                counts[day, why] = counts.get((day, why), 0) + count
        except NotThereError as error:
            problems.append(str(error))
    if not counts:
        raise NotThereError(" ".join(problems) or "No row was set aside.")
    days = sorted({day for day, _ in counts})[-DAYS:]
    totals: dict[str, int] = {}
    for (day, why), count in counts.items():
        if day in days:
            totals[why] = totals.get(why, 0) + count
    named = sorted(totals, key=lambda why: (-totals[why], why))
    kept, rest = named[:KINDS], named[KINDS:]
    parts = [(why, tuple(counts.get((day, why), 0) for day in days)) for why in kept]
    if rest:
        parts.append(("other", tuple(sum(counts.get((day, why), 0) for why in rest) for day in days)))
    yield Stack(caption="Rows set aside per day", periods=tuple(days), parts=tuple(parts))


def _per_day(fleet: FleetData, name: str, reason: str) -> dict[tuple[str, str], int]:
    columns = fleet.view(name).schema
    times = [one for one in _TIMES if columns is not None and one in columns.columns]
    if not times:
        raise NotThereError(f"{fleet.prefix}/{name} has no time column among {', '.join(_TIMES)}.")
    table = fleet.table(name, (reason, times[0]))
    if not pa.types.is_timestamp(table.schema.field(times[0]).type):
        raise NotThereError(f"{fleet.prefix}/{name}: {times[0]} is no timestamp.")
    days = pc.strftime(pc.fill_null(pc.cast(table[times[0]], pa.timestamp("s")), 0), "%Y-%m-%d")
    values = table[reason]
    if pa.types.is_list(values.type):
        values = pc.list_element(pc.if_else(pc.greater(pc.list_value_length(values), 0), values, [["unknown"]]), 0)
    grouped = pa.table({"day": days, "why": pc.cast(values, pa.string())}).group_by(["day", "why"])
    return {
        (row["day"], row["why"] or "unknown"): row["day_count"]
        for row in grouped.aggregate([("day", "count")]).to_pylist()
    }
