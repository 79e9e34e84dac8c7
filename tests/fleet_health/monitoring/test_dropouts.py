"""How each unit reported in an hour: every rule at its limit and one step beyond, a unit per case in one job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import SparkSession
from watched_fleet import PROFILE, SENSORS, Row, frame, hour

from fleet_health.monitoring.dropouts import dropout_flags

pytestmark = pytest.mark.nightly

OLD = SENSORS[:5]
"""Sensors that units with old firmware do not have."""
EVERY = range(60)
UNITS: dict[str, tuple[str, int, list[float], dict[str, Any]]] = {
    # minutes in which it sent something, and what all of its readings have in common
    "healthy": ("HEALTHY", 60, list(EVERY), {}),
    "silent": ("FULL_DROPOUT", 60, [], {}),
    "half the rate": ("HEALTHY", 60, [2 * n for n in range(30)], {}),
    "one below half": ("FREQUENCY_DEGRADATION", 60, [2 * n for n in range(29)], {}),
    "slow by design": ("HEALTHY", 30, [2 * n for n in range(30)], {}),
    "four sensors silent": ("HEALTHY", 60, list(EVERY), dict.fromkeys(SENSORS[:4])),
    "five sensors silent": ("SENSOR_SUBSET_DROPOUT", 60, list(EVERY), dict.fromkeys(OLD)),
    "five that it does not have": ("HEALTHY", 60, list(EVERY), dict.fromkeys(OLD)),
    "few and empty": ("FREQUENCY_DEGRADATION", 60, [0, 1], dict.fromkeys(OLD)),
    "three silences": ("INTERMITTENT_DROPOUT", 60, [n for n in EVERY if n % 20 not in range(1, 7)], {}),
    "two silences": ("HEALTHY", 60, [n for n in EVERY if not (n % 20 in range(1, 7) and n < 40)], {}),
    "five minutes to the second": ("HEALTHY", 60, [n for n in EVERY if n % 20 not in range(1, 5)], {}),
}


def _clean() -> Iterator[Row]:
    values = dict.fromkeys(SENSORS) | {s.name: 1.0 if s.type == "double" else True for s in PROFILE.sensors}

    def row(device: str, at: float, **own: Any) -> Row:
        stamps = dict.fromkeys(("timestamp_utc", "timestamp_ingested"), hour(at))
        return {"device_id": device, "quality_flags": [], **stamps, **values, **own}

    for name, (_, _, minutes, own) in UNITS.items():
        yield from (row(name, 10 + minute / 60, **own) for minute in minutes)
    yield row("retired", 10.5)
    yield row("healthy", 11.0)  # the next hour has begun, so this one is over; it is judged when it is over itself


@pytest.fixture(scope="module")
def flags(spark: SparkSession) -> pd.DataFrame:
    def unit(name: str, rate: int = 60) -> Row:
        fitted = [s for s in SENSORS if s not in OLD] if name.endswith("does not have") else SENSORS
        return {"device_id": name, "status": "active", "expected_sensors": fitted, "expected_readings_per_hour": rate}

    registry = [unit(name, rate) for name, (_, rate, _, _) in UNITS.items()]
    registry += [unit("retired") | {"status": "decommissioned"}]
    clean = frame(spark, "clean_sensor_readings", list(_clean()))
    after = round(pd.Timestamp(hour(9)).timestamp())
    made = dropout_flags(clean, frame(spark, "device_registry", registry), PROFILE, after).toPandas()
    return made.set_index(["evaluated_hour", "device_id"])


def test_each_rule_speaks_beyond_its_limit_and_not_at_it(flags: pd.DataFrame) -> None:
    found = flags.loc[pd.Timestamp(hour(11)), "dropout_type"].to_dict()
    assert found == {name: expected for name, (expected, *_) in UNITS.items()}


def test_silence_is_a_row_of_zeros_and_every_active_unit_has_one_an_hour(flags: pd.DataFrame) -> None:
    silent = flags.loc[pd.Timestamp(hour(11)), :].loc["silent"]
    assert (silent["reading_count"], silent["gap_count"], silent["expected_reading_count"]) == (0, 0, 60)
    assert (list(silent["missing_sensors"]), silent["last_reading_at"]) == (SENSORS, pd.NaT)
    hours = flags.reset_index().groupby("evaluated_hour")["device_id"].nunique()
    assert hours.to_dict() == {pd.Timestamp(hour(n)): len(UNITS) for n in (10, 11)}
    assert set(flags.loc[pd.Timestamp(hour(10)), "dropout_type"]) == {"FULL_DROPOUT"}


def test_what_a_unit_never_sent_is_named(flags: pd.DataFrame) -> None:
    named = flags.loc[pd.Timestamp(hour(11)), "missing_sensors"].map(list).to_dict()
    assert named["five sensors silent"] == OLD
    assert named["five that it does not have"] == named["healthy"] == []
    assert flags.loc[(pd.Timestamp(hour(11)), "three silences"), "gap_count"] == 3
