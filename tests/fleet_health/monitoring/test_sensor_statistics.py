"""A sensor's day against the days before it, by hand, and what a counter gained in it."""

from __future__ import annotations

import statistics
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from fleet_health.ingestion.deserialise import parse_file
from fleet_health.monitoring.counters import gained
from fleet_health.monitoring.sensor_statistics import LEAST_DAYS, compared, sensor_statistics
from fleet_health.profiles.loader import load_profile

ROOT = Path(__file__).resolve().parents[3]
START = datetime(2026, 1, 5)  # noqa: DTZ001 - naive, as rows of Spark are


def _days(means: list[float | None], top: float = 10.0) -> list[dict[str, Any]]:
    shares = {"p05": 0.0, "p50": 1.0, "p95": top - 1.0, "p99": top}
    return [{"period_start": START + timedelta(days=n), "mean": mean, **shares} for n, mean in enumerate(means)]


def test_a_day_is_compared_with_at_most_thirty_before_it_and_at_least_five() -> None:
    means: list[float | None] = [float(n % 3) for n in range(40)]
    found = list(compared(_days([*means, 9.0])))
    assert [one["baseline_mean"] for one in found[:LEAST_DAYS]] == [None] * LEAST_DAYS
    assert found[LEAST_DAYS]["baseline_mean"] == statistics.fmean([0, 1, 2, 0, 1])
    last, thirty = found[-1], [float(n % 3) for n in range(10, 40)]
    assert last["deviation_sigma"] == pytest.approx((9.0 - statistics.fmean(thirty)) / statistics.stdev(thirty))
    assert (last["shift_detected"], found[-2]["shift_detected"]) == (True, False)


def test_a_set_point_that_nobody_touched_is_at_no_distance() -> None:
    # the mean of equal values, as different orders of adding them leave it
    means: list[float | None] = [348.724474 + 1e-13 * (n % 2) for n in range(12)]
    found = list(compared(_days(means)))
    assert [one["deviation_sigma"] for one in found] == [None] * 12
    assert not any(one["shift_detected"] for one in found)


def test_a_day_without_values_is_no_shift_and_no_past() -> None:
    found = list(compared(_days([1.0, 2.0, None, 1.0, 2.0, 1.0, 2.0, None])))
    assert found[-3]["baseline_mean"] is None  # four days with values and one without
    assert found[-2]["baseline_mean"] == pytest.approx(1.4)
    assert (found[-1]["deviation_sigma"], found[-1]["shift_detected"]) == (None, False)
    raised = [*_days([1.0, 2.0, 1.0, 2.0, 1.0]), {**_days([1.5], top=12.0)[0], "p95": 10.5}]
    assert list(compared(raised))[-1]["shift_detected"]  # its 95th percentile is above their 99th


@pytest.mark.nightly
def test_a_counter_is_what_it_gained_and_one_that_starts_again_is_told_from_one_that_lost_minutes(
    spark: SparkSession,
) -> None:
    cases: dict[str, list[list[float | None]]] = {  # the readings of two days, one a minute
        "grows": [[900.0, 950.0, 1000.0], [1010.0, 1100.0]],
        "starts again within the day": [[900.0, 950.0, 10.0, 60.0], [70.0, 100.0]],
        "starts again overnight": [[900.0, 1000.0], [0.0, 40.0]],
        "lost its last minutes": [[900.0, 1000.0, 980.0, 1020.0], [1015.0, 1050.0]],
        "one odd reading": [[900.0, 0.0, 1000.0], [1000.0, 9e9, 1100.0]],
        "nothing read": [[None, None], [None, 5.0]],
        "stands still": [[7.0, 7.0], [7.0, 7.0]],
    }
    rows = [
        (device, day, START + timedelta(days=day, minutes=minute), value)
        for device, days in cases.items()
        for day, values in enumerate(days)
        for minute, value in enumerate(values)
    ]
    # backwards, because rows of a dataset are in no order
    frame = spark.createDataFrame(
        pd.DataFrame(rows[::-1], columns=["device_id", "day", "timestamp_utc", "run"]),
        "device_id string, day long, timestamp_utc timestamp, run double",
    )
    found = {
        (row["device_id"], row["day"]): (row["run"], row["run_restarted"]) for row in gained(frame, ["run"]).collect()
    }
    assert found == {
        ("grows", 0): (100.0, 0.0),
        ("grows", 1): (90.0, 0.0),
        ("starts again within the day", 0): (100.0, 1.0),  # 50 before and 50 after
        ("starts again within the day", 1): (30.0, 0.0),
        ("starts again overnight", 0): (100.0, 0.0),
        ("starts again overnight", 1): (40.0, 1.0),
        ("lost its last minutes", 0): (120.0, 0.0),
        ("lost its last minutes", 1): (35.0, 0.0),
        ("one odd reading", 0): (100.0, 0.0),
        ("one odd reading", 1): (100.0, 0.0),
        ("nothing read", 0): (None, None),
        ("nothing read", 1): (0.0, 0.0),
        ("stands still", 0): (0.0, 0.0),
        ("stands still", 1): (0.0, 0.0),
    }


@pytest.mark.nightly
def test_the_day_on_which_the_solar_plant_lost_its_memory_is_found_and_no_other(spark: SparkSession) -> None:
    profile = load_profile(ROOT / "docs" / "solar_thermal" / "solar_thermal.yaml")
    counters = ["relay_1_run", "relay_2_run", "relay_3_run"]
    kept = tuple(sensor for sensor in profile.sensors if sensor.counter or sensor.name == "relay_2")
    days = []
    for name in ("20161228", "20170317", "20170326"):  # on the first the clock was set back by an hour
        file = ROOT / "data" / "solar_thermal" / f"{name}.csv.gz"
        with file.open("rb") as stream:
            days += [part[part["reason"].isna()].astype("object") for part in parse_file(stream, file.name, profile)]
    readings = pd.concat(days)
    numbers = readings[[sensor.name for sensor in kept]].astype("float64")
    moment = pd.to_datetime(readings["timestamp_device"], utc=True).dt.tz_localize(None)
    clean = numbers.assign(device_id="SOLAR-1", timestamp_utc=moment, timestamp_ingested=moment)
    registry = spark.createDataFrame(
        [("SOLAR-1", "DE", None)], "device_id string, region string, firmware_version string"
    )
    few = profile.model_copy(update={"sensors": kept})
    told = sensor_statistics(spark.createDataFrame(clean), registry, few).where("slice_name = 'ALL'").collect()
    restarts = {(row["sensor_name"], f"{row['period_start']:%Y-%m-%d}") for row in told if row["restarted_share"]}
    assert restarts == {(name, "2017-03-17") for name in counters}
    assert all(row["shift_detected"] for row in told if row["restarted_share"])
    the_day = datetime(2017, 3, 17)  # noqa: DTZ001 - naive, as rows of Spark are
    told_of_it = next(row for row in told if (row["sensor_name"], row["period_start"]) == ("relay_2_run", the_day))
    steps = clean.loc[moment.dt.date == the_day.date(), "relay_2_run"].diff()
    assert told_of_it["mean"] == steps[steps > 0].sum()  # seconds that it ran, and not minus 142 million
    assert {row["restarted_share"] for row in told if row["sensor_name"] not in counters} == {None}
