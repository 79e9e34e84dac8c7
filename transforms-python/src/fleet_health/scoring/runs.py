"""``scoring_run_metrics`` and the windows that rules have to score, from the datasets alone."""

from __future__ import annotations

from datetime import UTC, datetime

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fleet_health.contracts import runs
from fleet_health.profiles.model import Profile
from fleet_health.scoring.fallback import fallback_scores
from fleet_health.scoring.staleness import Facts, decide, run_row, staleness_of

_EMPTY = datetime(1970, 1, 1, tzinfo=UTC)


def facts_of(raw: DataFrame, features: DataFrame, scores: DataFrame, registry: DataFrame, profile: Profile) -> Facts:
    """One look at the datasets of the profile's model; counts and newest times, one row for a fleet of any size.

    Args:
        raw: ``raw_sensor_readings``; its newest receipt time is *now*.
        features: ``device_features``.
        scores: ``model_scores``.
        registry: ``device_registry``.
        profile: model, window length and completeness limit.
    """
    model = profile.model
    windows = features.where(F.col("window_duration_minutes") == model.window_duration_minutes)
    mine = scores.where(F.col("model_id") == model.model_id)
    newest = mine.agg(
        F.max(F.struct("scored_at", "model_version")).alias("last"), F.max("window_end").alias("scored_through")
    )
    now = raw.agg(F.max("timestamp_ingested").alias("now"))
    known = windows.agg(F.max("computed_at").alias("features_at"), F.max("window_end").alias("features_through"))
    look = F.broadcast(now.crossJoin(known).crossJoin(newest))
    run = mine.join(look.select("last"), F.col("scored_at") == F.col("last.scored_at"))
    run = run.agg(
        F.min("window_end").alias("first_end"),
        F.max("window_end").alias("last_end"),
        F.count(F.lit(1)).alias("rows_scored"),
        F.countDistinct("device_id").alias("devices_scored"),
    )
    # the windows of the newest run; before the first run, the newest window alone
    look = look.crossJoin(run)
    begin, end = F.coalesce("first_end", "features_through"), F.coalesce("last_end", "features_through")
    inside = windows.crossJoin(F.broadcast(look)).where(F.col("window_end").between(begin, end))
    complete = F.col("sensor_completeness") >= model.scoring_completeness_min.value
    counted = inside.agg(
        F.countDistinct(F.when(complete, F.col("device_id"))).alias("devices_eligible"),
        F.count(F.when(~complete, 1)).alias("excluded_low_completeness"),
        F.countDistinct("device_id").alias("devices_seen"),
    )
    active = registry.where(F.col("status") == "active").select("device_id")
    seen = inside.select("device_id").distinct()
    silent = active.join(seen, "device_id", "left_anti").agg(F.count(F.lit(1)).alias("excluded_dropout"))
    row = look.crossJoin(counted).crossJoin(silent).first()
    found = {} if row is None else row.asDict(recursive=True)
    last = found.get("last") or {}
    return Facts(
        now=_utc(found.get("now")) or _EMPTY,
        features_at=_utc(found.get("features_at")),
        scored_at=_utc(last.get("scored_at")),
        scored_through=_utc(found.get("scored_through")),
        model_id=model.model_id,
        model_version=last.get("model_version") or model.model_version,
        devices_eligible=found.get("devices_eligible", 0),
        devices_scored=found.get("devices_scored", 0),
        rows_scored=found.get("rows_scored", 0),
        excluded_low_completeness=found.get("excluded_low_completeness", 0),
        excluded_dropout=found.get("excluded_dropout", 0),
    )


def _utc(time: datetime | None) -> datetime | None:
    return None if time is None else time.astimezone(UTC)


def next_run(spark: SparkSession, facts: Facts, before: DataFrame, profile: Profile) -> DataFrame:
    """The row that this look adds to the log, or none when the run is in it already.

    Args:
        spark: makes the frame.
        facts: see :func:`facts_of`.
        before: the log so far.
        profile: bands and limits.
    """
    mine = before.where(F.col("model_id") == facts.model_id)
    last = mine.agg(F.max_by("outcome", F.struct("scheduled_at", "run_id")).alias("outcome")).first()
    decision = decide(facts, last is not None and last["outcome"] == runs.FALLBACK, staleness_of(profile))
    row = run_row(facts, decision)
    logged = mine.where(F.col("run_id") == F.lit(row["run_id"])).limit(1).count()
    rows = [] if logged else [row]
    return spark.createDataFrame(
        [tuple(row[name] for name in runs.RUNS_SCHEMA.names) for row in rows], runs.RUNS_SCHEMA
    )


def scores_standing_in(features: DataFrame, log: DataFrame, profile: Profile) -> DataFrame:
    """``fallback_scores``: what rules say about the windows that no model had scored when they stood in.

    Args:
        features: ``device_features``.
        log: ``scoring_run_metrics``; its FALLBACK rows say when, and how far the model had come.
        profile: rules, model and limits.

    Returns:
        the rows of contract 5 for windows of the model's length. ``scored_at`` is the time of the first look that found
        the window unscored, so that rows stay as they are when the log grows. Before its first score a model has come
        as far as the time after which rules stand in.
    """
    model = profile.model
    lead = round(staleness_of(profile).fallback_after_minutes.value * 60_000_000)
    at = F.unix_micros("scheduled_at")
    looks = log.where((F.col("outcome") == runs.FALLBACK) & (F.col("model_id") == model.model_id))
    through = F.coalesce(F.unix_micros("scored_through"), at - F.lit(lead))
    asked = looks.agg(F.collect_list(F.struct(at.alias("at"), through.alias("through"))).alias("_looks"))
    windows = features.where(F.col("window_duration_minutes") == model.window_duration_minutes)
    known, end = F.unix_micros("computed_at"), F.unix_micros("window_end")
    due = F.filter("_looks", lambda look: (known <= look["at"]) & (end > look["through"]) & (end <= look["at"]))
    first = F.array_min(F.transform(due, lambda look: look["at"]))
    rows = windows.crossJoin(F.broadcast(asked)).withColumn("scored_at", F.timestamp_micros(first))
    return fallback_scores(rows.where(F.col("scored_at").isNotNull()), profile)
