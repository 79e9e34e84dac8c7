"""``device_alerts``: events with site, words, deadline and workflow columns."""

from __future__ import annotations

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.alerting.both_paths import PATHS_SCHEMA, TOLD, both_paths
from fleet_health.alerting.errors import ShadowAlertsError
from fleet_health.alerting.events import events_frame
from fleet_health.contracts.alerts import ALERTS_SCHEMA, EVENT_SCHEMA
from fleet_health.contracts.conform import conform
from fleet_health.ids import natural_key_id
from fleet_health.profiles.model import Profile

UNKNOWN_SITE = "UNKNOWN_SITE"


def device_alerts(
    scores: DataFrame, registry: DataFrame, profile: Profile, streaming: DataFrame | None = None
) -> DataFrame:
    """The rows of contract 6.

    Args:
        scores: ``model_scores`` of every released model, and of the rules that stood in for one.
        registry: ``device_registry``; gives the site.
        profile: severities and deduplication.
        streaming: ``streaming_alerts``; those of devices that the registry does not know stay there, because nobody can
            be sent to them.

    Returns:
        one row per event, suppressed ones included, and per streaming alert and answer to it. ``alert_created_at`` is
        the instant at which data time closes the window, so a rebuild over more data gives the same rows and the same
        deadlines; a streaming alert keeps its own.

    Raises:
        ShadowAlertsError: ``scores`` are those of a version that is only being tried.
    """
    if "deployment_role" in scores.columns:
        raise ShadowAlertsError("shadow_model_scores")
    rules = profile.alerting

    def of_window_length(rows: pd.DataFrame) -> pd.DataFrame:
        return events_frame(rows, rules)

    def of_device(rows: pd.DataFrame, alerts: pd.DataFrame) -> pd.DataFrame:
        return both_paths(rows, alerts, profile)

    if streaming is None:
        events = scores.groupBy("device_id", "window_duration_minutes").applyInPandas(of_window_length, EVENT_SCHEMA)
    else:
        known = streaming.join(F.broadcast(registry.select("device_id")), "device_id", "left_semi")
        paths = scores.groupBy("device_id").cogroup(known.groupBy("device_id"))
        events = paths.applyInPandas(of_device, PATHS_SCHEMA)
    own = {name: F.col(name) for name in TOLD if name in events.columns}

    def told(name: str, otherwise: Column) -> Column:
        return F.coalesce(own[name], otherwise) if name in own else otherwise

    events = events.withColumn("alert_created_at", told("alert_created_at", F.col("window_end")))
    sites = registry.select("device_id", "site_id")
    rows = events.join(F.broadcast(sites), "device_id", "left")
    resolved = F.col("alert_type") == "ANOMALY_RESOLVED"
    key = (F.col("device_id"), F.col("model_id"), F.unix_micros("window_end"), F.col("alert_type"))
    identity = natural_key_id("alert", *key)
    filled = {
        "alert_id": told("alert_id", identity),
        "site_id": F.coalesce("site_id", F.lit(UNKNOWN_SITE)),
        "title": told("title", _title()),
        "description": told("description", _description(profile)),
        "ontology_action_id": F.lit(None).cast("string"),
        "status": F.when(resolved, "RESOLVED").otherwise("OPEN"),
        "resolved_at": F.when(resolved, F.col("alert_created_at")),
        "escalation_level": told("escalation_level", F.lit("L1")),
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
