"""Late readings: any order of arrival ends with the rows of a full recomputation, and nothing is looked at twice."""

from __future__ import annotations

from typing import Any

import case_fleet as fleet
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from stored_rows import as_spark_hands_over, stored_rows

from fleet_health.contracts.baselines import DEFINITIONS_SCHEMA
from fleet_health.contracts.clean import clean_schema
from fleet_health.features.exchange import Tasks, parcels, unpacked
from fleet_health.features.lateness import MICROS_PER_MINUTE, NEVER, Length, due
from fleet_health.features.readings import Readings, ordered_blocks, summarised_sensors
from fleet_health.features.transforms import feature_transform, window_transform, window_version
from fleet_health.features.windows import due_versions
from fleet_health.paths import dataset
from fleet_health.profiles.loader import shipped_profile
from fleet_health.profiles.model import Profile
from transforms.api import Pipeline
from transforms.verbs.testing.datastores import InMemoryDatastore
from transforms.verbs.testing.TransformRunner import TransformRunner

PROFILE = shipped_profile("refrigeration")
DAY = 1440
BASE = 20_000 * DAY  # minutes since 1970: midnight of a day in 2024
KEY = ["device_id", "window_start", "window_duration_minutes"]


def readings(seed: int, count: int, devices: int, days: int) -> pd.DataFrame:
    """Random readings of some devices over some days; most received at once, some minutes, hours or days late."""
    random = np.random.default_rng(seed)
    minute = BASE + random.integers(0, days * DAY, count)
    micros = minute * MICROS_PER_MINUTE + random.integers(0, MICROS_PER_MINUTE, count)
    delay = random.choice([0, 10, 25, 90, 200, 1500, 4000], count, p=[0.6, 0.1, 0.1, 0.08, 0.05, 0.04, 0.03])
    table = {"device_id": random.choice([f"d{n}" for n in range(devices)], count), "micros": micros}
    table["received"] = micros + delay * MICROS_PER_MINUTE + random.integers(0, 3, count)
    for name in summarised_sensors(PROFILE):
        numbers = random.normal(20, 5, count).round(3)
        table[name] = np.where(random.random(count) < 0.1, np.nan, numbers)
    return pd.DataFrame(table)


def versions(
    rows: pd.DataFrame, dues: Any, landed: Any = True, slices: int = 3, profile: Profile = PROFILE
) -> pd.DataFrame:
    """What workers make of rows that lie in some files: parcels of each file by device and day, then windows."""
    span = DAY * MICROS_PER_MINUTE
    tasks = Tasks(span, spans=2, shares=2)
    sent = [
        parcel
        for part in np.array_split(np.arange(len(rows)), slices)
        for parcel in parcels(as_readings(rows, landed, profile).take(part), tasks, range(tasks.count))
    ]
    found = [pd.DataFrame(columns=[*KEY, "computed_at"])]
    for task in range(tasks.count):
        there = unpacked((parcel for parcel in sent if parcel.column("task")[0].as_py() == task), profile)
        blocks = ordered_blocks(there, span, 50) if there is not None else ()
        made = [part.to_pandas() for block in blocks for part in due_versions(there, block, dues, profile)]
        found = [*(part for part in found if len(part)), *made] or found
    together = pd.concat(found, ignore_index=True)
    by = [*KEY, "computed_at", "reading_count"] if len(together) else KEY
    return together.sort_values(by, ignore_index=True)


def as_readings(rows: pd.DataFrame, landed: Any, profile: Profile) -> Readings:
    codes, devices = pd.factorize(rows["device_id"])
    nothing = np.zeros(len(rows), dtype=np.int64)
    return Readings(
        devices=pa.array(devices, pa.string()),
        codes=codes,
        micros=rows["micros"].to_numpy(),
        received=rows["received"].to_numpy(),
        landed=np.zeros(len(rows), dtype=bool) | landed,
        flagged=nothing.astype(bool),
        null_count=nothing,
        values=rows[summarised_sensors(profile)].to_numpy(dtype=float),
    )


