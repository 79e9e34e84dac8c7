"""Clean readings to windows, for every profile."""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health import paths
from fleet_health.contracts.compiled import checks_of
from fleet_health.contracts.features import PARTITION, RUNS_SCHEMA, features_schema, write_options
from fleet_health.features.evolution import with_new_features
from fleet_health.features.lateness import due
from fleet_health.features.newest import KEY, newest_versions
from fleet_health.features.runs import measure, previous_watermark, run_rows
from fleet_health.features.superseded import Gained, leave_out, meeting
from fleet_health.features.versions import all_versions, new_versions
from fleet_health.profiles.definitions import formula_version
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Profile
from fleet_health.semantic_version import semantic_version
from transforms.api import Input, Output, Transform, incremental, transform

SUMS = 2
"""Raised by whoever changes the order in which readings are added up: it decides the last digit of a feature."""


def window_version(profile: Profile) -> int:
    """A number that changes with everything that decides a feature's value; another one computes all windows anew."""
    decides = {
        "sums": SUMS,
        "features": formula_version(profile),
        "sensors": [(sensor.name, sensor.type) for sensor in profile.sensors],
        "lateness": [
            (minutes, late.close_after.minutes, late.horizon.hours)
            for minutes in profile.windows_minutes
            for late in [profile.lateness_of(minutes)]
        ],
        "exclude_clock_drift": profile.exclude_clock_drift is not None and profile.exclude_clock_drift.value,
    }
    return semantic_version(decides)


def window_transform(profile: Profile) -> Transform:
    """Appends the versions of windows that came into being since the last run; see :mod:`.lateness` for when.

    Nothing due means nothing written: the job is aborted, and whatever depends on it stays up to date. What landed is
    then looked at again by the next run. Should a platform hand it over only once, nothing is lost: rows of windows
    that are not yet due are found by their times, and only the counts of late readings would miss them.
    """

    @incremental(semantic_version=window_version(profile), snapshot_inputs=["definitions"])
    @transform(
        # read for its refusal alone: a formula that changed under its name stops here, before anything is computed
        definitions=Input(paths.dataset(profile, "feature_definitions")),
        clean=Input(paths.dataset(profile, "clean_sensor_readings")),
        versions=Output(paths.dataset(profile, "feature_versions"), checks=checks_of("feature_versions", profile)),
        runs=Output(paths.dataset(profile, "feature_runs"), checks=checks_of("feature_runs", profile)),
    )
    def summarise_windows(ctx: Any, definitions: Any, clean: Any, versions: Any, runs: Any) -> None:
        before = previous_watermark(runs.dataframe("previous", schema=RUNS_SCHEMA)) if ctx.is_incremental else None
        landing = measure(clean.dataframe("added"), profile, before)
        if landing.watermark is None:
            versions.write_dataframe(ctx.spark_session.createDataFrame([], features_schema(profile)))
            runs.write_dataframe(ctx.spark_session.createDataFrame([], RUNS_SCHEMA))
            return
        dues = due(profile, before, landing.watermark)
        if before is None:
            written = all_versions(ctx.spark_session, clean, profile, dues)
        elif any(part.advanced for part in dues) or any(landing.landed_late.values()):
            written = new_versions(ctx.spark_session, clean, profile, dues, landing)
        else:
            ctx.abort_job()
            return
        versions.write_dataframe(written, options=write_options(profile))
        runs.write_dataframe(run_rows(ctx.spark_session, versions.dataframe("added"), dues, landing))

    summarise_windows.__name__ = f"{profile.profile}_summarise_windows"
    return summarise_windows


def feature_transform(profile: Profile) -> Transform:
    """Appends the windows that have come into being; a newer version of one costs the files its older row lies in.

    Files are replaced then, so who reads ``device_features`` by increments starts over: read it whole or by its days
    (``snapshot_inputs``), and take ``feature_versions``, which only grows, for what has changed.
    """

    # 2: before that, the dataset was written whole and without days
    @incremental(semantic_version=2)
    @transform(
        versions=Input(paths.dataset(profile, "feature_versions")),
        features=Output(paths.dataset(profile, "device_features"), checks=checks_of("device_features", profile)),
    )
    def choose_versions(ctx: Any, versions: Any, features: Any) -> None:
        def write(rows: DataFrame) -> None:
            features.write_dataframe(rows, partition_cols=PARTITION, options=write_options(profile))

        # until a window of the new day is due, no row has a column for a feature that was added
        added = newest_versions(with_new_features(versions.dataframe("added"), profile), profile)
        if not ctx.is_incremental:
            write(added)
            return
        gained = Gained.of(versions.dataframe("added"))
        if not gained.days:
            ctx.abort_job()
            return
        met = meeting(added, features.dataframe("previous"), gained).persist()
        try:
            write(added.join(F.broadcast(met.where("stays")), list(KEY), "left_anti").select(*added.columns))
            leave_out(met.where("NOT stays"), features, gained.days)
        finally:
            met.unpersist()

    choose_versions.__name__ = f"{profile.profile}_choose_versions"
    return choose_versions


TRANSFORMS = [make(profile) for profile in shipped_profiles() for make in (window_transform, feature_transform)]
