"""Figures of scores, runs and alerts."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.data_time import with_data_time
from fleet_health.monitoring.judgement import ALL
from fleet_health.monitoring.measured import (
    DAY,
    HOUR,
    TOO_LITTLE,
    Pass,
    Watched,
    counted,
    day_of,
    figure,
    figures,
    hour_of,
    share,
)
from fleet_health.profiles.model import Profile

SEVERITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
URGENT = ("HIGH", "CRITICAL")
URGENT_HOURS = 6
"""Hours at whose end the urgent devices of 24 hours are counted."""
MONTH, WEEK = 30 * DAY, 7 * DAY


def _scores(watched: Watched) -> DataFrame:
    """By run: the fleet, and flagged shares of its slices."""
    rows = watched["model_drift_metrics"].withColumn("run", F.unix_timestamp("scored_at"))
    whole = F.col("slice_name") == ALL
    n, run, model = F.col("devices_scored"), F.col("run"), F.col("model_id")
    here = F.when(whole, model)
    part = F.when(~whole, F.concat_ws(" ", model, F.col("slice_name"), F.col("slice_value")))
    target = F.lit(watched.profile.model.flagged_share.value)
    told = [
        figure("score_mean", F.col("score_mean"), dimension=here, period=run, rows=n),
        figure("flagged_share", F.col("anomaly_rate"), dimension=here, period=run, rows=n, expected=target),
        figure("score_deviation", F.col("score_std"), dimension=here, period=run, rows=n),
        figure("score_p95", F.col("score_p95"), dimension=here, period=run, rows=n),
        figure("slice_flagged_share", F.col("anomaly_rate"), dimension=part, period=run, rows=n),
        *(
            figure(
                "score_statistic",
                F.col(name),
                dimension=F.when(whole, F.concat_ws(" ", model, F.lit(name))),
                period=run,
                rows=n,
            )
            for name in ("score_mean", "score_std", "score_p50", "score_p90", "score_p95", "score_p99")
        ),
        # null without an earlier run, which is too little and no failure
        figure(
            "score_divergence",
            F.coalesce("kl_vs_30d", F.lit(0.0)),
            dimension=here,
            period=run,
            rows=F.when(F.col("kl_vs_30d").isNotNull(), n).otherwise(TOO_LITTLE),
        ),
        figure(
            "flag_flips",
            F.coalesce("flag_flip_rate", F.lit(0.0)),
            dimension=here,
            period=run,
            rows=F.col("devices_flagged_in_either"),
        ),
        figure(
            "rank_correlation",
            F.coalesce("rank_correlation", F.lit(1.0)),
            dimension=here,
            period=run,
            rows=F.col("devices_in_both"),
        ),
    ]
    return figures(rows, *told)


def _agreement(watched: Watched) -> DataFrame:
    rows = watched["model_agreement_metrics"].withColumn(
        "day", F.unix_timestamp(F.col("evaluation_date").cast("timestamp"))
    )
    pair, day, n = F.col("pair_id"), F.col("day"), F.col("devices_compared")
    overlap = F.col("jaccard_flagged")
    return figures(
        rows,
        figure("jaccard", overlap, dimension=F.when((pair != ALL) & overlap.isNotNull(), pair), period=day, rows=n),
        figure("plain_agreement", F.col("agreement_rate"), dimension=pair, period=day, rows=n),
        figure("strong_disagreement", F.col("high_disagreement_devices"), dimension=pair, period=day, rows=n),
    )


def _runs(watched: Watched) -> DataFrame:
    """By run, and over the last week and month before the newest."""
    rows = watched["scoring_run_metrics"].withColumn("at", F.unix_timestamp("scheduled_at"))
    model, at = F.col("model_id"), F.col("at")
    left_out = F.col("excluded_low_completeness") + F.col("excluded_unimputable")
    scored = F.col("outcome") == "SUCCEEDED"
    each = figures(
        rows,
        figure(
            "scoring_coverage",
            share(F.col("devices_scored"), F.col("devices_eligible")),
            dimension=F.when(scored & (F.col("devices_eligible") > 0), model),
            period=at,
        ),
        figure(
            "excluded_share",
            share(left_out, left_out + F.col("rows_scored")),
            dimension=F.when(scored & (left_out + F.col("rows_scored") > 0), model),
            period=at,
        ),
        figure(
            "score_age_minutes",
            F.col("score_age_minutes"),
            dimension=F.when(F.col("score_age_minutes").isNotNull(), model),
            period=at,
        ),
        figure(
            "devices_per_minute",
            F.col("devices_per_minute"),
            dimension=F.when(F.col("devices_per_minute").isNotNull(), model),
            period=at,
        ),
    )
    timed = with_data_time(rows, rows, "_newest", F.col("scheduled_at")).withColumn(
        "age", F.unix_timestamp("_newest") - at
    )
    took = (F.unix_timestamp("finished_at") - F.unix_timestamp("features_available_at")) / 60.0
    spans = timed.groupBy("model_id").agg(
        counted(F.col("age") < MONTH).alias("runs"),
        counted((F.col("age") < MONTH) & scored).alias("good"),
        F.percentile(F.when((F.col("age") < WEEK) & scored, took), 0.95).alias("minutes"),
    )
    return each.unionByName(
        figures(
            spans,
            figure("run_availability", share(F.col("good"), F.col("runs")), dimension=model, rows=F.col("runs")),
            figure("scoring_minutes", F.col("minutes"), dimension=F.when(F.col("minutes").isNotNull(), model)),
        )
    )


def _alerts(watched: Watched) -> DataFrame:
    """By day and severity; and at the end of each of the last hours, devices with an urgent alert in 24 hours."""
    scores = watched["model_scores"]
    alerts = watched["device_alerts"].where(~F.col("suppressed") & (F.col("alert_type") != "ANOMALY_RESOLVED"))
    span = F.broadcast(
        scores.agg(
            F.min(day_of("window_end")).alias("first"),
            F.max(day_of("window_end")).alias("last"),
            F.max(hour_of("window_end")).alias("now"),
        )
    )
    rows = alerts.withColumn("day", day_of("window_end")).withColumn("hour", hour_of("window_end"))
    counts = rows.groupBy("day", "severity").agg(F.count(F.lit(1)).alias("n"))
    # a day without alerts counts as none and not as unknown
    days = span.select(F.explode(F.sequence("first", "last", F.lit(DAY))).alias("day"))
    severities = F.explode(F.array(*map(F.lit, SEVERITIES))).alias("severity")
    grid = days.select("day", severities).join(counts, ["day", "severity"], "left")
    by_day = figures(
        grid.withColumn("n", F.coalesce("n", F.lit(0))),
        figure("alerts_raised", F.col("n"), dimension=F.col("severity"), period=F.col("day")),
    )
    urgent = rows.where(F.col("severity").isin(*URGENT)).crossJoin(span)
    age = F.col("now") - F.col("hour")
    hours = urgent.agg(
        F.max("now").alias("now"),
        *(
            F.countDistinct(F.when((age >= back * HOUR) & (age < back * HOUR + DAY), F.col("device_id"))).alias(
                f"n_{back}"
            )
            for back in range(URGENT_HOURS)
        ),
    )
    active = watched["device_registry"].where(F.col("status") == "active").agg(F.count(F.lit(1)).alias("active"))
    told = [
        figure(
            "urgent_share",
            share(F.col(f"n_{back}"), F.col("active")),
            period=F.coalesce("now", F.lit(0)) - back * HOUR,
            rows=F.col("active"),
        )
        for back in range(URGENT_HOURS)
    ]
    return by_day.unionByName(figures(hours.crossJoin(active), *told))


def _stream(watched: Watched) -> DataFrame:
    """Most urgent alerts in the fullest ten minutes of the newest day."""
    rows = watched["streaming_alerts"].where((F.col("severity") == "CRITICAL") & ~F.col("suppressed"))
    at = F.unix_timestamp("alert_created_at")
    bursts = rows.groupBy(F.floor(at / 600).alias("slot")).agg(F.count(F.lit(1)).alias("n"))
    newest = bursts.agg(F.max("slot").alias("last"))
    recent = bursts.crossJoin(newest).where(F.col("slot") > F.col("last") - DAY // 600)
    most = recent.agg(F.coalesce(F.max("n"), F.lit(0)).alias("n"))
    return figures(most, figure("streaming_burst", F.col("n")))


def _no_stream(profile: Profile) -> str | None:
    return None if profile.streaming else "the profile declares no streaming rules"


def _effectiveness(watched: Watched) -> DataFrame:
    """By week over the severities together; and each region against the fleet."""
    rows = watched["alert_effectiveness_metrics"].withColumn(
        "week", F.unix_timestamp(F.col("week_start").cast("timestamp"))
    )
    model, week, reviewed = F.col("model_id"), F.col("week"), F.col("alerts_reviewed")
    urgent = F.col("severity").isin(*URGENT) & (F.col("region") == ALL)
    weeks = (
        rows.where(urgent)
        .groupBy("model_id", "week")
        .agg(
            F.sum("alerts_reviewed").alias("alerts_reviewed"),
            F.sum("alerts_false_positive").alias("wrong"),
            F.sum("alerts_total").alias("total"),
            F.sum(F.col("acknowledged_in_sla_rate") * F.col("alerts_total")).alias("in_time"),
        )
    )
    rates = figures(
        weeks,
        figure(
            "false_positives",
            share(F.col("wrong"), reviewed),
            dimension=F.when(reviewed > 0, model),
            period=week,
            rows=reviewed,
        ),
        figure(
            "acknowledged_in_time",
            F.col("in_time") / F.col("total"),
            dimension=F.when(F.col("in_time").isNotNull(), model),
            period=week,
            rows=F.col("total"),
        ),
    )
    fleet = rows.where((F.col("severity") == ALL) & (F.col("region") == ALL))
    work = figures(
        fleet,
        figure(
            "maintenance_lift",
            F.col("maintenance_lift"),
            dimension=F.when(F.col("maintenance_lift").isNotNull(), model),
            period=week,
        ),
        figure(
            "lead_time",
            F.col("median_lead_time_hours"),
            dimension=F.when(F.col("median_lead_time_hours").isNotNull(), model),
            period=week,
        ),
    )
    whole = fleet.select("model_id", "week", share(F.col("alerts_false_positive"), reviewed).alias("expected"))
    regions = rows.where((F.col("severity") == ALL) & (F.col("region") != ALL)).join(whole, ["model_id", "week"])
    by_region = figures(
        regions.where(reviewed > 0),
        figure(
            "slice_false_positives",
            F.col("alerts_false_positive") / reviewed,
            dimension=F.concat_ws(" ", model, F.col("region")),
            period=week,
            expected=F.col("expected"),
            rows=reviewed,
        ),
    )
    return rates.unionByName(work).unionByName(by_region)


_PAIRS = ("jaccard", "plain_agreement", "strong_disagreement")
_EFFECTS = ("false_positives", "slice_false_positives", "acknowledged_in_time", "maintenance_lift", "lead_time")

PASSES = (
    Pass(
        (
            "score_mean",
            "flagged_share",
            "score_deviation",
            "score_p95",
            "score_divergence",
            "score_statistic",
            "flag_flips",
            "rank_correlation",
            "slice_flagged_share",
        ),
        ("model_drift_metrics",),
        _scores,
        quiet={"slice_flagged_share": "the registry names no cohort, region or model"},
    ),
    Pass(_PAIRS, ("model_agreement_metrics",), _agreement, quiet=dict.fromkeys(_PAIRS, "one model scores this fleet")),
    Pass(
        (
            "scoring_coverage",
            "excluded_share",
            "score_age_minutes",
            "devices_per_minute",
            "run_availability",
            "scoring_minutes",
        ),
        ("scoring_run_metrics",),
        _runs,
        quiet={
            "devices_per_minute": "no clock is read while scoring",
            "scoring_minutes": "no run of the week succeeded; availability says so",
            "score_age_minutes": "there is no score yet",
            "scoring_coverage": "no run had an eligible device",
            "excluded_share": "no run had a window to score",
        },
    ),
    Pass(("alerts_raised", "urgent_share"), ("device_alerts", "model_scores", "device_registry"), _alerts),
    Pass(("streaming_burst",), ("streaming_alerts",), _stream, _no_stream),
    Pass(
        _EFFECTS,
        ("alert_effectiveness_metrics",),
        _effectiveness,
        quiet=dict.fromkeys(_EFFECTS, "no alert was reviewed, or no maintenance was recorded"),
    ),
)
