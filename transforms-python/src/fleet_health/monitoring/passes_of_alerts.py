"""Figures of alerts: how many, how urgent, how sudden, and whether they led to useful work."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.monitoring.judgement import ALL
from fleet_health.monitoring.measured import DAY, HOUR, Pass, Watched, day_of, figure, figures, hour_of, share
from fleet_health.profiles.model import Profile

SEVERITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
URGENT = ("HIGH", "CRITICAL")
URGENT_HOURS = 6
"""Hours at whose end the urgent devices of 24 hours are counted."""


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


_EFFECTS = ("false_positives", "slice_false_positives", "acknowledged_in_time", "maintenance_lift", "lead_time")

PASSES = (
    Pass(("alerts_raised", "urgent_share"), ("device_alerts", "model_scores", "device_registry"), _alerts),
    Pass(("streaming_burst",), ("streaming_alerts",), _stream, _no_stream),
    Pass(
        _EFFECTS,
        ("alert_effectiveness_metrics",),
        _effectiveness,
        quiet=dict.fromkeys(_EFFECTS, "no alert was reviewed, or no maintenance was recorded"),
    ),
)
