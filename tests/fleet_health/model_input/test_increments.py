"""Vectors are added or made anew, and a full build over the same data ends with the same rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from decisions import decisions
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from fleet_health import paths
from fleet_health.contracts.registry import REGISTRY_SCHEMA
from fleet_health.contracts.releases import RELEASES_SCHEMA
from fleet_health.ingestion.releases import release_decisions
from fleet_health.model_input.errors import FeaturesBehindError
from fleet_health.profiles.loader import shipped_profile
from model_adapters.statistical_baseline import StatisticalBaselineAdapter

PROFILE = shipped_profile("refrigeration")
START = datetime(2026, 1, 15, 12, tzinfo=UTC)
NAMES = ["temp_evaporator_mean", "humidity_std"]
SCHEMA = (
    "device_id string, window_start timestamp, window_end timestamp, window_duration_minutes int, "
    "sensor_completeness double, reading_count int, temp_evaporator_mean double, humidity_std double, "
    "computed_at timestamp"
)
Row = tuple[Any, ...]


def window(device: str, quarter: int, *values: float | None, version: int = 0, minutes: int = 15) -> Row:
    """The window of a device that ends so many quarters of an hour after noon; ``version`` counts late readings."""
    end = START + timedelta(minutes=15 * quarter)
    known = end + timedelta(minutes=version)
    completeness = 0.4 if values == (None, None) else 1.0
    return (device, end - timedelta(minutes=minutes), end, minutes, completeness, 15 + version, *values, known)


def released(version: str = "1.0.0", medians: tuple[float, float] = (100.0, 200.0)) -> Any:
    """The frozen part decides about vectors; nothing is scored here."""
    constants: Any = {
        "model_id": "isolation_forest_v1",
        "model_version": version,
        "granularity": "fleet",
        "window_duration_minutes": 15,
        "feature_names": NAMES,
        "medians": list(medians),
        "scales": [1.0, 1.0],
        "cohort_medians": [{}, {"cold": -1.0, "warm": -2.0}],
    }
    return StatisticalBaselineAdapter(constants)


class Fleet:
    """The job over datasets in memory: versions that only grow, and the features that they amount to.

    ``days``: whether features lie in folders by the UTC day on which a window begins.
    """

    def __init__(self, spark: SparkSession, *, days: bool = True) -> None:
        from transforms.verbs.testing.datastores import InMemoryDatastore

        self.spark, self.store, self.versions = spark, InMemoryDatastore(), list[Row]()
        self.days = days
        self.model, self.cohorts = released(), {"A": "cold"}

    def keep(self, name: str, frame: Any, *, append: bool = False) -> None:
        self.store.store_dataframe(paths.dataset(PROFILE, name), frame, append=append)

    def land(self, *rows: Row, built: bool = True) -> None:
        """Versions come into being, and features are built of all of them unless that is left out."""
        self.keep("feature_versions", self.spark.createDataFrame(list(rows), SCHEMA), append=bool(self.versions))
        self.versions += rows
        if built:
            newest = {row[:2] + row[3:4]: row for row in sorted(self.versions, key=lambda row: row[-1])}
            features = self.spark.createDataFrame(list(newest.values()), SCHEMA)
            day = F.to_date("window_start")
            self.keep("device_features", features.withColumn("date", day) if self.days else features)

    def run(self) -> None:
        from fleet_health.pipeline import pipeline
        from transforms.verbs.testing.TransformRunner import TransformRunner

        decided = decisions(PROFILE, ("champion", self.model.constants["model_version"], 1.0))
        table = release_decisions(_table(decided), "landing")
        self.keep("model_release_config", self.spark.createDataFrame(table, RELEASES_SCHEMA))
        rows = [{"device_id": one, "cohort_id": cohort} for one, cohort in self.cohorts.items()]
        listed = [tuple(row.get(name) for name in REGISTRY_SCHEMA.names) for row in rows]
        self.keep("device_registry", self.spark.createDataFrame(listed, REGISTRY_SCHEMA))
        runner = TransformRunner(pipeline, self.store, bindings=dict.fromkeys(("model", "challenger"), self.model))
        name = "refrigeration_prepare_model_input"
        runner.run(self.spark, next(t for t in pipeline.transforms if t.__name__ == name))

    def outcome(self) -> tuple[int, list[Row], list[Row]]:
        """Of how many runs the vectors are, the vectors and the exclusions; equal rows in equal order."""
        parts = len(self.store.parts(paths.dataset(PROFILE, "model_input")))
        told = {
            "model_input": ["feature_vector", "imputed_feature_count", "cohort_id"],
            "model_input_exclusions": ["reason", "cohort_id"],
        }
        found = []
        for name, columns in told.items():
            frame = self.store.get_dataframe(paths.dataset(PROFILE, name), self.spark)
            quarter = f"(unix_timestamp(window_end) - {START.timestamp():.0f}) div 900 AS quarter"
            rows = frame.selectExpr("device_id", quarter, *columns, "model_version").collect()
            found.append(sorted(tuple(row) for row in rows))
        return parts, found[0], found[1]

    def anew(self) -> Fleet:
        """Another workspace, in which everything there is was there at once."""
        other = Fleet(self.spark, days=not self.days)
        other.model, other.cohorts = self.model, self.cohorts
        other.land(*self.versions)
        return other


def _table(files: dict[str, bytes]) -> pd.DataFrame:
    (content,) = files.values()
    head, *lines = content.decode().splitlines()
    return pd.DataFrame([line.split(",") for line in lines], columns=head.split(","))


def same_as_at_once(fleet: Fleet) -> int:
    """Of how many runs the vectors are; they and the exclusions are those of one build over everything."""
    other = fleet.anew()
    other.run()
    parts, *rows = fleet.outcome()
    assert rows == list(other.outcome()[1:])
    return parts


@pytest.fixture
def fleet(spark: SparkSession) -> Fleet:
    """Two devices; the second one's first window lacks too much."""
    made = Fleet(spark)
    made.land(window("A", 1, 1.0, 5.0), window("A", 2, 2.0, None), window("B", 1, None, None))
    made.run()
    return made


