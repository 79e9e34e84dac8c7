"""Every scenario of the matrix on one unit of a fleet, seen from all four sides that may tell of it.

What *batch* (the model), *streaming* (acute rules), *fallback* (rules over features) and *data quality* are to say
stands in the matrix; here each of those words is a condition on what they said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession
from synthetic_windows import synthetic_windows
from whole_way import PROFILE, Measured, Scored, Stored, measured, scored, trained

from fleet_health.contracts.raw import parsed_schema
from fleet_health.ingestion.deserialise import readable
from fleet_health.ingestion.registry import registry_from_text
from fleet_health.monitoring import quality
from fleet_health.scoring.fallback import fired_rules
from fleet_health.streaming.runner import replay_alerts
from mirror.synth import Anomaly, SynthRequest, load_fleet, write_fleet

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(900)]

HOURS, SEED = 26, 18
TAUGHT = 200
"""Units that the model has seen, none of which is looked at here."""
SCENARIOS = (
    "temperature_drift",
    "sensor_failure",
    "acute_pressure_loss",
    "compressor_overload",
    "cooling_loss",
    "compressor_stop",
    "short_cycling",
    "condenser_blockage",
    "door_left_open",
    "clock_ahead_26h",
    "clock_ahead_2h",
    "firmware_drops_sensor",
    "nan_values",
    "all_null_rows",
    "busy_display_case",
    "medium_temperature_unit",
    "repair",
)


@dataclass(frozen=True)
class Seen:
    """What each of the four sides saw of one unit, and since when its scenario goes on."""

    start: pd.Timestamp
    readings: pd.DataFrame
    windows: pd.DataFrame
    scores: pd.DataFrame
    alerts: pd.DataFrame
    acute: pd.DataFrame
    calm: pd.DataFrame
    """The windows that the same unit would have had without its scenario."""
    standing_still: int
    """Units of the fleet that the summary of the first day lists as stuck."""

    def hour(self, hours: float) -> pd.Timestamp:
        return self.start + pd.Timedelta(hours=hours)

    def flagged(self, first: float, last: float) -> float:
        """Share of the windows between two hours that the model flagged."""
        rows = self.scores[self.scores["window_start"].between(self.hour(first), self.hour(last), inclusive="left")]
        return float(rows["anomaly_flag"].mean())

    def added(self, feature: str) -> pd.Series[float]:
        """What the scenario added to a feature, by the start of the window."""
        both = [rows.set_index("window_start")[feature].sort_index() for rows in (self.windows, self.calm)]
        return (both[0] - both[1]).dropna()

    def first_flag(self, after: float) -> float:
        """Hours from then to the end of the first flagged window."""
        rows = self.scores[self.scores["anomaly_flag"] & (self.scores["window_start"] >= self.hour(after))]
        return float((rows["window_end"].min() - self.hour(after)) / pd.Timedelta(hours=1))

    def leads(self, first: float, last: float, *names: str) -> bool:
        """Whether a feature of one of these beginnings stands first in most windows between two hours."""
        rows = self.scores[self.scores["window_start"].between(self.hour(first), self.hour(last), inclusive="left")]
        told = [names_of[0].startswith(names) for names_of in rows["top_contributors"]]
        return sum(told) > len(told) / 2

    def loud(self, first: float = 0, last: float = HOURS) -> bool:
        """Whether somebody was woken between two hours."""
        rows = self.alerts[self.alerts["window_end"].between(self.hour(first), self.hour(last), inclusive="right")]
        return bool(rows["severity"].isin(["HIGH", "CRITICAL"]).any())

    def ruled(self) -> set[str]:
        """The features whose fallback rules fire in windows in which they would not have fired without the scenario."""
        calm = {
            (row["window_start"], name) for row in self.calm.to_dict("records") for name in fired_rules(row, PROFILE)
        }
        rows = self.windows.to_dict("records")
        return {name for row in rows for name in fired_rules(row, PROFILE) if (row["window_start"], name) not in calm}

    def share(self, flag: str, first: float = 0, last: float = HOURS) -> float:
        """Share of the readings between two hours that carry a quality flag."""
        rows = self.readings[self.readings["timestamp_utc"].between(self.hour(first), self.hour(last), "left")]
        return float(rows["quality_flags"].map(lambda flags: flag in flags).mean())

    @property
    def acute_rules(self) -> set[str]:
        return {names[0] for names in self.acute["top_contributors"]}

    @property
    def spotless(self) -> bool:
        """Whether quality has nothing to say beyond what it says of a healthy unit."""
        odd = self.readings["quality_flags"].map(lambda flags: bool({"CLOCK_DRIFT", "SENSOR_GAP"} & set(flags)))
        return not odd.any() and self.share("RANGE_VIOLATION") < 0.01 and set(self.readings["outcome"]) == {"CLEAN"}


@pytest.fixture(scope="module")
def seen(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Seen]:
    fleet, folder = load_fleet(), tmp_path_factory.mktemp("scenarios")
    planted = tuple(Anomaly(place, kind) for place, kind in enumerate(SCENARIOS))
    request = SynthRequest(len(planted), HOURS, SEED, planted, chunk_rows=1, format="csv")
    made = write_fleet(fleet, request, folder / "fleet")
    registry = registry_from_text(
        spark.createDataFrame(pd.read_csv(made.registry, dtype=str, keep_default_na=False)), PROFILE
    ).persist()
    stored = Stored(spark, folder / "steps")
    way = measured(stored, made.files[0].parent, [file.name for file in made.files], registry)
    taught = synthetic_windows(fleet, SEED + 1, range(100, 100 + TAUGHT), HOURS)
    lessons = stored(spark.createDataFrame(taught, way.features.schema))
    told = scored(way, trained(replace(way, features=lessons), taught["device_id"].unique().tolist()))
    parsed = spark.read.schema(parsed_schema(PROFILE)).parquet(str(stored.folder / "parsed.parquet"))
    acute = replay_alerts(readable(parsed, PROFILE), way.features, registry, PROFILE).toPandas()
    start = pd.Timestamp(fleet.start).tz_localize(None)
    calm = synthetic_windows(fleet, SEED, range(len(SCENARIOS)), HOURS)
    still = {
        cell[0]: cell[4] for cell in quality._of_windows(way.features, PROFILE) if cell[1] == "stuck_sensor_devices"
    }
    stuck = int(still[min(still)])
    return {kind: _seen(start, _unit(place), way, told, acute, calm, stuck) for place, kind in enumerate(SCENARIOS)}


def _unit(place: int) -> str:
    return f"REF-TEST-{place:05d}"


def _seen(
    start: pd.Timestamp, unit: str, way: Measured, told: Scored, acute: pd.DataFrame, calm: pd.DataFrame, still: int
) -> Seen:
    def own(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[frame["device_id"] == unit]

    quarters = way.windows[way.windows["window_duration_minutes"] == 15]
    alerts, others = own(told.alerts), (own(acute), own(calm), still)
    return Seen(start, own(way.judged), own(quarters), told.of(unit), alerts, *others)


def _silent(one: Seen) -> Iterator[tuple[str, Any]]:
    yield "streaming is silent", not len(one.acute)
    yield "no rule stands in", not one.ruled()


def _spotless(one: Seen) -> Iterator[tuple[str, Any]]:
    yield "nothing about its data", one.spotless


def _temperature_drift(one: Seen) -> Iterator[tuple[str, Any]]:
    drift = one.added("temp_evaporator_mean")
    hours = (drift.index - one.start) / pd.Timedelta(hours=1) + 0.125
    yield "the mean follows by a fifth of a degree an hour", np.allclose(drift, 0.2 * hours, atol=0.02)
    yield "at most moderate", not one.loud()
    yield from (*_silent(one), *_spotless(one))


def _sensor_failure(one: Seen) -> Iterator[tuple[str, Any]]:
    spread = one.windows.set_index("window_start")["temp_evaporator_std"]
    yield "no deviation from the first full window on", set(spread[one.hour(6.25) :]) == {0.0}
    yield "and one before", spread[: one.hour(5.5)].min() > 0.1
    yield "on the list of what stands still, beside the compressor that stopped", one.standing_still == 2
    yield from _silent(one)


def _acute_pressure_loss(one: Seen) -> Iterator[tuple[str, Any]]:
    yield "flagged in the next window", one.first_flag(10) <= 0.5
    yield "streaming names it", one.acute_rules == {"acute_pressure_loss"}
    delay = one.acute["window_end"].min() - one.hour(10)
    yield "within five minutes", pd.Timedelta(0) < delay <= pd.Timedelta(minutes=5)
    means = one.windows.set_index("window_start")["pressure_low_mean"][one.hour(10) :]
    yield (
        "a rule stands in where the mean is below 100",
        one.ruled() == ({"pressure_low_mean"} if means.min() < 100 else set()),
    )


def _compressor_overload(one: Seen) -> Iterator[tuple[str, Any]]:
    yield "the largest current leads", one.leads(5, 5.25, "current_compressor")
    yield "streaming names it", one.acute_rules == {"compressor_overload"}
    yield "on the first reading", one.acute["window_end"].min() == one.hour(5)
    yield "a rule stands in", one.ruled() == {"current_compressor_max"}
    yield from _spotless(one)


def _cooling_loss(one: Seen) -> Iterator[tuple[str, Any]]:
    yield (
        "slope, spread or height of the coil leads",
        one.leads(9, 9.25, "temp_evaporator", "current_per_temp", "spread"),
    )
    yield "streaming names it", one.acute_rules == {"cooling_loss"}
    delay = one.acute["window_end"].min() - one.hour(9)
    yield "within three minutes and the reading after", delay <= pd.Timedelta(minutes=4)
    above = one.windows["temp_evaporator_mean"].max() > 0
    yield "a rule stands in above freezing alone", one.ruled() == ({"temp_evaporator_mean"} if above else set())
    yield from _spotless(one)


def _compressor_stop(one: Seen) -> Iterator[tuple[str, Any]]:
    yield "flagged in the first window", one.first_flag(6) <= 0.25
    yield "streaming is silent", not len(one.acute)
    warm = one.windows[(one.windows["temp_evaporator_mean"] > 0) & (one.windows["window_start"] >= one.hour(6))]
    yield "a rule stands in after about four hours", one.ruled() == {"temp_evaporator_mean"}
    yield "namely", (warm["window_start"].min() - one.hour(6)) / pd.Timedelta(hours=1) == pytest.approx(4, abs=1)
    yield "a discharge below its range is nulled and flagged", one.share("RANGE_VIOLATION", 10) > 0.99


def _short_cycling(one: Seen) -> Iterator[tuple[str, Any]]:
    yield "flagged within the hour", one.first_flag(8) <= 1.0
    yield "current or vibration leads", one.leads(8, 14, "current_compressor", "vibration_compressor")
    yield (
        "its deviation is near 6",
        one.windows.set_index("window_start")["current_compressor_std"][one.hour(9) : one.hour(13)].mean()
        == pytest.approx(6, abs=1),
    )
    yield from (*_silent(one), *_spotless(one))


def _condenser_blockage(one: Seen) -> Iterator[tuple[str, Any]]:
    yield "flagged within two hours and a half", one.first_flag(10) <= 2.5
    yield (
        "condenser, its pressure or current leads",
        one.leads(10, 26, "temp_condenser", "pressure", "current", "spread", "temp_spread"),
    )
    yield from (*_silent(one), *_spotless(one))


def _door_left_open(one: Seen) -> Iterator[tuple[str, Any]]:
    yield "MEDIUM at most", not one.loud(11, 12)
    yield from (*_silent(one), *_spotless(one))


def _clock_ahead_26h(one: Seen) -> Iterator[tuple[str, Any]]:
    yield "flagged as clock drift", one.share("CLOCK_DRIFT", 4, 5) > 0.95
    yield "and before not", one.share("CLOCK_DRIFT", 0, 3.9) == 0
    yield "the gateway's time is used", one.readings["timestamp_utc"].max() <= one.hour(HOURS + 0.2)
    yield "nobody is woken", not one.loud()
    yield from _silent(one)


def _clock_ahead_2h(one: Seen) -> Iterator[tuple[str, Any]]:
    counts = one.windows.set_index("window_start")["reading_count"]
    yield "its readings stand in windows that have not happened yet", counts[one.hour(6) : one.hour(7.75)].max() == 30
    yield "the rule has nothing to say", one.spotless
    yield from _silent(one)


def _firmware_drops_sensor(one: Seen) -> Iterator[tuple[str, Any]]:
    yield "every reading has a gap from then on", one.share("SENSOR_GAP", 10) == 1.0
    yield "and none before", one.share("SENSOR_GAP", 0, 10) == 0.0
    later = one.scores[one.scores["window_start"] >= one.hour(11)]
    yield "scored by imputation", len(later) == (HOURS - 11) * 4 - 2 and (later["imputed_feature_count"] > 0).all()
    yield from _silent(one)


def _nan_values(one: Seen) -> Iterator[tuple[str, Any]]:
    hour = one.windows.set_index("window_start")
    yield "no value of the sensor in that hour", hour["superheat_mean"][one.hour(2) : one.hour(2.75)].isna().all()
    yield "and all others", hour["superheat_mean"][one.hour(3) :].notna().all()
    yield "kept", set(one.readings["outcome"]) == {"CLEAN"}
    yield "the model is not moved by it", one.flagged(2, 3.25) == 0
    yield from _silent(one)


def _all_null_rows(one: Seen) -> Iterator[tuple[str, Any]]:
    dead = one.readings[one.readings["outcome"] == "DEAD_LETTER"]
    yield "dead letters, and for that reason alone", set(dead["reason"]) <= {"ALL_SENSORS_NULL"}
    yield "not one of them in a window", one.windows["reading_count"].sum() <= HOURS * 60 - len(dead)
    yield "nobody is woken", not one.loud()
    yield from _silent(one)


def _busy_display_case(one: Seen) -> Iterator[tuple[str, Any]]:
    yield (
        "the door stands open two fifths of the time",
        one.windows["door_open_fraction"].mean() == pytest.approx(0.4, abs=0.08),
    )
    yield from (*_silent(one), *_spotless(one))


def _medium_temperature_unit(one: Seen) -> Iterator[tuple[str, Any]]:
    yield "streaming is silent", not len(one.acute)
    yield "the fallback is wrong about it", one.ruled() == {"temp_evaporator_mean"}
    yield from _spotless(one)


def _repair(one: Seen) -> Iterator[tuple[str, Any]]:
    yield "flagged while it lasts", one.flagged(6, 12) > 0.5 > one.flagged(0, 6)
    resolved = one.alerts[one.alerts["alert_type"] == "ANOMALY_RESOLVED"]["window_end"]
    yield "resolved two calm windows after it", resolved[resolved > one.hour(12)].min() <= one.hour(13.5)
    yield from _spotless(one)


EXPECTED: dict[str, Callable[[Seen], Iterator[tuple[str, Any]]]] = {kind: globals()[f"_{kind}"] for kind in SCENARIOS}


@pytest.mark.case("E2E-EC-09")
def test_every_scenario_is_seen_as_the_matrix_says(seen: dict[str, Seen]) -> None:
    wrong = [f"{kind}: {says}" for kind in SCENARIOS for says, holds in EXPECTED[kind](seen[kind]) if not holds]
    assert not wrong, "\n".join(wrong)