def best(found: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """The version with the greatest ``computed_at``, ties by more readings."""
    order = found.sort_values([*KEY, "computed_at", "reading_count"])
    return order.drop_duplicates(key, keep="last").reset_index(drop=True)


def step_by_step(rows: pd.DataFrame, landing: np.ndarray) -> pd.DataFrame:
    """All versions that builds append which see the readings in the order of their landing."""
    made, before = [], None
    for number in np.unique(landing):
        there = landing <= number
        watermark = int(rows["received"][there].max())
        made.append(versions(rows[there], due(PROFILE, before, watermark), landing[there] == number))
        before = watermark
    return pd.concat(made, ignore_index=True)


def arrival_makes_no_difference(seed: int, parts: int, swapped: float) -> None:
    rows = readings(seed, 400, 4, 4)
    random = np.random.default_rng(seed)
    landing = np.argsort(np.argsort(rows["received"].to_numpy())) * parts // len(rows)
    moved = random.random(len(rows)) < swapped  # landed in another build than its receipt stamp says
    landing = np.where(moved, random.integers(0, parts, len(rows)), landing)
    full = versions(rows, due(PROFILE, None, int(rows["received"].max())))
    stepped = step_by_step(rows, landing)
    pd.testing.assert_frame_equal(best(stepped, KEY), best(full, KEY), check_exact=True)
    # and not only the newest: every version that ever was, so that an as-of read survives a full recomputation
    every = [*KEY, "computed_at"]
    pd.testing.assert_frame_equal(best(stepped, every), best(full, every), check_exact=True)
    assert full[KEY].duplicated().any()


def test_an_order_of_arrival_by_chance_ends_with_the_same_rows() -> None:
    arrival_makes_no_difference(seed=18, parts=3, swapped=0.2)


@pytest.mark.nightly
def test_days_apart_give_the_rows_of_all_days_together() -> None:
    """What a backfill rests on: no window crosses midnight UTC, so a chunk of whole days is computed alone."""
    rows = readings(5, 600, 3, 3)
    whole = due(PROFILE, None, int(rows["received"].max()))
    day = rows["micros"] // (DAY * MICROS_PER_MINUTE)
    apart = pd.concat([versions(part, whole) for _, part in rows.groupby(day)], ignore_index=True)
    together = versions(rows, whole)
    order = [*KEY, "computed_at", "reading_count"]
    pd.testing.assert_frame_equal(
        apart.sort_values(order, ignore_index=True), together.sort_values(order, ignore_index=True), check_exact=True
    )
    assert day.nunique() == 3


@pytest.mark.nightly
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10**6), st.integers(2, 30), st.floats(0, 1))
def test_any_order_of_arrival_ends_with_the_same_rows(seed: int, parts: int, swapped: float) -> None:
    arrival_makes_no_difference(seed, parts, swapped)


@pytest.mark.case("FEN-FL-02")
def test_windows_before_a_cut_are_those_of_the_readings_before_it() -> None:
    rows = readings(5, 600, 3, 2)
    rows["received"] = rows["micros"]
    everything = due(PROFILE, None, int(rows["received"].max()) + 10**12)
    whole = versions(rows, everything)
    for cut in np.random.default_rng(5).integers(BASE, BASE + 2 * DAY, 5) * MICROS_PER_MINUTE:
        ended = whole[whole["window_end"] <= pd.Timestamp(cut * 1000, tz="UTC")].reset_index(drop=True)
        before = versions(rows[rows["micros"] < cut], everything)
        before = before[before["window_end"] <= pd.Timestamp(cut * 1000, tz="UTC")].reset_index(drop=True)
        pd.testing.assert_frame_equal(ended, before, check_exact=True)


@pytest.mark.case("FEN-DI-01")
def test_ten_devices_together_are_each_alone() -> None:
    rows = readings(6, 800, 10, 1)
    everything = due(PROFILE, None, int(rows["received"].max()))
    alone = [versions(part, everything, slices=1) for _, part in rows.groupby("device_id")]
    together = versions(rows, everything, slices=7)
    assert together["device_id"].nunique() == 10
    pd.testing.assert_frame_equal(together, pd.concat(alone, ignore_index=True), check_exact=True)


def test_readings_of_one_instant_have_one_order() -> None:
    """Sums depend on the order of their terms in the last digit; equal times are ordered by what the readings say."""
    rows = readings(8, 300, 1, 1)
    rows["micros"] = rows["micros"].iloc[0]
    rows["received"] = rows["micros"]
    everything = due(PROFILE, None, int(rows["micros"].max()) + 10**13)
    shuffled = rows.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(versions(rows, everything), versions(shuffled, everything), check_exact=True)