A_DAY_LATER = (
    *(window("A", 97, None, 7.0), window("A", 98, None, 9.0), window("A", 99, None, 8.0)),
    *(window("B", 97, 4.0, None), window("B", 97, 1.0, 1.0, minutes=60)),
)


@pytest.mark.nightly
def test_new_windows_are_added_and_filled_from_what_their_device_did_before(fleet: Fleet) -> None:
    fleet.land(*A_DAY_LATER)
    fleet.run()
    parts, vectors, left_out = fleet.outcome()
    assert parts == 2
    # a value that is exactly 24 hours old still stands in, an older one does not, and A is in a cohort
    assert {row[:2]: (row[2], row[3]) for row in vectors} == {
        ("A", 1): ([1.0, 5.0], 0),
        ("A", 2): ([2.0, 5.0], 1),
        ("A", 97): ([2.0, 7.0], 1),
        ("A", 98): ([2.0, 9.0], 1),
        ("A", 99): ([100.0, 8.0], 1),
        ("B", 97): ([4.0, 200.0], 1),
    }
    assert [row[:3] for row in left_out] == [("B", 1, "SENSOR_COMPLETENESS_BELOW_GATE")]


def release_again(fleet: Fleet) -> None:
    fleet.model = released("1.1.0", (50.0, 60.0))


def move_to_another_cohort(fleet: Fleet) -> None:
    fleet.cohorts = {"A": "warm", "B": "cold"}


def first_value_late(fleet: Fleet) -> None:
    """The second window of A was filled from it."""
    fleet.land(window("A", 1, 1.5, 5.5, version=3))


def excluded_window_anew(fleet: Fleet) -> None:
    fleet.land(window("B", 1, 1.0, 1.0, version=1))


def older_window(fleet: Fleet) -> None:
    fleet.land(window("A", 0, 9.0, 9.0))


@pytest.mark.nightly
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (lambda fleet: fleet.land(*A_DAY_LATER), 2),
        (lambda fleet: fleet.land(window("C", 2, None, None), window("C", 3, 1.0, None)), 2),
        (lambda fleet: fleet.land(window("A", 3, None, None, minutes=60)), 1),
        *((change, 1) for change in (release_again, move_to_another_cohort, first_value_late)),
        *((change, 1) for change in (excluded_window_anew, older_window)),
    ],
)
def test_any_run_ends_with_the_rows_of_a_build_over_everything(fleet: Fleet, change: Any, parts: int) -> None:
    """Appended where nothing that is there depends on it (or nothing is new), else made anew."""
    change(fleet)
    fleet.run()
    assert same_as_at_once(fleet) == parts
    fleet.land(window("A", 150, None, 2.0), window("B", 150, 3.0, 3.0))
    fleet.run()
    assert same_as_at_once(fleet) == parts + 1


@pytest.mark.nightly
def test_windows_that_features_do_not_hold_yet_are_refused_and_found_by_the_next_run(fleet: Fleet) -> None:
    fleet.land(window("A", 3, 3.0, 3.0), built=False)
    with pytest.raises(FeaturesBehindError, match=r"1 window\(s\) that device_features does not hold yet"):
        fleet.run()
    fleet.land(window("B", 4, 4.0, 4.0))
    fleet.run()
    assert same_as_at_once(fleet) == 2
    late = Fleet(fleet.spark)
    late.land(window("A", 1, 1.0, 1.0))
    late.land(window("A", 2, 2.0, 2.0), built=False)
    with pytest.raises(FeaturesBehindError, match="holds windows that device_features does not hold yet"):
        late.run()
