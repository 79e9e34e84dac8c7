"""Since when sensors are there: counted in devices, from days that are over, and remembered from run to run."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from fleet_health.monitoring.schema_log import LOG_SCHEMA, coverage, log_rows
from fleet_health.profiles.loader import shipped_profile
from fleet_health.profiles.records import SensorNote

_FLEET = shipped_profile("refrigeration")
OLD, YOUNG, DEAF = "humidity", "superheat", "subcooling"
PROFILE = _FLEET.model_copy(update={"sensors": tuple(_FLEET.sensor(name) for name in (OLD, YOUNG, DEAF))})
DEVICES = [f"D{n}" for n in range(10)]


def day(n: int) -> date:
    return date(2026, 3, n)


def reading(device: str, at: int, *sensors: str) -> dict[str, Any]:
    values = {name: 1.0 if name in sensors else None for name in PROFILE.sensor_names}
    return {"device_id": device, "date": day(at), "timestamp_ingested": pd.Timestamp(day(at)), **values}


@pytest.mark.nightly
def test_days_are_remembered_and_only_new_ones_are_read(spark: SparkSession) -> None:
    rows = [reading(device, at, OLD) for device in DEVICES for at in (1, 2, 10, 20)]
    rows += [reading(device, 1, OLD, YOUNG) for device in ("stranger",)]
    # eight of ten are not more than 80 percent, nine are; on the 20th all are, and that day still goes on
    rows += [reading(device, 2, YOUNG) for device in DEVICES[:8]]
    rows += [reading(device, 10, YOUNG) for device in DEVICES[:9]]
    rows += [reading(device, 20, YOUNG) for device in DEVICES[:4]]
    types = "device_id string, date date, timestamp_ingested timestamp"
    clean = spark.createDataFrame(
        pd.DataFrame(rows).astype(object), types + "".join(f", {s} double" for s in PROFILE.sensor_names)
    ).persist()
    registered = [(device, "active") for device in DEVICES] + [("stranger", "inactive")]
    registry = spark.createDataFrame(pd.DataFrame(registered, columns=["device_id", "status"]))
    found = coverage(clean, registry, PROFILE, 0.8, None)
    assert found is not None
    assert found.first == {OLD: day(1), YOUNG: day(1)}
    assert found.viable == {OLD: day(1), YOUNG: day(10)}
    assert found.week == {OLD: 100.0, YOUNG: 40.0, DEAF: 0.0}
    later = coverage(clean, registry, PROFILE, 0.8, day(16))
    clean.unpersist()
    assert later is not None
    # from a week that ends with the 16th on, so the 10th is the first day that is read
    assert (later.first, later.viable) == ({OLD: day(10), YOUNG: day(10)}, {OLD: day(10), YOUNG: day(10)})

    assert _FLEET.schema_log is not None
    note = SensorNote(sensor=OLD, says="new probe", deprecated=day(15))
    log = _FLEET.schema_log.model_copy(update={"notes": (note,)})
    first = {row["column_name"]: row for row in log_rows(found, {}, PROFILE, log)}
    gone = {**first[YOUNG], "column_name": "gone", "date_deprecated": None}
    again = {row["column_name"]: row for row in log_rows(later, {**first, "gone": gone}, PROFILE, log)}
    told = ("date_added", "date_deprecated", "fleet_coverage_pct", "min_viable_training_date", "notes")
    assert list(again[OLD]) == LOG_SCHEMA.fieldNames()
    assert {name: tuple(row[key] for key in told) for name, row in again.items()} == {
        OLD: (day(1), day(15), 100.0, day(1), "new probe"),
        YOUNG: (day(1), None, 40.0, day(10), None),
        DEAF: (day(20), None, 0.0, None, None),
        "gone": (day(1), day(20), 0.0, day(10), None),
    }
