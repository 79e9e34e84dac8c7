"""``training_data``: vectors filled as they are for scoring, with labels where the profile joins them."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.conform import conform
from fleet_health.contracts.training import (
    ANY,
    EXCLUSION_REASONS,
    OTHER_DAY,
    TRAINING_EXCLUSIONS_SCHEMA,
    TRAINING_SCHEMA,
)
from fleet_health.data_time import with_data_time
from fleet_health.feature_store.point_in_time import labelled, literal, unlabelled
from fleet_health.model_input.imputation import FillConstants
from fleet_health.model_input.vectors import NOTHING_TO_FILL_WITH, vectors
from fleet_health.profiles.model import Profile
from fleet_health.training_data.selection import left_out_because, of_length


def frozen_constants(statistics: pd.DataFrame, profile: Profile) -> FillConstants:
    """Training medians in vector order; a feature that was never present has none and no place in the vector."""
    rows = statistics.set_index("feature_name").dropna(subset=["training_p50"])
    names = tuple(name for name in profile.model_features if name in rows.index)
    cohorts = [rows.at[name, "cohort_medians"] for name in names] if profile.cohorts else []
    return FillConstants(
        names,
        tuple(float(rows.at[name, "training_p50"]) for name in names),
        tuple(dict(one) if isinstance(one, dict) else {} for one in cohorts),
    )


def training_rows(
    features: DataFrame,
    constants: FillConstants,
    snapshot_id: str,
    profile: Profile,
    labels: DataFrame | None = None,
) -> DataFrame:
    """The rows of contract 3.5.

    Args:
        features: ``device_features`` with ``cohort_id``, as of the instant that is pinned, if one is; its newest
            ``computed_at`` is the assembly time. Windows that do not train are read all the same: a value missing
            from one that does may stand in them.
        constants: what a missing value becomes when the device has no recent one; its order is that of the vector.
        snapshot_id: the transaction of ``device_features`` that was read.
        profile: which windows train, and how labels join.
        labels: ``label_events``; ``None`` leaves all rows unlabelled.
    """
    rows = of_length(features, profile)
    trains = left_out_because(profile).isNull()
    made = vectors(rows, trains, constants, profile.imputation, profile.model.model_id)
    complete = with_data_time(made.where("unfilled is null"), features, "assembled_at", F.col("computed_at"))
    training = profile.training
    if labels is None:
        joined = unlabelled(complete, training)
    else:
        seen = with_data_time(labels, features, "_as_of", F.col("computed_at"))
        instant = F.col("_as_of") if training.as_of is None else literal(training.as_of)
        joined = labelled(complete, seen, instant, training)
    timed = joined.withColumns(
        {
            "feature_names": F.array(*(F.lit(name) for name in constants.names)),
            "snapshot_id": F.lit(snapshot_id),
        }
    )
    if training.as_of is not None:
        timed = timed.withColumn("assembled_at", literal(training.as_of))
    # they fit on one machine, and a global sort would compute them twice to find its ranges
    return conform(timed, TRAINING_SCHEMA).repartition(1).sortWithinPartitions("device_id", "window_start")


def training_exclusions(features: DataFrame, training_count: int, profile: Profile) -> pd.DataFrame:
    """How many windows were left out, by reason: one row each, and one for :data:`ANY` reason.

    Args:
        features: ``device_features``.
        training_count: rows that did get a vector.
        profile: the filters.

    Returns:
        ``reason, rows, candidate_rows, share``. Windows of other days than the declared ones are listed and are no
        candidates, so they have no share.
    """
    reason = F.coalesce(left_out_because(profile), F.lit("")).alias("reason")
    # one row per reason
    counts = of_length(features, profile).groupBy(reason).count().toPandas().set_index("reason")["count"]
    candidates = int(counts.drop(labels=[OTHER_DAY], errors="ignore").sum())
    passed = int(counts.get("", 0))
    rows = {name: int(counts.get(name, 0)) for name in EXCLUSION_REASONS}
    rows[NOTHING_TO_FILL_WITH] = passed - training_count
    rows[ANY] = candidates - training_count
    table = pd.DataFrame({"reason": list(rows), "rows": list(rows.values()), "candidate_rows": candidates})
    table["share"] = table["rows"] / candidates if candidates else np.nan
    other = {"reason": OTHER_DAY, "rows": int(counts.get(OTHER_DAY, 0)), "candidate_rows": candidates, "share": None}
    return pd.concat([table, pd.DataFrame([other]).astype({"share": "float64"})], ignore_index=True)


def exclusion_rows(counts: pd.DataFrame, snapshot_id: str, assembled_at: datetime) -> pd.DataFrame:
    """``training_exclusions`` in the shape of its contract."""
    named = counts.assign(snapshot_id=snapshot_id, assembled_at=assembled_at)
    return named.reindex(columns=TRAINING_EXCLUSIONS_SCHEMA.fieldNames())
