"""Measures of what a released model says: its input, its scores, the alerts made of them, and what came of
those.
"""

from __future__ import annotations

import functools
import operator

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from fleet_health.audits.features import newest_day
from fleet_health.audits.measured import Audited, Group, counted, lasting, result, share
from fleet_health.contracts.alerts import SEVERITIES
from fleet_health.contracts.releases import CANARY_LIVE
from fleet_health.data_time import with_data_time

_BINS = 20
REVIEW_WEEKS = 4
"""Long enough for two hundred reviews of a fleet whose alerts are looked at."""


def _flagged(audited: Audited) -> DataFrame:
    n = F.count(F.lit(1))
    rows = lasting(audited["model_scores"], "window_end", 24)
    return rows.agg(result(share(counted(F.col("anomaly_flag")), n), n, "flagged_share"))


def _scored(audited: Audited) -> DataFrame:
    """Active devices whose newest window is complete enough, and those of them that have a score for it."""
    rows = newest_day(audited)
    newest = with_data_time(rows, rows, "_newest", F.col("window_end")).where(F.col("window_end") == F.col("_newest"))
    complete = newest.where(F.col("sensor_completeness") >= audited.profile.model.scoring_completeness_min.value)
    active = audited["device_registry"].where(F.col("status") == "active").select("device_id")
    eligible = complete.select("device_id", "window_end").join(active, "device_id")
    scores = audited["model_scores"].select("device_id", "window_end", F.lit(True).alias("scored")).distinct()
    n = F.count(F.lit(1))
    devices = eligible.join(scores, ["device_id", "window_end"], "left")
    return devices.agg(result(share(counted(F.col("scored")), n), n, "eligible_devices_scored"))


def _repeats(audited: Audited) -> DataFrame:
    """Rows that nobody silenced although device, model and main contributor were named shortly before.

    Escalations and resolutions always pass, and a resolution makes everything news again, so only detections and
    repetitions between two resolutions are compared with the one before.
    """
    silence = F.lit(round(audited.profile.alerting.dedup_hours * 3_600_000_000))
    ranks = F.create_map(*(F.lit(part) for place, name in enumerate(SEVERITIES) for part in (name, place)))
    rows = audited["device_alerts"].select(
        "device_id",
        "model_id",
        F.unix_micros("window_end").alias("at"),
        "alert_type",
        "suppressed",
        ranks[F.col("severity")].alias("rank"),
        F.col("top_contributors")[0].alias("cause"),
    )
    history = Window.partitionBy("device_id").orderBy("at").rowsBetween(Window.unboundedPreceding, Window.currentRow)
    resolved = (F.col("alert_type") == "ANOMALY_RESOLVED").cast("int")
    told = rows.withColumn("over", F.sum(resolved).over(history)).where(
        ~F.col("suppressed") & F.col("alert_type").isin("ANOMALY_DETECTED", "ANOMALY_SUSTAINED")
    )
    before = Window.partitionBy("device_id", "model_id", "cause", "over").orderBy("at")
    last = told.withColumns({"last_at": F.lag("at").over(before), "last_rank": F.lag("rank").over(before)})
    again = (F.col("at") - F.col("last_at") < silence) & (F.col("rank") <= F.col("last_rank"))
    return last.agg(result(counted(again), F.count(F.lit(1)), "repeated_alerts"))


def _names(audited: Audited) -> DataFrame:
    """Rows of model input whose names are not those of the newest assembly, place by place."""
    learned = audited["training_data"].agg(F.max_by("feature_names", "assembled_at").alias("learned"))
    rows = audited["model_input"].crossJoin(F.broadcast(learned))
    other = ~F.col("feature_names").eqNullSafe(F.col("learned"))
    return rows.agg(result(counted(other), F.count(F.lit(1)), "names_unlike_training"))


def _left_out(audited: Audited) -> DataFrame:
    windows = newest_day(audited).select("device_id", "window_end")
    key = ["device_id", "window_end"]
    vectors = audited["model_input"].select(*key, F.lit(True).alias("kept")).distinct()
    n = F.count(F.lit(1))
    rows = windows.join(vectors, key, "left")
    return rows.agg(result(share(counted(F.col("kept").isNull()), n), n, "model_rows_left_out"))


