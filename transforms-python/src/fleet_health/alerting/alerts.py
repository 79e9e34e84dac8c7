"""``device_alerts``: events with site, words, deadline and workflow columns."""

from __future__ import annotations

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.alerting.events import events_frame
from fleet_health.contracts.alerts import ALERTS_SCHEMA, EVENT_SCHEMA
from fleet_health.contracts.conform import conform
from fleet_health.ids import natural_key_id
from fleet_health.profiles.model import Profile

UNKNOWN_SITE = "UNKNOWN_SITE"


def device_alerts(scores: DataFrame, registry: DataFrame, profile: Profile) -> DataFrame:
    """The rows of contract 6.

    Args:
        scores: ``model_scores`` of every released model.
        registry: ``device_registry``; gives the site.
        profile: severities and deduplication.

    Returns:
        one row per event, suppressed ones included. ``alert_created_at`` is the instant at which data time closes
        the window, so a rebuild over more data gives the same rows and the same deadlines.
    """
    rules = profile.alerting

    def of_device(rows: pd.DataFrame) -> pd.DataFrame:
        return events_frame(rows, rules)

    events = scores.groupBy("device_id", "window_duration_minutes").applyInPandas(of_device, EVENT_SCHEMA)
    events = events.withColumn("alert_created_at", F.col("window_end"))
    sites = registry.select("device_id", "site_id")
    rows = events.join(F.broadcast(sites), "device_id", "left")
    resolved = F.col("alert_type") == "ANOMALY_RESOLVED"
    key = ("device_id", "model_id")
    filled = {
        "alert_id": natural_key_id("alert", *map(F.col, key), F.unix_micros("window_end"), F.col("alert_type")),
        "site_id": F.coalesce("site_id", F.lit(UNKNOWN_SITE)),
        "title": _title(),
        "description": _description(profile),
        "ontology_action_id": F.lit(None).cast("string"),
        "status": F.when(resolved, "RESOLVED").otherwise("OPEN"),
        "resolved_at": F.when(resolved, F.col("alert_created_at")),
        "escalation_level": F.lit("L1"),
        "sla_deadline": _deadline(profile),
        "sla_breached": F.lit(False),
    }
    return conform(rows.withColumns(filled), ALERTS_SCHEMA)


def _title() -> Column:
    words = F.lower(F.regexp_replace("alert_type", "ANOMALY_", ""))
    return F.concat(F.col("severity"), F.lit(": anomaly "), words, F.lit(" on "), F.col("device_id"))


def _description(profile: Profile) -> Column:
    by_severity = F.lit("")
    for rule in profile.alerting.severities:
        hint = f" Acknowledge within {rule.acknowledge_minutes} minutes."
        by_severity = F.when(F.col("severity") == rule.severity, F.lit(hint)).otherwise(by_severity)
    who = F.coalesce(F.array_join("top_contributors", ", "), F.lit("no single feature"))
    score = F.format_string(
        "Score %.2f in the window ending %s UTC; farthest from normal: %s.", "anomaly_score", _text(), who
    )
    return F.concat(score, by_severity)


def _text() -> Column:
    return F.date_format("window_end", "yyyy-MM-dd HH:mm")


def _deadline(profile: Profile) -> Column:
    minutes = F.lit(max(rule.acknowledge_minutes for rule in profile.alerting.severities))
    for rule in profile.alerting.severities:
        minutes = F.when(F.col("severity") == rule.severity, F.lit(rule.acknowledge_minutes)).otherwise(minutes)
    return F.timestamp_micros(F.unix_micros("alert_created_at") + minutes.cast("long") * 60_000_000)
