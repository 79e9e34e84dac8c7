"""Clean files as workers read them, and the tasks that their readings go to."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from fleet_health.features.errors import NotANumberInCleanError
from fleet_health.features.exchange import Tasks, _numbers_of_partitions, parcels, unpacked
from fleet_health.features.files import CleanFile, read_readings
from fleet_health.features.readings import Readings, summarised_sensors
from fleet_health.features.wanted import Touched, Wanted
from fleet_health.profiles.loader import shipped_profile

PROFILE = shipped_profile("refrigeration")
MINUTE = 60_000_000
HOUR = 60 * MINUTE
LOW = "pressure_low_side"
PLACE = {name: number for number, name in enumerate(summarised_sensors(PROFILE))}


def stored(rows: list[dict[str, Any]], group: int = 100) -> io.BytesIO:
    """A clean file; sensors that no row names have no column yet."""
    plain = {"quality_flags": [], "sensor_null_count": 0, "received": None, "device_id": "a"}
    table = pa.Table.from_pylist([plain | row for row in rows])
    instant = pa.timestamp("us", "UTC")
    for name, given in (("timestamp_utc", "micros"), ("timestamp_ingested", "received")):
        table = table.append_column(name, table[given].cast(pa.int64()).cast(instant))
    flags = table["quality_flags"].cast(pa.list_(pa.string()))
    table = table.set_column(table.schema.get_field_index("quality_flags"), "quality_flags", flags)
    stream = io.BytesIO()
    pq.write_table(table.drop_columns(["micros", "received"]), stream, row_group_size=group)
    return stream


def read(stream: io.BytesIO, wanted: Wanted | None = None) -> Readings:
    parts = list(read_readings(stream, PROFILE, wanted or Wanted(), landed=True))
    return Readings.joined(parts)


def test_a_reading_without_receipt_counts_at_its_time_and_a_sensor_without_column_is_null() -> None:
    found = read(stored([{"micros": 5, LOW: 1.5}, {"micros": -7, "received": 9, LOW: None}]))
    assert (found.micros.tolist(), found.received.tolist()) == ([5, -7], [5, 9])
    assert found.values[0, PLACE[LOW]] == 1.5
    assert np.isnan(found.values[1, PLACE[LOW]])
    assert np.isnan(found.values[:, PLACE["humidity"]]).all()


def test_a_drifting_clock_leaves_and_another_flag_stays() -> None:
    rows = [{"micros": n, "quality_flags": flags} for n, flags in enumerate([["CLOCK_DRIFT", "X"], ["X"], []])]
    found = read(stored(rows))
    assert (found.micros.tolist(), found.flagged.tolist()) == ([1, 2], [True, False])


def test_row_groups_and_rows_that_nobody_wants_are_left_out() -> None:
    """The first group holds NaN, which is refused when it is read."""
    rows = [{"micros": n * HOUR, "device_id": f"d{n % 2}", LOW: float("nan") if n < 3 else 1.0} for n in range(9)]
    touched = Touched.of(HOUR, ["d1", "d0", "unknown"], [7 * HOUR, 6 * HOUR, 3 * HOUR])
    found = read(stored(rows, group=3), Wanted(((4 * HOUR, 5 * HOUR - 1),), (touched,)))
    assert (found.micros // HOUR).tolist() == [4, 6, 7]
    with pytest.raises(NotANumberInCleanError, match="'pressure_low_side' of device 'd0'"):
        read(stored(rows, group=3))


def test_a_window_that_no_device_of_the_file_has_touches_nothing() -> None:
    wanted = Wanted((), (Touched.of(HOUR, ["other"], [0]),))
    assert list(read_readings(stored([{"micros": 1}]), PROFILE, wanted, landed=False)) == []


def test_a_device_and_day_is_one_task_whatever_file_it_lies_in() -> None:
    day = 24 * HOUR
    files = [CleanFile(f"{n}", 40_000_000, False, n % 2) for n in range(4)]
    tasks = Tasks.for_files(files, day)
    assert (tasks.spans, tasks.shares) == (2, 5)
    assert Tasks.for_files([CleanFile(f"{n}", 9_000, False, n) for n in range(365)], day).count == 1
    rows = [{"micros": n * HOUR, "device_id": f"d{n % 30}", LOW: float(n)} for n in range(96)]
    sent = [one for part in (rows[:50], rows[50:]) for one in parcels(read(stored(part)), tasks, range(tasks.count))]
    seen: dict[tuple[str, int], int] = {}
    values: list[float] = []
    for task in range(tasks.count):
        there = unpacked([parcel for parcel in sent if parcel.column("task")[0].as_py() == task], PROFILE)
        if there is None:
            continue
        values += there.values[:, PLACE[LOW]].tolist()
        for code, micros in zip(there.codes, there.micros, strict=True):
            assert seen.setdefault((there.devices[code].as_py(), micros // day), task) == task
    assert sorted(values) == [float(n) for n in range(96)]


def test_every_task_has_a_partition_of_its_own(spark: SparkSession) -> None:
    numbers = _numbers_of_partitions(7)
    frame = spark.range(0, 7, 1, 1).select(F.element_at(F.array(*map(F.lit, numbers)), F.col("id").cast("int") + 1))
    placed = frame.toDF("task").repartition(7, "task").select("task", F.spark_partition_id().alias("at")).collect()
    assert {row["task"]: row["at"] for row in placed} == {number: at for at, number in enumerate(numbers)}
