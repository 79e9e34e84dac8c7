"""The summary of a day, cell by cell: what was counted, of how many, and what is no standstill and not late."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from pyspark.sql import SparkSession
from watched_fleet import PROFILE, SENSORS, START, Row, frame, hour

from fleet_health.monitoring.quality import daily_summary

# four passes over six datasets plan many small queries
pytestmark = pytest.mark.nightly

FIRST, SECOND = date(2026, 1, 5), date(2026, 1, 6)
CALM, RARE = SENSORS[0], SENSORS[9]
"""A sensor of every unit, and one that unit D2 does not have."""
Cell = tuple[date, str, str]


def _clean() -> Iterator[Row]:
    values = dict.fromkeys(SENSORS) | {s.name: 1.0 if s.type == "double" else True for s in PROFILE.sensors}

    def row(device: str, measured: float, after: float, flags: tuple[str, ...] = (), **own: object) -> Row:
        at = hour(measured)
        received = at + timedelta(minutes=after)
        return {
            "device_id": device,
            "timestamp_utc": at,
            "timestamp_ingested": received,
            "quality_flags": list(flags),
            **values,
            **own,
        }

    yield row("D1", 1.0, 0)
    yield row("D1", 2.0, 35)  # its quarter is written 35 minutes after it began: still in time
    yield row("D1", 3.0, 36, ("SENSOR_GAP",), **{CALM: None})
    yield row("D2", 4.0, 60, ("CLOCK_DRIFT", "RANGE_VIOLATION"), **{RARE: None})  # counts in no window, so is not late
    yield row("D1", 23.5, 60)  # received on the next day, and counted there


def _windows() -> Iterator[Row]:
    still = {"moved before": (0.5, 0, 0, 0, 0), "too short": (0.5, 0, 0, 0, 0.5), "never moves": (0, 0, 0, 0, 0)}
    for device, deviations in {**still, "too few readings": (0.5, 0, 0, 0, 0)}.items():
        for n, deviation in enumerate(deviations):
            yield {
                "device_id": device,
                "window_duration_minutes": 15,
                "window_start": hour(n / 4),
                "window_end": hour((n + 1) / 4),
                "computed_at": hour((n + 1) / 4),
                "reading_count": 9 if device == "too few readings" else 15,
                "temp_evaporator_std": float(deviation),
            }


def _fates() -> Iterator[Row]:
    fates = {
        "CLEAN NONE": 4,
        "QUARANTINE DEVICE_UNKNOWN": 2,
        "DEAD_LETTER ALL_SENSORS_NULL": 1,
        "DEAD_LETTER SCHEMA_MISMATCH": 3,
        "DUPLICATE DUPLICATE_EVENT_ID": 1,
    }
    for fate, rows in fates.items():
        outcome, reason = fate.split()
        yield {"source_file": "f1", "outcome": outcome, "reason": reason, "device_id": "ALL", "rows": rows}
    yield {"source_file": "not yet read", "outcome": "CLEAN", "reason": "NONE", "device_id": "ALL", "rows": 9}


@pytest.fixture(scope="module")
def cells(spark: SparkSession) -> dict[Cell, tuple[float, int | None]]:
    registry = [
        {"device_id": "D1", "expected_sensors": SENSORS},
        {"device_id": "D2", "expected_sensors": [name for name in SENSORS if name != RARE]},
    ]
    raw = [
        {"device_id": "D1", "timestamp_ingested": hour(n), "source_file": "f1", "event_id": str(n)} for n in range(8)
    ]
    silent = [
        {"device_id": device, "evaluated_hour": hour(n), "dropout_type": "FULL_DROPOUT", "reading_count": 0}
        for device, n in (("D1", 24), ("D1", 23), ("D2", 25))
    ]
    rows = {
        "raw_sensor_readings": raw,
        "clean_sensor_readings": list(_clean()),
        "row_conservation": list(_fates()),
        "device_features": list(_windows()),
        "device_registry": registry,
        "device_dropout_flags": silent,
    }
    made = daily_summary({name: frame(spark, name, of) for name, of in rows.items()}, PROFILE).toPandas()
    assert set(made["computed_at"]) == {START + timedelta(hours=7)}  # the newest receipt of raw, and no clock
    parts = made["metric_name"] + (" " + made["dimension_value"]).replace(" ALL", "")
    keys = zip(made["summary_date"], parts, strict=True)
    told = made[["value", "denominator"]].astype(object).where(made[["value", "denominator"]].notna(), None)
    return dict(zip(keys, map(tuple, told.to_numpy().tolist()), strict=True))


def test_readings_count_on_the_day_of_their_receipt(cells: dict[Cell, tuple[float, int | None]]) -> None:
    assert cells[FIRST, "readings_clean"] == (4.0, None)
    assert cells[SECOND, "readings_clean"] == (1.0, None)
    assert cells[FIRST, "flag_rate SENSOR_GAP"] == cells[FIRST, "flag_rate CLOCK_DRIFT"] == (0.25, 4)
    assert cells[SECOND, "flag_rate SENSOR_GAP"] == (0.0, 1)


def test_a_sensor_is_missed_where_it_should_be(cells: dict[Cell, tuple[float, int | None]]) -> None:
    assert cells[FIRST, f"sensor_null_rate {CALM}"] == (0.25, 4)
    assert cells[FIRST, f"sensor_null_rate {RARE}"] == (0.0, 3)


def test_late_is_what_came_after_its_quarter_was_written(cells: dict[Cell, tuple[float, int | None]]) -> None:
    assert cells[FIRST, "late_reading_count"] == (1.0, None)
    assert cells[SECOND, "late_reading_count"] == (1.0, None)


def test_every_line_of_a_file_is_somewhere(cells: dict[Cell, tuple[float, int | None]]) -> None:
    """Eleven lines, of which eight could be read; a file that cleansing counted and raw does not have tells nothing."""
    told = {name: value for (day, name), value in cells.items() if day == FIRST and not name.startswith("flag")}
    assert told["readings_total"] == (8.0, None)
    assert told["readings_clean files"] == (4.0, None)
    assert told["readings_quarantined"] == (2.0, None)
    assert told["readings_dead_letter"] == (4.0, None)
    assert told["readings_dead_letter ALL_SENSORS_NULL"] == (1.0, None)
    assert told["duplicates_removed"] == (1.0, None)
    assert told["quarantine_rate"] == (2 / 8, 8)
    assert told["dead_letter_rate"] == (4 / 11, 11)


def test_a_unit_stands_still_that_moved_before_and_was_heard(cells: dict[Cell, tuple[float, int | None]]) -> None:
    assert cells[FIRST, "stuck_sensor_devices"] == (1.0, None)


def test_a_unit_in_dropout_counts_once_a_day(cells: dict[Cell, tuple[float, int | None]]) -> None:
    assert cells[FIRST, "devices_in_dropout_state FULL_DROPOUT"] == (1.0, None)  # hour 24 ends that day
    assert cells[SECOND, "devices_in_dropout_state FULL_DROPOUT"] == (1.0, None)
