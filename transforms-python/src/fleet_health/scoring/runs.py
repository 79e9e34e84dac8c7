"""``scoring_run_metrics`` and the windows that rules have to score, from the datasets alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fleet_health.contracts import runs
from fleet_health.features.days import ending_between
from fleet_health.model_input.released import is_halted
from fleet_health.model_input.vectors import NOTHING_TO_FILL_WITH
from fleet_health.paths import is_first
from fleet_health.profiles.families import FurtherModel, ModelSpec
from fleet_health.profiles.model import Profile
from fleet_health.scoring.fallback import fallback_scores
from fleet_health.scoring.seen import Seen, only_row
from fleet_health.scoring.staleness import Facts, decide, longer_minutes, run_row, staleness_of

_EMPTY = datetime(1970, 1, 1, tzinfo=UTC)


def facts_of(
    raw: DataFrame,
    features: DataFrame,
    scores: DataFrame,
    registry: DataFrame,
    exclusions: DataFrame,
    releases: DataFrame,
    profile: Profile,
    model: ModelSpec | FurtherModel | None = None,
    log: DataFrame | None = None,
) -> Facts:
    """One look at the datasets of one model; counts and newest times, one row for a fleet of any size.

    What came since the newest look is all that is read where the log says when that was, whatever lies before; the
    answer is that of a look at everything.

    Args:
        raw: ``raw_sensor_readings``; its newest receipt time is *now*.
        features: ``device_features``.
        scores: ``model_scores``.
        registry: ``device_registry``.
        exclusions: ``model_input_exclusions``.
        releases: ``model_release_config``.
        profile: completeness limit.
        model: whose scores and exclusions they are; the first one by default.
        log: ``scoring_run_metrics`` of that model so far.
    """
    model = model or profile.model
    windows = features.where(F.col("window_duration_minutes") == model.window_duration_minutes)
    mine = scores.where(F.col("model_id") == model.model_id)
    seen = Seen.of(log, profile, model)
    now = seen.newest_receipt(raw)
    known = seen.newest_windows(windows)
    newest = seen.newest_scores(mine)
    run = only_row(
        mine.where(F.col("scored_at") == F.lit(newest["scored_at"])).agg(
            F.min("window_end").alias("first_end"),
            F.max("window_end").alias("last_end"),
            F.count(F.lit(1)).alias("rows"),
            F.countDistinct("device_id").alias("devices"),
        )
    )
    # the windows of the newest run; before the first run, the newest window alone
    begin, end = run["first_end"] or known["through"], run["last_end"] or known["through"]
    unfilled = exclusions.where(F.col("window_end").between(F.lit(begin), F.lit(end)))
    unfilled = unfilled.where((F.col("reason") == NOTHING_TO_FILL_WITH) & (F.col("model_id") == model.model_id))
    length = timedelta(minutes=model.window_duration_minutes)
    counted = _counted(ending_between(windows, begin, end, length), registry, profile)
    # a few rows a month
    decided = releases.where(F.col("model_id") == model.model_id).orderBy("effective_from").collect()
    return Facts(
        now=_utc(now) or _EMPTY,
        features_at=_utc(known["at"]),
        scored_at=_utc(newest["scored_at"]),
        scored_through=_utc(newest["through"]),
        model_id=model.model_id,
        model_version=newest["model_version"] or model.model_version,
        devices_eligible=counted["eligible"],
        devices_scored=run["devices"],
        rows_scored=run["rows"],
        excluded_low_completeness=counted["low"],
        excluded_unimputable=unfilled.count(),
        excluded_dropout=counted["silent"],
        halted=is_halted(decided),
        leads=is_first(profile, model),
        longer_minutes=longer_minutes(profile, model),
    )


def _counted(windows: DataFrame, registry: DataFrame, profile: Profile) -> dict[str, Any]:
    """Devices with a complete window, windows that are not complete, and active devices without any window."""
    complete = F.col("sensor_completeness") >= profile.model.scoring_completeness_min.value
    by_device = windows.groupBy("device_id").agg(
        F.max(complete.cast("long")).alias("eligible"), F.sum((~complete).cast("long")).alias("low")
    )
    active = registry.select("device_id", (F.col("status") == "active").alias("active"))
    silent = F.coalesce("active", F.lit(False)) & F.col("eligible").isNull()
    both = by_device.join(active, "device_id", "full")
    sums = {"eligible": F.col("eligible"), "low": F.col("low"), "silent": silent.cast("long")}
    return only_row(both.agg(*(F.coalesce(F.sum(value), F.lit(0)).alias(name) for name, value in sums.items())))


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
    mine = before.where(F.col("model_id") == facts.model_id).agg(
        F.max_by("outcome", F.struct("scheduled_at", "run_id")).alias("outcome"), F.collect_set("run_id").alias("ids")
    )
    known = only_row(mine)
    decision = decide(facts, known["outcome"] == runs.FALLBACK, staleness_of(profile))
    row = run_row(facts, decision)
    rows = [] if row["run_id"] in known["ids"] else [row]
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
    span = only_row(looks.agg(F.min(F.timestamp_micros(through)).alias("since"), F.max("scheduled_at").alias("until")))
    windows = features.where(F.col("window_duration_minutes") == model.window_duration_minutes)
    # nothing that ended before every outage, or after the last look, was ever waited for
    length = timedelta(minutes=model.window_duration_minutes)
    asked_for = span["since"] is not None
    windows = ending_between(windows, span["since"], span["until"], length) if asked_for else windows.where("false")
    known, end = F.unix_micros("computed_at"), F.unix_micros("window_end")
    due = F.filter("_looks", lambda look: (known <= look["at"]) & (end > look["through"]) & (end <= look["at"]))
    first = F.array_min(F.transform(due, lambda look: look["at"]))
    rows = windows.crossJoin(F.broadcast(asked)).withColumn("scored_at", F.timestamp_micros(first))
    return fallback_scores(rows.where(F.col("scored_at").isNotNull()), profile)
