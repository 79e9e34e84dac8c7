"""``device_features`` run by run: what is appended, which files are written again, and that it is the newest of all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from fleet_health.contracts.features import features_schema
from fleet_health.features.evolution import with_new_features
from fleet_health.features.newest import KEY, newest_versions
from fleet_health.features.transforms import feature_transform
from fleet_health.paths import dataset
from fleet_health.profiles.loader import shipped_profile
from fleet_health.profiles.model import Profile
from transforms.api import Pipeline
from transforms.verbs.testing.datastores import InMemoryDatastore
from transforms.verbs.testing.TransformRunner import TransformRunner

# by day the walks of test_lateness end with the newest versions; here it is which files that costs
pytestmark = pytest.mark.nightly
SHIPPED = shipped_profile("refrigeration")
QUALITY = tuple(feature for feature in SHIPPED.features if feature.group == "data_quality")
SLIM = SHIPPED.model_copy(update={"features": QUALITY})
WIDE = SHIPPED.model_copy(update={"features": (SHIPPED.features[0], *QUALITY)})
NAME = SHIPPED.features[0].name
DAY = datetime(2026, 1, 15, tzinfo=UTC)


def version(device: str, hours: float, minutes: int, known: float, readings: int = 4, **more: Any) -> dict[str, Any]:
    """A version of the window that starts some hours after the first midnight, known some hours after its end."""
    start, length = DAY + timedelta(hours=hours), timedelta(minutes=minutes)
    times = {
        "window_start": start,
        "window_end": start + length,
        "computed_at": start + length + timedelta(hours=known),
    }
    return {"device_id": device, "window_duration_minutes": minutes, "reading_count": readings, **times, **more}


class Store:
    """``feature_versions`` that grows, and the job after it."""

    def __init__(self, spark: SparkSession) -> None:
        self.spark, self.data = spark, InMemoryDatastore()
        self.versions, self.features = (dataset(SLIM, name) for name in ("feature_versions", "device_features"))

    def run(self, profile: Profile, *added: dict[str, Any]) -> bool:
        """Adds versions and runs the job; whether it committed."""
        schema = features_schema(profile)
        rows = [tuple(row.get(name) for name in schema.names) for row in added]
        frame = self.spark.createDataFrame(pd.DataFrame(rows, columns=schema.names, dtype=object), schema)
        self.data.store_dataframe(self.versions, frame, append=True)
        pipeline = Pipeline()
        pipeline.add_transforms(feature_transform(profile))
        return not TransformRunner(pipeline, datastore=self.data).run(self.spark, pipeline.transforms[0]).aborted

    def files(self) -> dict[str, bytes]:
        return self.data.get_files(self.features)

    def rows(self) -> pd.DataFrame:
        return self._sorted(self.data.get_dataframe(self.features, self.spark))

    def anew(self, profile: Profile) -> pd.DataFrame:
        every = self.data.get_dataframe(self.versions, self.spark)
        return self._sorted(newest_versions(with_new_features(every, profile), profile))

    @staticmethod
    def _sorted(frame: Any) -> pd.DataFrame:
        found = frame.toPandas()
        return found[sorted(found)].sort_values(list(KEY), ignore_index=True)


def changed(before: dict[str, bytes], after: dict[str, bytes]) -> tuple[set[str], set[str]]:
    """Folders of the files that were replaced, and of those that are new."""
    assert before.keys() <= after.keys()
    replaced = {name.split("/")[0] for name, held in before.items() if after[name] != held}
    return replaced, {name.split("/")[0] for name in after.keys() - before.keys()}


FIRST, SECOND = "date=2026-01-15", "date=2026-01-16"


@pytest.fixture(scope="module")
def told(spark: SparkSession) -> dict[str, Any]:
    here, seen = Store(spark), {}

    def step(name: str, profile: Profile, *added: dict[str, Any]) -> None:
        before = here.files() if here.features in here.data else {}
        committed = here.run(profile, *added)
        seen[name] = (committed, *changed(before, here.files()))

    both = [version(device, hours, 60, 0.5) for device in ("a", "b") for hours in (22, 23, 24)]
    step("whole", SLIM, *both, version("a", 23, 60, 2, 5))
    step("new windows", SLIM, *(version(device, 25, minutes, 0.5) for device in ("a", "b") for minutes in (15, 60)))
    late = [version("a", 22, 60, 3, 5), version("a", 25, 15, 0.5, 6)]
    # neither another device's window nor what is older than the row that is there supersedes anything
    step("late", SLIM, *late, version("c", 22, 60, 3), version("b", 24, 60, 0.25, 9), version("b", 25, 15, 0.5, 3))
    step("nothing", SLIM)
    added = {NAME: -20.5}
    step("feature", WIDE, version("b", 22, 60, 4, 9, **added), version("b", 26, 60, 0.5, **added))
    return {**seen, "rows": here.rows(), "anew": here.anew(WIDE)}


def test_windows_that_had_no_row_are_appended_and_no_file_is_touched(told: dict[str, Any]) -> None:
    assert told["whole"] == (True, set(), {FIRST, SECOND})
    assert told["new windows"] == (True, set(), {SECOND})


@pytest.mark.parametrize(("step", "replaced"), [("late", {FIRST, SECOND}), ("feature", {FIRST})])
def test_a_newer_version_costs_the_files_in_which_the_older_one_lies(
    told: dict[str, Any], step: str, replaced: set[str]
) -> None:
    assert told[step] == (True, replaced, {FIRST, SECOND})


def test_without_new_versions_nothing_is_committed(told: dict[str, Any]) -> None:
    assert told["nothing"] == (False, set(), set())


def test_run_by_run_the_newest_of_all_versions_are_there(told: dict[str, Any]) -> None:
    rows, anew = told["rows"], told["anew"]
    pd.testing.assert_frame_equal(rows, anew[rows.columns], check_dtype=False)
    assert len(rows) == 12
    assert not rows[list(KEY)].duplicated().any()
    # rows from before a feature have none
    assert rows[NAME].dropna().tolist() == [-20.5, -20.5]
