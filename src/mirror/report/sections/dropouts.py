"""Devices that went silent, wholly or in part, in the newest hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from mirror.report.fleet_data import FleetData
from mirror.report.parts import BAD, NEUTRAL, WATCH, Bar, Bars, Rows

AUDIENCE, ORDER = "operations", 30
TITLE = "Dropouts"
LEAD = "Units that send less than they should, in the newest hour that was judged."

SHOWN = 25
_HEALTHY = "HEALTHY"
_FULL = "FULL_DROPOUT"


def read(fleet: FleetData) -> Iterator[Bars | Rows]:
    """Devices per kind of dropout, then the units concerned."""
    needed = ("device_id", "dropout_type")
    wanted = ("reading_count", "expected_reading_count", "missing_sensors", "last_reading_at")
    newest = fleet.newest("device_dropout_flags", "evaluated_hour", needed, wanted).to_pylist()
    bad = [row for row in newest if row["dropout_type"] != _HEALTHY]
    hour = f"{newest[0]['evaluated_hour']:%Y-%m-%d %H:%M}"
    counts = Counter(str(row["dropout_type"]) for row in bad)
    yield Bars(
        caption=f"Devices per kind of dropout in the hour before {hour}, of {len(newest)} judged",
        bars=tuple(
            Bar(kind.replace("_", " ").lower(), count, f"{count:,}", level=BAD if kind == _FULL else WATCH)
            for kind, count in counts.most_common()
        )
        or (Bar("none", 0, "0", "every device sends what it should", NEUTRAL),),
    )
    bad.sort(key=lambda row: (row["dropout_type"] != _FULL, str(row["dropout_type"]), str(row["device_id"])))
    if bad:
        yield Rows(
            caption="Units concerned",
            columns=("dropout", "device", "readings", "expected", "missing sensors", "last reading"),
            rows=tuple(_row(row) for row in bad[:SHOWN]),
            total=len(bad),
            levels=tuple(BAD if row["dropout_type"] == _FULL else WATCH for row in bad[:SHOWN]),
        )


def _row(row: dict[str, object]) -> tuple[str, ...]:
    missing = row.get("missing_sensors")
    last = row.get("last_reading_at")
    return (
        str(row["dropout_type"]).replace("_", " ").lower(),
        str(row["device_id"]),
        *("–" if row.get(key) is None else str(row[key]) for key in ("reading_count", "expected_reading_count")),
        ", ".join(map(str, missing)) if isinstance(missing, list) and missing else "–",
        "–" if last is None else f"{last:%Y-%m-%d %H:%M}",
    )
