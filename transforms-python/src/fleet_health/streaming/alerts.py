"""Firings in the shape of ``device_alerts``."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.alerting.alerts import UNKNOWN_SITE
from fleet_health.alerting.severity import acknowledge_minutes
from fleet_health.contracts.alerts import ALERTS_SCHEMA
from fleet_health.contracts.conform import conform
from fleet_health.ids import natural_key_id
from fleet_health.profiles.model import Profile
from fleet_health.profiles.serving import StreamingRule
from fleet_health.streaming.rules import MINUTE, Plan


def streaming_alerts(fired: DataFrame, registry: DataFrame, profile: Profile) -> DataFrame:
    """One alert per firing, suppressed ones included.

    Args:
        fired: rows of ``FIRING_SCHEMA``, a stream or not.
        registry: ``device_registry``; gives the site.
        profile: the rules, the severity they raise and its deadline.

    Returns:
        rows of contract 6. The first contributor is the rule and the second its sensor, because silence is kept by
        device, model and first contributor. ``window_end`` is the time of the reading, ``alert_created_at`` the time
        at which it was received (never before the reading). Ids come from device, reading time and rule.
    """
    streaming = Plan.of(profile).streaming
    minutes = acknowledge_minutes(streaming.severity, profile.alerting)
    rules = {rule.id: rule for rule in streaming.rules}
    created = F.greatest("received", "time")
    key = (F.col("device_id"), F.lit(streaming.model_id), F.col("time"), F.lit("ANOMALY_DETECTED"), F.col("rule"))
    name = _by_rule({rule.id: F.lit(rule.name) for rule in rules.values()})
    filled = {
        "alert_id": natural_key_id("alert", *key),
        "site_id": F.coalesce("site_id", F.lit(UNKNOWN_SITE)),
        "alert_type": F.lit("ANOMALY_DETECTED"),
        "severity": F.lit(streaming.severity),
        "title": F.concat(F.lit(f"{streaming.severity}: "), name, F.lit(" on "), F.col("device_id")),
        "description": F.concat(
            _by_rule({rule.id: _says(rule, profile) for rule in rules.values()}),
            F.lit(f" Acknowledge within {minutes} minutes."),
        ),
        "model_id": F.lit(streaming.model_id),
        "anomaly_score": F.lit(1.0),
        "top_contributors": F.array(name, _by_rule({rule.id: F.lit(rule.sensor) for rule in rules.values()})),
        "first_detected_at": F.timestamp_micros("first"),
        "alert_created_at": F.timestamp_micros(created),
        "ontology_action_id": F.lit(None).cast("string"),
        "status": F.lit("OPEN"),
        "resolved_at": F.lit(None).cast("timestamp"),
        "escalation_level": F.lit("L1"),
        "sla_deadline": F.timestamp_micros(created + F.lit(minutes * MINUTE)),
        "sla_breached": F.lit(False),
        "window_end": F.timestamp_micros("time"),
    }
    sites = registry.select("device_id", "site_id")
    return conform(fired.join(F.broadcast(sites), "device_id", "left").withColumns(filled), ALERTS_SCHEMA)


def _by_rule(values: dict[str, Column]) -> Column:
    chosen = F.lit(None).cast("string")
    for rule, value in values.items():
        chosen = F.when(F.col("rule") == rule, value).otherwise(chosen)
    return chosen


def _says(rule: StreamingRule, profile: Profile) -> Column:
    at = F.date_format(F.timestamp_micros("time"), "yyyy-MM-dd HH:mm:ss")
    unit, reason = (text.replace("%", "%%") for text in (profile.sensor(rule.sensor).unit, rule.reason))
    return F.format_string(f"{rule.sensor} read %.2f {unit} at %s UTC; {reason}.", "value", at)
