"""How well scores tell fault days from fault-free days that trained nothing. Reads labels; feeds nothing back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.conform import conform
from fleet_health.contracts.scores import DETECTION_SCHEMA
from fleet_health.data_time import with_data_time
from fleet_health.profiles.model import Profile
from fleet_health.training_data.selection import on_training_day

CERTAIN = 0.9
"""Labels below this confidence (days the inventory does not document) are left out and counted."""


def detection_report(scores: DataFrame, labels: DataFrame, profile: Profile) -> DataFrame:
    """One row per device and unit (``day``: mean score of the day; ``window``: each window's score).

    Args:
        scores: ``model_scores``.
        labels: ``label_events``; one label per device and local day, at the day's first instant.
        profile: declares the days that trained the model.

    Returns:
        counts of what was compared and left out, ``auc`` (probability that a fault outranks a fault-free unit, ties
        count half; null when either side is empty) and the mean score of each side.
    """
    day = labels.select("device_id", F.col("event_timestamp").alias("day_start"), "label_type", "label_confidence")
    within = (F.col("window_start") >= F.col("day_start")) & (
        F.col("window_start") < F.col("day_start") + F.expr("INTERVAL 24 HOURS")
    )
    trained = on_training_day(profile) if profile.model.training_days else F.lit(False)
    rows = scores.withColumn("trained", trained).join(F.broadcast(day).alias("label"), "device_id").where(within)
    rows = rows.select(
        "device_id",
        "day_start",
        "anomaly_score",
        "trained",
        F.col("label_type").isin("failure_confirmed", "anomaly_confirmed").alias("fault"),
        (F.col("label_confidence") >= CERTAIN).alias("certain"),
        "model_id",
        "model_version",
        "scored_at",
    )
    made = DETECTION_SCHEMA.fieldNames()[:-1]
    schema = [field for field in DETECTION_SCHEMA if field.name in made]
    per_device = rows.groupBy("device_id").applyInPandas(_of_device, type(DETECTION_SCHEMA)(schema))
    return conform(with_data_time(per_device, scores, "computed_at", F.col("scored_at")), DETECTION_SCHEMA)


def _of_device(rows: pd.DataFrame) -> pd.DataFrame:
    """The version that scored last speaks; the days of earlier ones are judged anew by it."""
    by_version = rows.groupby(["model_id", "model_version"])["scored_at"].max()
    model_id, version = max(by_version.index, key=lambda key: (by_version[key], [int(n) for n in key[1].split(".")]))
    rows = rows[(rows["model_id"] == model_id) & (rows["model_version"] == version)]
    days = rows.groupby("day_start", as_index=False).agg(
        anomaly_score=("anomaly_score", "mean"),
        fault=("fault", "first"),
        certain=("certain", "first"),
        trained=("trained", "any"),
    )
    counts = {
        "training_days_left_out": int(days["trained"].sum()),
        "uncertain_days_left_out": int((~days["certain"] & ~days["trained"]).sum()),
    }
    first = rows.iloc[0]
    shared = {
        "device_id": first["device_id"],
        "model_id": first["model_id"],
        "model_version": first["model_version"],
        **counts,
    }
    left_out = set(days.loc[days["trained"], "day_start"])
    windows = rows[~rows["day_start"].isin(left_out) & rows["certain"]]
    units = {"day": days[~days["trained"] & days["certain"]], "window": windows}
    return pd.DataFrame([{**shared, "unit": unit, **_compare(frame)} for unit, frame in units.items()]).reindex(
        columns=DETECTION_SCHEMA.fieldNames()[:-1]
    )


def _compare(frame: pd.DataFrame) -> dict[str, object]:
    fault = frame.loc[frame["fault"], "anomaly_score"].to_numpy()
    free = frame.loc[~frame["fault"], "anomaly_score"].to_numpy()
    return {
        "fault_count": len(fault),
        "fault_free_count": len(free),
        "auc": area_under_curve(fault, free),
        "fault_score_mean": float(fault.mean()) if len(fault) else None,
        "fault_free_score_mean": float(free.mean()) if len(free) else None,
    }


def area_under_curve(positive: NDArray[Any], negative: NDArray[Any]) -> float | None:
    """Share of pairs in which the positive is larger, ties half; ``None`` without pairs."""
    if not len(positive) or not len(negative):
        return None
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, side="left")
    not_above = np.searchsorted(ordered, positive, side="right")
    return float((below + not_above).sum() / 2.0 / len(positive) / len(negative))
