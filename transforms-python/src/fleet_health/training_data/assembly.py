"""``training_data``: vectors filled as they are for scoring, with labels where the profile joins them."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.conform import conform
from fleet_health.contracts.training import NOT_DRAWN, OTHER_DAY, OUTSIDE_SPLIT, TRAINING_SCHEMA
from fleet_health.data_time import with_data_time
from fleet_health.feature_store.point_in_time import labelled, literal, unlabelled
from fleet_health.model_input.imputation import FillConstants
from fleet_health.model_input.vectors import vectors
from fleet_health.profiles.learning import Training
from fleet_health.profiles.model import Profile
from fleet_health.training_data.selection import VISITED, drawn, left_out_because, with_visits
from fleet_health.training_data.split import TRAIN, Cut, cut_of, placed
from fleet_health.training_data.statistics import no_windows

REASON = "left_out"
"""Column: why a window is not in the training data; null where it is, unless nothing can fill its gaps."""


def candidates(
    features: DataFrame, profile: Profile, labels: DataFrame | None = None, lengths: Sequence[int] | None = None
) -> DataFrame:
    """The windows of ``lengths`` (those of the models) plus :data:`REASON`, before anything is divided.

    ``labels`` tell of maintenance (see :func:`learning_windows`); only those that were recorded when the newest of the
    ``features`` was computed, or when the profile pins, so that the same rows train whenever it is asked again.
    """
    rows = features.where(F.col("window_duration_minutes").isin(*(lengths or profile.training_lengths)))
    if labels is None:
        return rows.withColumn(REASON, left_out_because(profile))
    seen, instant = labels_as_of(labels, features, profile.training)
    visited = with_visits(rows, seen, instant, profile.training)
    return visited.withColumn(REASON, left_out_because(profile, F.col(VISITED))).drop(VISITED)


def labels_as_of(labels: DataFrame, features: DataFrame, training: Training) -> tuple[DataFrame, datetime | Column]:
    """``labels``, and the instant up to which they may be known: the pinned one, else that of the newest feature."""
    if training.as_of is not None:
        return labels, training.as_of
    return with_data_time(labels, features, "_as_of", F.col("computed_at")), F.col("_as_of")


def divided(rows: DataFrame, cut: Cut, profile: Profile) -> DataFrame:
    """Candidates placed in their part and period; :data:`REASON` tells those that the split has no use for."""
    reason = F.when(F.col(REASON) == OTHER_DAY, F.col(REASON)).when(F.col("period").isNull(), F.lit(OUTSIDE_SPLIT))
    return placed(rows, cut, profile).withColumn(REASON, reason.otherwise(F.col(REASON)))


def thinned(rows: DataFrame, counts: pd.DataFrame, profile: Profile) -> DataFrame:
    """Divided rows; of a part that is larger than the profile's ``rows_max`` the rest has its :data:`REASON`.

    ``counts`` tells how large they are; without a large one ``rows`` are returned as they are.
    """
    left = counts[counts[REASON].isna()]
    key = ["window_duration_minutes", "device_part", "period"]
    there = {(int(m), str(part), str(period)): int(n) for m, part, period, n in left[[*key, "count"]].to_numpy()}
    most = int(profile.training.rows_max.value)
    if all(count <= most for count in there.values()):
        return rows
    kept = drawn(there, most, profile.model.seed)
    return rows.withColumn(REASON, F.when(F.col(REASON).isNull() & ~kept, F.lit(NOT_DRAWN)).otherwise(F.col(REASON)))


@dataclass(frozen=True)
class LearningWindows:
    """``rows``: divided and thinned windows; ``counts``: see :func:`counted`; ``cut``: where they were divided."""

    rows: DataFrame
    counts: pd.DataFrame
    cut: Cut


def learning_windows(features: DataFrame, profile: Profile, labels: DataFrame | None = None) -> LearningWindows:
    """The windows of the models' lengths, each with its part and period, or the :data:`REASON` why it has no use.

    Args:
        features: ``device_features`` as of the instant that is pinned, if one is, with ``cohort_id``.
        profile: filters, split and how many rows at most.
        labels: ``label_events`` where they tell of maintenance, after which a unit teaches nothing normal.

    Raises:
        NoTrainingWindowsError: no window passes the filters.
    """
    rows = candidates(features, profile, labels)
    cut = cut_of(rows.where(F.col(REASON).isNull()), profile)
    if cut is None:
        raise no_windows(profile)
    parted = divided(rows, cut, profile)
    counts = counted(parted)
    chosen = thinned(parted, counts, profile)
    return LearningWindows(chosen, counts if chosen is parted else counted(chosen), cut)


def learned_beside(
    features: DataFrame, cut: Cut, profile: Profile, lengths: Sequence[int], labels: DataFrame | None = None
) -> DataFrame:
    """The windows of ``lengths`` that train nothing which would have been learned from.

    By the filters, the devices and the draw of :func:`learning_windows`, and inside the span that its ``cut`` trained.
    """
    span = (F.col("window_start") >= literal(cut.trained_from)) & (F.col("window_end") <= literal(cut.trained_until))
    parted = divided(candidates(features, profile, labels, lengths).where(span), cut, profile)
    return thinned(parted, counted(parted), profile).where(learned_from())


def counted(rows: DataFrame) -> pd.DataFrame:
    """``count`` by length, part, period and :data:`REASON` of divided windows."""
    # a handful of rows: one per combination
    return rows.groupBy("window_duration_minutes", "device_part", "period", REASON).count().toPandas()


def learned_from() -> Column:
    """Whether a divided row is one of those that models learn from."""
    return F.col(REASON).isNull() & (F.col("device_part") == TRAIN) & (F.col("period") == TRAIN)


def training_rows(
    rows: DataFrame,
    features: DataFrame,
    constants: Mapping[int, FillConstants],
    snapshot_id: str,
    profile: Profile,
    labels: DataFrame | None = None,
) -> DataFrame:
    """The rows of contract 3.5.

    Args:
        rows: divided windows with ``cohort_id``. Those that do not train are read all the same: a value missing from
            one that does may stand in them.
        features: ``device_features`` as of the instant that is pinned, if one is; its newest ``computed_at`` is the
            assembly time.
        constants: per window length what a missing value becomes when the device has no recent one. The names are the
            same for every length, and their order is that of the vector.
        snapshot_id: the transaction of ``device_features`` that was read.
        profile: how old a value may be that fills a gap, and how labels join.
        labels: ``label_events``; ``None`` leaves all rows unlabelled.
    """
    wanted = F.col(REASON).isNull()
    model_id = profile.model.model_id
    parts = [
        vectors(rows.where(F.col("window_duration_minutes") == minutes), wanted, fill, profile.imputation, model_id)
        for minutes, fill in constants.items()
    ]
    made = functools.reduce(DataFrame.unionByName, parts)
    complete = with_data_time(made.where("unfilled is null"), features, "assembled_at", F.col("computed_at"))
    training = profile.training
    if labels is None:
        joined = unlabelled(complete, training)
    else:
        joined = labelled(complete, *labels_as_of(labels, features, training), training)
    names = next(iter(constants.values())).names
    timed = joined.withColumns(
        {"feature_names": F.array(*(F.lit(name) for name in names)), "snapshot_id": F.lit(snapshot_id)}
    )
    if training.as_of is not None:
        timed = timed.withColumn("assembled_at", literal(training.as_of))
    # they fit on one machine, and a global sort would compute them twice to find its ranges
    order = ("device_id", "window_start", "window_duration_minutes")
    return conform(timed, TRAINING_SCHEMA).repartition(1).sortWithinPartitions(*order)
