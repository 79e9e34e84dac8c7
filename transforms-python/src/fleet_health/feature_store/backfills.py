"""What can be backfilled: the windows of every fleet. Whoever runs it brings days, transactions and patience."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from fleet_health import paths
from fleet_health.feature_store.backfill import Backfill, Chunk, missing_days, plan_backfill
from fleet_health.features.lateness import due
from fleet_health.features.runs import measure
from fleet_health.features.versions import all_versions
from fleet_health.features.wanted import Wanted
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Profile


@dataclass(frozen=True)
class WindowBackfill:
    """The windows of one fleet, computed anew from its clean readings with today's formulas."""

    profile: Profile

    @property
    def source(self) -> str:
        """The dataset that is read."""
        return paths.dataset(self.profile, "clean_sensor_readings")

    @property
    def target(self) -> str:
        """The dataset whose rows are computed again."""
        return paths.dataset(self.profile, "feature_versions")

    def plan(self, first: date, last: date) -> Backfill:
        """See :func:`plan_backfill`."""
        return plan_backfill(first, last, self.profile)

    def begin(self, session: SparkSession, clean: Any) -> Callable[[Chunk], DataFrame]:
        """Looks at all readings once, for the newest receipt: it decides which windows are due, whatever the chunk.

        Args:
            session: makes the frames.
            clean: the input ``clean_sensor_readings``; of its files a chunk reads those that may hold its days.

        Returns:
            what makes the rows of ``feature_versions`` whose windows start in a chunk.
        """
        watermark = measure(clean.dataframe("current"), self.profile, None).watermark
        # without any reading no window is due, as of whatever instant
        dues = due(self.profile, None, 0 if watermark is None else watermark)

        def rows(chunk: Chunk) -> DataFrame:
            return all_versions(session, clean, self.profile, dues, Wanted((chunk.reach,)))

        return rows

    def missing_days(self, rows: DataFrame, first: date, last: date) -> tuple[date, ...]:
        """Days of the range without any window."""
        return missing_days(rows, first, last)


BACKFILLS = tuple(WindowBackfill(profile) for profile in shipped_profiles())