def test_boundaries() -> None:
    hour = Length(60, 20 * MICROS_PER_MINUTE, 120 * MICROS_PER_MINUTE)
    minutes = [hour.boundary(n * MICROS_PER_MINUTE) // MICROS_PER_MINUTE for n in (79, 80, 139, -41)]
    assert minutes == [20, 80, 80, -100]
    received = np.array([59, 80, 81, 140, 200, 201], dtype=np.int64) * MICROS_PER_MINUTE
    found = hour.versions(np.full(6, 10 * MICROS_PER_MINUTE), received)
    assert (found[:5] // MICROS_PER_MINUTE).tolist() == [80, 80, 140, 140, 200]
    assert found[5] == np.iinfo(np.int64).max
    assert all(part.everything and part.before == NEVER for part in due(PROFILE, None, 0))


def test_what_decides_a_value_decides_the_version() -> None:
    once = window_version(PROFILE)
    assert once == window_version(PROFILE.model_copy(update={"description": "another"}))
    for change in ({"features": PROFILE.features[:-1]}, {"windows_minutes": (15, 60)}, {"exclude_clock_drift": None}):
        assert window_version(PROFILE.model_copy(update=change)) != once


# --- the same through the transforms, with the features that these cases look at

LOOKED_AT = ("temp_discharge_max", "temp_evaporator_mean", "vibration_compressor_std")
SLIM = PROFILE.model_copy(
    update={"features": tuple(f for f in PROFILE.features if f.group == "data_quality" or f.name in LOOKED_AT)}
)


class Fleet:
    """The two transforms over an in-memory clean dataset that grows."""

    def __init__(self, spark: SparkSession) -> None:
        self.pipeline = Pipeline()
        self.pipeline.add_transforms(window_transform(SLIM), feature_transform(SLIM))
        self.spark, self.store = spark, InMemoryDatastore()
        self.rows: list[Any] = []
        definitions = spark.createDataFrame([], DEFINITIONS_SCHEMA)
        self.store.store_dataframe(dataset(SLIM, "feature_definitions"), definitions)
        self.runner = TransformRunner(self.pipeline, datastore=self.store)

    def land(self, *rows: Any) -> bool:
        """A transaction of clean rows and a run of both jobs; whether the window job committed anything."""
        self.rows += rows
        frame = self.spark.createDataFrame(fleet.frame(list(rows), 1), clean_schema(PROFILE))
        dated = frame.withColumn("date", F.to_date("timestamp_utc"))
        self.store.store_dataframe("/Fleet/refrigeration/clean_sensor_readings", dated, append=bool(self.store.aliases))
        committed = not self.runner.run(self.spark, self.pipeline.transforms[0]).aborted
        if committed:
            self.runner.run(self.spark, self.pipeline.transforms[1])
        return committed

    def read(self, name: str) -> pd.DataFrame:
        return stored_rows(self.store, f"/Fleet/refrigeration/{name}")

    def newest(self) -> pd.DataFrame:
        chosen = self.read("device_features")
        assert (chosen["date"] == chosen["window_start"].dt.date).all()
        return chosen.drop(columns="date").sort_values(KEY, ignore_index=True)

    def anew(self) -> pd.DataFrame:
        """The newest versions from all readings at once, without Spark."""
        made = pd.DataFrame(self.rows)
        stamps = {"micros": "timestamp_utc", "received": "timestamp_ingested"}
        table = made[["device_id", *summarised_sensors(SLIM)]].astype(
            dict.fromkeys(summarised_sensors(SLIM), "float64")
        )
        table = table.assign(
            **{name: made[column].astype("datetime64[us, UTC]").astype("int64") for name, column in stamps.items()}
        )
        found = versions(table, due(SLIM, None, int(table["received"].max())), profile=SLIM)
        return as_spark_hands_over(best(found, KEY))


def minute(number: float, device: str = "d1", late: float = 0, **cells: Any) -> Any:
    """A reading at a minute of the day, received ``late`` minutes afterwards."""
    received = fleet.DAY + pd.Timedelta(minutes=number + late)
    values = {"temperature_discharge": float(number), **cells}
    return fleet.at(device, number, start=fleet.DAY, received=received, **values)


@pytest.fixture(scope="module")
def landed(spark: SparkSession) -> dict[str, Any]:
    """Three landings: an hour, one with nothing due, and one with readings that are late in every way."""
    here = Fleet(spark)
    committed = [
        # 01:25, so four quarters and the hour are written; two readings are too late for their quarter
        here.land(*(minute(n) for n in range(0, 86, 5)), minute(4, late=60), minute(3, "d2"), minute(6, "d2", late=40)),
        here.land(minute(86)),  # 01:26: no boundary since
        here.land(
            minute(150),
            minute(7, late=110),  # in time for the second version of the hour
            minute(9, "d2", late=195),  # 03:24, too late for all but the day
            minute(8, late=1),  # landed late: its receipt stamp is in time for what the first run wrote
        ),
    ]
    runs = here.read("feature_runs")
    return {
        "committed": committed,
        "versions": here.read("feature_versions"),
        "newest": here.newest(),
        "anew": here.anew(),
        "runs": runs.sort_values(["watermark", "window_duration_minutes"]),
    }


def history(landed: dict[str, Any], device: str, minutes: int) -> list[tuple[int, str, float]]:
    """Of the first window of a length: readings, made at, highest discharge temperature; version by version."""
    found = landed["versions"]
    chosen = found[(found["device_id"] == device) & (found["window_duration_minutes"] == minutes)]
    chosen = chosen[chosen["window_start"] == fleet.DAY.tz_localize(None)]
    ranked = chosen.sort_values(["computed_at", "reading_count"])
    return [(r.reading_count, f"{r.computed_at:%H:%M}", r.temp_discharge_max) for r in ranked.itertuples()]


def counted(landed: dict[str, Any], column: str, minutes: int) -> list[int]:
    runs = landed["runs"]
    return runs[runs["window_duration_minutes"] == minutes][column].tolist()


@pytest.mark.case("FST-HP-03")
def test_incremental_runs_end_with_the_rows_of_a_full_one(landed: dict[str, Any]) -> None:
    # Spark 4 hands timestamps over in two units, by how a frame came about
    pd.testing.assert_frame_equal(landed["newest"], landed["anew"], check_exact=True, check_dtype=False)
    assert len(landed["newest"]) == 12


def test_nothing_due_writes_nothing(landed: dict[str, Any]) -> None:
    assert landed["committed"] == [True, False, True]
    # a quarter of d2; of d1 four, then two more and the one of 02:30
    assert counted(landed, "windows_written", 15) == [5, 3]
    # what landed in the run that wrote nothing was handed over again
    assert counted(landed, "readings_landed", 15) == [21, 5]


@pytest.mark.case("FEN-FL-04")
def test_a_late_reading_changes_no_quarter_and_moves_to_no_other(landed: dict[str, Any]) -> None:
    assert history(landed, "d2", 15) == [(1, "00:35", 3.0)]
    # the start, and then what landed late although it had been received in time
    assert history(landed, "d1", 15) == [(3, "00:35", 10.0), (4, "00:35", 10.0)]
    quarters = landed["newest"][landed["newest"]["window_duration_minutes"] == 15]
    assert quarters["reading_count"].tolist() == [4, 3, 3, 3, 3, 4, 1, 1]
    assert counted(landed, "readings_too_late", 15) == [2, 2]


@pytest.mark.case("FEN-FL-05")
def test_the_hour_takes_what_its_horizon_reaches_and_no_more(landed: dict[str, Any]) -> None:
    assert history(landed, "d2", 60) == [(2, "01:20", 6.0)]
    found = [(count, made) for count, made, _ in history(landed, "d1", 60)]
    assert found == [(13, "01:20"), (14, "01:20"), (15, "02:20")]
    assert counted(landed, "readings_late", 60) == [0, 1]
    assert counted(landed, "readings_too_late", 60) == [0, 1]
    assert counted(landed, "versions_rewritten", 60) == [0, 2]


@pytest.mark.nightly
@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", range(6))
def test_random_landings_end_with_the_rows_of_a_full_run(spark: SparkSession, seed: int) -> None:
    random = np.random.default_rng(seed)
    here, rows = Fleet(spark), []
    for _ in range(300):
        late = float(random.choice([0, 10, 30, 100, 300, 2000, 5000]))
        value = float(random.normal(20, 3))
        rows.append(
            minute(float(random.uniform(0, 4 * DAY)), f"d{random.integers(4)}", late, temperature_discharge=value)
        )
    rows.sort(key=lambda row: row["timestamp_ingested"])
    for part in np.array_split(np.arange(len(rows)), 8):
        swapped = [n if random.random() < 0.9 else (n + 40) % len(rows) for n in part]
        here.land(*(rows[n] for n in dict.fromkeys(swapped)))
    pd.testing.assert_frame_equal(here.newest(), here.anew(), check_exact=True)
