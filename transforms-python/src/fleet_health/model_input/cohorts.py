"""Devices that are alike, and what training froze about them.

A live value of another device never enters a vector: everything here comes from rows that ended by a cut-off.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from fleet_health.profiles.learning import Cohorts

_BETWEEN = " / "
STATISTICS = ("mean", "std", "median")


def cohort(cohorts: Cohorts | None) -> Column:
    """The cohort of a registry row: its ``cohort_id``, else the declared columns together, else null."""
    if cohorts is None:
        return F.lit(None).cast("string")
    parts = [F.col(name) for name in cohorts.by]
    named = F.when(~_any_null(parts), F.concat_ws(_BETWEEN, *parts))
    return F.coalesce(F.col("cohort_id"), named)


def _any_null(parts: Sequence[Column]) -> Column:
    null = parts[0].isNull()
    for part in parts[1:]:
        null = null | part.isNull()
    return null


def cohorts_of(session: SparkSession, registry: DataFrame | None, cohorts: Cohorts | None) -> DataFrame:
    """``device_id`` and ``cohort_id`` of every device in the registry; no row for a fleet without cohorts."""
    if registry is None or cohorts is None:
        return session.createDataFrame([], "device_id string, cohort_id string")
    return registry.select("device_id", cohort(cohorts).alias("cohort_id"))


def with_cohorts(rows: DataFrame, registry: DataFrame | None, cohorts: Cohorts | None) -> DataFrame:
    """``rows`` plus ``cohort_id``: null for a device that is unregistered or lacks what makes a cohort; no row goes."""
    if registry is None or cohorts is None:
        return rows.withColumn("cohort_id", F.lit(None).cast("string"))
    return rows.join(F.broadcast(cohorts_of(rows.sparkSession, registry, cohorts)), "device_id", "left")


def cohort_medians(rows: pd.DataFrame, name: str) -> dict[str, float]:
    """Median of one feature per cohort; a cohort that never had a value has none.

    Args:
        rows: training rows with ``cohort_id`` (null is no cohort) and the feature.
        name: the feature.
    """
    medians = rows.groupby("cohort_id")[name].median().dropna()
    return {str(key): float(value) for key, value in sorted(medians.items())}


def frozen_statistics(rows: pd.DataFrame, names: Sequence[str], cut_off: datetime) -> pd.DataFrame:
    """Mean, sample deviation and median per cohort and feature of the rows whose window ended by the cut-off.

    Args:
        rows: windows with ``cohort_id``, ``window_end`` and the features, in any order.
        names: the features.
        cut_off: later rows are not seen, whatever they hold.

    Returns:
        ``cohort_id`` (null is the fleet, cohorts and unassigned devices together), ``feature_name``, ``count`` of
        values, ``mean``, ``std`` (null below two values) and ``median``.
    """
    until = rows[rows["window_end"] <= cut_off]
    parts = [(None, until), *until.groupby("cohort_id")]
    made = []
    for key, part in parts:
        for name in names:
            values = np.sort(part[name].dropna().to_numpy(dtype=np.float64))  # sorted: sums must not depend on order
            made.append((key, name, len(values), *_described(values)))
    return pd.DataFrame(made, columns=["cohort_id", "feature_name", "count", *STATISTICS])


def _described(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, float, float]:
    if not len(values):
        return np.nan, np.nan, np.nan
    # around the smallest value, so that equal values have a deviation of exactly zero
    above = values - values[0]
    std = float(above.std(ddof=1)) if len(values) > 1 else np.nan
    return float(values[0] + above.mean()), std, float(np.median(values))


def z_scores(rows: pd.DataFrame, statistics: pd.DataFrame, name: str) -> pd.Series[float]:
    """How many frozen deviations a value lies from the frozen mean of the row's cohort.

    A row without cohort, or of one that training did not see, is measured against the fleet. Null where the value is
    null and where the deviation is null or zero; never infinite.
    """
    of_feature = statistics[statistics["feature_name"] == name]
    fleet = of_feature[of_feature["cohort_id"].isna()].iloc[0]
    per_cohort = of_feature.dropna(subset=["cohort_id"]).set_index("cohort_id")
    known = rows["cohort_id"].isin(per_cohort.index)
    mean = rows["cohort_id"].map(per_cohort["mean"]).astype("float64").where(known, fleet["mean"])
    std = rows["cohort_id"].map(per_cohort["std"]).astype("float64").where(known, fleet["std"])
    return (rows[name] - mean) / std.where(std > 0.0)
