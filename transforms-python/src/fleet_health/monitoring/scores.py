"""``model_drift_metrics``: how scores and flags behave, window by window, for the fleet and its slices."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from fleet_health.contracts.conform import conform
from fleet_health.contracts.monitoring import SCORE_DRIFT_SCHEMA
from fleet_health.ids import natural_key_id
from fleet_health.model_input.cohorts import cohort
from fleet_health.monitoring.distances import SMOOTHING
from fleet_health.monitoring.measured import sliced
from fleet_health.profiles.families import family_of
from fleet_health.profiles.model import Profile

BINS = 20
HISTORY_DAYS = 30
_KEY = ("run_id", "model_id", "model_version", "slice_name", "slice_value")
_CUTS = ("cohort", "region", "equipment_model")


def unmeasured(scores: Mapping[str, DataFrame], newest: Mapping[str, datetime]) -> DataFrame:
    """The scores of runs without figures, and one window earlier, with which flags and ranks are compared.

    Args:
        scores: ``model_scores`` by family.
        newest: model id -> its newest run with figures; a family without any is taken whole.
    """
    found = []
    for family, rows in scores.items():
        told = [at for model_id, at in newest.items() if family_of(model_id) == family]
        found.append(rows.where(F.col("window_end") >= F.lit(max(told))) if told else rows)
    return functools.reduce(DataFrame.unionByName, found)


def score_runs(scores: DataFrame, registry: DataFrame, profile: Profile) -> DataFrame:
    """One row per run (the windows of a model that end at one instant) and slice, in one aggregation.

    Returns:
        the columns of contract M4 without ``kl_vs_30d``, which :func:`with_divergence` adds from earlier runs.
    """
    devices = registry.select(
        "device_id", cohort(profile.cohorts).alias("cohort"), "region", F.col("model").alias("equipment_model")
    )
    run = ("model_id", "model_version", "window_end")
    of_device = Window.partitionBy("model_id", "model_version", "device_id").orderBy("window_end")
    ranked = scores.withColumn("_rank", F.percent_rank().over(Window.partitionBy(*run).orderBy("anomaly_score")))
    follows = F.lag("window_end").over(of_device) == F.col("window_start")
    rows = ranked.withColumns(
        {
            "_flag_before": F.when(follows, F.lag("anomaly_flag").over(of_device)),
            "_rank_before": F.when(follows, F.lag("_rank").over(of_device)),
        }
    ).join(F.broadcast(devices), "device_id", "left")
    made = sliced(rows, _CUTS).groupBy(*run, "slice_name", "slice_value").agg(*_aggregates())
    either, changed = F.col("devices_flagged_in_either"), F.col("_changed")
    return made.withColumns(
        {
            "scored_at": F.col("window_end"),
            "run_id": natural_key_id(
                "score_run", F.col("model_id"), F.col("model_version"), F.unix_micros("window_end")
            ),
            "flag_flip_rate": F.when(either > 0, changed / either),
            **{f"score_p{share}": F.col("_p")[place] for place, share in enumerate((50, 90, 95, 99))},
        }
    )


def _aggregates() -> list[Column]:
    score, flag, before = F.col("anomaly_score"), F.col("anomaly_flag"), F.col("_flag_before")
    bin_of = F.least(F.floor(score * BINS), F.lit(BINS - 1))
    both = F.when(F.col("_rank_before").isNotNull(), F.col("_rank"))
    return [
        F.countDistinct("device_id").alias("devices_scored"),
        F.avg(score).alias("score_mean"),
        F.stddev(score).alias("score_std"),
        F.skewness(score).alias("score_skewness"),
        F.percentile(score, [0.5, 0.9, 0.95, 0.99]).alias("_p"),
        F.avg(flag.cast("double")).alias("anomaly_rate"),
        F.count("_flag_before").alias("devices_in_both"),
        F.count(F.when(before.isNotNull() & (flag | before), 1)).alias("devices_flagged_in_either"),
        F.count(F.when(before.isNotNull() & (flag != before), 1)).alias("_changed"),
        F.corr(both, "_rank_before").alias("rank_correlation"),
        F.array(*(F.count(F.when(bin_of == place, 1)).cast("double") for place in range(BINS))).alias(
            "score_histogram"
        ),
    ]


def with_divergence(runs: DataFrame, earlier: DataFrame) -> DataFrame:
    """The rows of contract M4 that are not in ``earlier`` yet, compared with the thirty days before each.

    Args:
        runs: of :func:`score_runs`.
        earlier: ``model_drift_metrics`` so far.
    """
    there = F.broadcast(earlier.select(*_KEY))
    added = runs.join(there, list(_KEY), "left_anti").withColumn("kl_vs_30d", F.lit(None).cast("double"))
    whole = conform(added, SCORE_DRIFT_SCHEMA).withColumn("_new", F.lit(True))
    series = whole.unionByName(conform(earlier, SCORE_DRIFT_SCHEMA).withColumn("_new", F.lit(False)))
    by = ["model_id", "model_version", "slice_name", "slice_value"]
    schema = f"{_ddl()}, _new boolean"
    compared = series.groupBy(*by).applyInPandas(_diverged, schema)
    return conform(compared.where("_new"), SCORE_DRIFT_SCHEMA)


def _ddl() -> str:
    return ", ".join(f"{field.name} {field.dataType.simpleString()}" for field in SCORE_DRIFT_SCHEMA)


def _diverged(series: pd.DataFrame) -> pd.DataFrame:
    """One slice of one version; runs in order of time."""
    ordered = series.sort_values("scored_at", kind="stable").reset_index(drop=True)
    counts = np.vstack(ordered["score_histogram"].tolist())
    total = np.vstack([np.zeros(BINS), np.cumsum(counts, axis=0)])
    seconds = ordered["scored_at"].astype("int64").to_numpy() // 10**9
    first = np.searchsorted(seconds, seconds - HISTORY_DAYS * 86_400, side="left")
    found: list[float | None] = []
    for place, start in enumerate(first):
        before = total[place] - total[start]
        found.append(divergence(counts[place], before) if before.sum() and ordered["_new"][place] else None)
    fresh = ordered["_new"]
    ordered.loc[fresh, "kl_vs_30d"] = pd.Series(found, dtype="float64")[fresh]
    return ordered


def divergence(now: NDArray[Any], before: NDArray[Any]) -> float:
    """Kullback-Leibler divergence of the shares now from those before, nats; half a count is added to every bin."""
    p = (now + SMOOTHING) / (now + SMOOTHING).sum()
    q = (before + SMOOTHING) / (before + SMOOTHING).sum()
    return float((p * np.log(p / q)).sum())