def _shadow(audited: Audited) -> DataFrame:
    """Devices and windows that a candidate shares with production, of those that production scored since it began."""
    tried = audited["shadow_model_scores"].where(F.col("deployment_role") != CANARY_LIVE)
    span = tried.agg(F.min("window_end").alias("_from"), F.max("window_end").alias("_to"))
    here = (
        audited["model_scores"]
        .crossJoin(F.broadcast(span))
        .where(F.col("window_end").between(F.col("_from"), F.col("_to")))
    )
    seen = tried.select("device_id").distinct().withColumn("seen", F.lit(True))
    devices = here.select("device_id").distinct().join(seen, "device_id", "left")
    n = F.count(F.lit(1))
    return devices.agg(result(share(counted(F.col("seen")), n), n, "shadow_devices_scored"))


def _compared(audited: Audited) -> DataFrame:
    """Windows of the newest comparison, of those that its trial scored in the same run."""
    key = ["device_id", "window_start", "window_end"]
    shadow = audited["shadow_model_scores"]
    newest = shadow.agg(F.max("scored_at").alias("_run"))
    tried = shadow.join(F.broadcast(newest), shadow["scored_at"] == F.col("_run")).select(*key).distinct()
    pairs = audited["canary_comparison"].select(*key).distinct().withColumn("both", F.lit(True))
    n = F.count(F.lit(1))
    return tried.join(pairs, key, "left").agg(result(share(counted(F.col("both")), n), n, "windows_compared"))


def _misstated(audited: Audited) -> DataFrame:
    difference = F.col("candidate_score") - F.col("champion_score")
    wrong = ~(F.abs(F.col("score_diff") - difference) < 1e-9)
    return audited["canary_comparison"].agg(result(counted(wrong), F.count(F.lit(1)), "differences_misstated"))


def _apart(audited: Audited) -> DataFrame:
    """Kullback-Leibler divergence, in nats, of the newest candidate's scores from the champion's, over all its runs.

    Half a window in each bin keeps it finite, as in the check of the objective that stops a trial.
    """
    run = F.substring_index("comparison_id", " ", -1)
    rows = audited["canary_comparison"].withColumn("_pair", F.substring_index("comparison_id", " ", 5))
    newest = rows.agg(F.max_by("_pair", run).alias("_newest"))
    own = rows.join(F.broadcast(newest), F.col("_pair") == F.col("_newest"))
    n = F.count(F.lit(1))

    def shares(score: str) -> list[Column]:
        place = F.least(F.floor(F.col(score) * _BINS), F.lit(_BINS - 1))
        return [(counted(place == at) + 0.5) / (n + 0.5 * _BINS) for at in range(_BINS)]

    parts = [p * F.log(p / q) for p, q in zip(shares("candidate_score"), shares("champion_score"), strict=True)]
    return own.agg(result(F.when(n > 0, functools.reduce(operator.add, parts)), n, "scores_apart"))


def _reviews(audited: Audited) -> DataFrame:
    """The most reviews of one model in its newest four weeks; none where any of them found a false alert."""
    rows = audited["alert_effectiveness_metrics"].where((F.col("severity") == "ALL") & (F.col("region") == "ALL"))
    newest = rows.groupBy("model_id").agg(F.max("week_start").alias("_newest"))
    recent = rows.join(newest, "model_id").where(F.datediff("_newest", "week_start") < REVIEW_WEEKS * 7)
    models = recent.groupBy("model_id").agg(
        F.sum("alerts_reviewed").alias("reviewed"), F.sum("alerts_false_positive").alias("false")
    )
    unbroken = F.when(F.col("false") == 0, F.col("reviewed")).otherwise(0)
    return models.agg(result(F.max(unbroken), F.sum("reviewed"), "reviews_without_false_positive"))


GROUPS = (
    Group(("shadow_devices_scored",), ("shadow_model_scores", "model_scores"), _shadow),
    Group(("windows_compared",), ("shadow_model_scores", "canary_comparison"), _compared),
    Group(("differences_misstated",), ("canary_comparison",), _misstated),
    Group(("scores_apart",), ("canary_comparison",), _apart),
    Group(("flagged_share",), ("model_scores",), _flagged),
    Group(("eligible_devices_scored",), ("model_scores", "device_features", "device_registry"), _scored),
    Group(("reviews_without_false_positive",), ("alert_effectiveness_metrics",), _reviews),
    Group(("repeated_alerts",), ("device_alerts",), _repeats),
    Group(("names_unlike_training",), ("model_input", "training_data"), _names),
    Group(("model_rows_left_out",), ("model_input", "device_features"), _left_out),
)
