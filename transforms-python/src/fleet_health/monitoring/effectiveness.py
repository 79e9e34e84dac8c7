"""``alert_effectiveness_metrics``: whether alerts led to useful work, week by week."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.conform import conform
from fleet_health.contracts.labels import MAINTENANCE, MAINTENANCE_SYSTEM
from fleet_health.contracts.monitoring import EFFECTIVENESS_SCHEMA
from fleet_health.monitoring.judgement import ALL
from fleet_health.monitoring.measured import DAY

REVIEWED = ("RESOLVED", "FALSE_POSITIVE")
LEAST_REVIEWED = 30
"""Below so many the rate is off by more than seven points by chance alone, so there is none."""
WITHIN_DAYS = 7


def effectiveness(alerts: DataFrame, labels: DataFrame | None, registry: DataFrame) -> DataFrame:
    """The rows of contract M6, by week, model, severity and region.

    Args:
        alerts: ``device_alerts``; suppressed ones and notices that an anomaly ended are no alerts.
        labels: ``label_events``, which tell maintenance and confirmed failures; without them hit rate, lift and lead
            time are null.
        registry: every active unit is one that could have been flagged.
    """
    active = registry.where(F.col("status") == "active").select("device_id", "region")
    raised = alerts.where(~F.col("suppressed") & (F.col("alert_type") != "ANOMALY_RESOLVED"))
    placed = raised.join(F.broadcast(active), "device_id", "left")
    week = F.to_date(F.date_trunc("week", "alert_created_at"))
    every = placed.select(
        "device_id",
        "model_id",
        "status",
        "sla_breached",
        "resolved_at",
        "sla_deadline",
        "first_detected_at",
        week.alias("week_start"),
        F.explode(F.array(F.lit(ALL), "severity")).alias("severity"),
        "region",
    )
    cut = every.withColumn("region", F.explode(F.array(F.lit(ALL), "region"))).where(F.col("region").isNotNull())
    rows = _followed(cut, labels)
    made = rows.groupBy("week_start", "model_id", "severity", "region").agg(*_counts(labels is not None))
    reviewed = F.col("alerts_reviewed")
    rates = made.withColumns(
        {
            "false_positive_rate": F.when(reviewed >= LEAST_REVIEWED, F.col("alerts_false_positive") / reviewed),
            "maintenance_hit_rate": F.col("_followed") / F.col("alerts_total"),
        }
    )
    newest = F.broadcast(alerts.agg(F.max("alert_created_at").alias("computed_at")))
    return conform(_with_lift(rates, labels, active).crossJoin(newest), EFFECTIVENESS_SCHEMA)


def _counts(known: bool) -> list[Column]:
    status, nothing = F.col("status"), F.lit(None).cast("double")
    answered = status.isin("ACKNOWLEDGED", *REVIEWED) | F.col("sla_breached")
    return [
        F.count(F.lit(1)).alias("alerts_total"),
        F.count(F.when(status.isin(*REVIEWED), 1)).alias("alerts_reviewed"),
        F.count(F.when(status == "FALSE_POSITIVE", 1)).alias("alerts_false_positive"),
        F.avg(F.when(answered, (~F.col("sla_breached")).cast("double"))).alias("acknowledged_in_sla_rate"),
        (F.count("_hours").cast("double") if known else nothing).alias("_followed"),
        (F.percentile("_hours", 0.5) if known else nothing).alias("median_lead_time_hours"),
        F.countDistinct(F.when(F.col("_hours").isNotNull(), F.col("device_id"))).alias("_repaired"),
        F.countDistinct("device_id").alias("_flagged"),
    ]


def _followed(alerts: DataFrame, labels: DataFrame | None) -> DataFrame:
    """``_hours`` from the first flag to the next maintenance of the device, null beyond a week."""
    if labels is None:
        return alerts.withColumn("_hours", F.lit(None).cast("double"))
    # a maintenance system knows days, and its event begins one: whoever was called that day came before it was over
    by_day = F.when(F.col("label_source") == MAINTENANCE_SYSTEM, DAY).otherwise(0)
    at = F.unix_timestamp("event_timestamp") + by_day
    work = labels.where(F.col("label_type").isin(*MAINTENANCE))
    done = work.groupBy("device_id").agg(F.collect_list(at).alias("_done"))
    start = F.unix_timestamp("first_detected_at")
    # compared as plain numbers of one row, so that a device with many repairs multiplies no alert
    rows = alerts.join(done, "device_id", "left").withColumn("_start", start)
    inside = F.filter("_done", lambda at: (at >= F.col("_start")) & (at <= F.col("_start") + WITHIN_DAYS * DAY))
    return rows.withColumn("_hours", (F.array_min(inside) - F.col("_start")) / 3600.0)


def _with_lift(rows: DataFrame, labels: DataFrame | None, active: DataFrame) -> DataFrame:
    """Share of flagged devices with maintenance in the week, over that of the devices that were not flagged."""
    if labels is None:
        return rows.withColumn("maintenance_lift", F.lit(None).cast("double"))
    week = F.to_date(F.date_trunc("week", "event_timestamp"))
    done = labels.where(F.col("label_type").isin(*MAINTENANCE)).groupBy(week.alias("week_start"))
    repaired = done.agg(F.countDistinct("device_id").alias("_all_repaired"))
    fleet = F.broadcast(active.agg(F.count(F.lit(1)).alias("_devices")))
    both = rows.join(repaired, "week_start", "left").crossJoin(fleet)
    others = F.col("_devices") - F.col("_flagged")
    others_repaired = F.coalesce("_all_repaired", F.lit(0)) - F.col("_repaired")
    rate = F.when((others > 0) & (others_repaired > 0), others_repaired / others)
    return both.withColumn("maintenance_lift", (F.col("_repaired") / F.col("_flagged")) / rate)
