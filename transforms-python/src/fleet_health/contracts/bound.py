"""Which checks ride on which dataset. Limits come from the profile, rules and reasons from the contracts."""

from __future__ import annotations

from fleet_health.contracts import alerts, clean, features, monitoring, raw, registry, runs, scores, streaming, training
from fleet_health.contracts.checks import (
    in_range,
    in_set,
    matches,
    non_null,
    not_after,
    not_empty,
    primary_key,
    schema_equals,
)
from fleet_health.contracts.labels import LABEL_SCHEMA, LABEL_SOURCES, LABEL_TYPES
from fleet_health.profiles.model import Profile
from transforms import expectations as E
from transforms.api import Check

_MODEL_ID = r"^(isolation_forest|statistical_baseline|autoencoder|dbscan_cohort|threshold_fallback)_v[0-9]+$"
_SOURCE_ID = _MODEL_ID.replace("threshold_fallback", "threshold_fallback|streaming_rules")


def raw_checks(profile: Profile) -> list[Check]:
    identity = ("event_id", "device_id", "timestamp_device", "timestamp_ingested", "_partition_key", "_sequence_number")
    order = "per-device order holds only while the device is the partition key"
    return [
        schema_equals("RAW-01", raw.raw_schema(profile)),
        *non_null("RAW-02", identity, "no later rule works without identity, clocks and order"),
        Check(E.col("_partition_key").equals_col("device_id"), "RAW-06 partition key is the device", "WARN", order),
    ]


def malformed_checks() -> list[Check]:
    return [
        schema_equals("MAL-00", raw.MALFORMED_SCHEMA),
        in_set("MAL-01", "reason", clean.UNREAD_REASONS, "a reason nobody knows cannot be routed to an owner"),
    ]


def clean_checks(profile: Profile) -> list[Check]:
    mandatory = ("event_id", "device_id", "timestamp_utc", "quality_flags", "sensor_null_count")
    count = len(profile.sensors)
    return [
        schema_equals("CLN-01", clean.clean_schema(profile)),
        primary_key("CLN-02", ["event_id"], "double rows inflate every aggregate"),
        *non_null("CLN-03", mandatory, "identity, time and quality verdict are mandatory"),
        Check(
            E.col("device_id").is_in_foreign_col(E.dataset_ref("registry").col("device_id")),
            "CLN-04 device is registered",
            description="unknown senders belong in quarantine",
        ),
        *(
            in_range("CLN-05", sensor.name, sensor.min, sensor.max, sensor.reason or "")
            for sensor in profile.sensors
            if sensor.type == "double"
        ),
        in_range("CLN-19", "sensor_null_count", 0, count, f"the profile has {count} sensors"),
        in_set(
            "CLN-20",
            "quality_flags",
            clean.CLEAN_FLAGS,
            "flags are additive; a new one is worth a look but not a stop",
            warn=True,
        ),
    ]


def quarantine_checks(profile: Profile) -> list[Check]:
    return [
        schema_equals("QUA-00", clean.quarantine_schema(profile)),
        primary_key("QUA-01", ["event_id"], "a replay must not create double rows"),
        in_set("QUA-02", "quarantine_reason", clean.QUARANTINE_REASONS, "a reason nobody knows cannot be triaged"),
    ]


def dead_letter_checks() -> list[Check]:
    return [
        schema_equals("DLQ-00", clean.DEAD_LETTER_SCHEMA),
        primary_key("DLQ-01", ["dead_letter_id"], "re-runs must not count the same message twice"),
        in_set("DLQ-02", "reason", clean.DEAD_LETTER_REASONS, "a reason nobody knows cannot be routed to an owner"),
    ]


def registry_checks() -> list[Check]:
    needed = ("site_id", "status", "expected_readings_per_hour")
    return [
        schema_equals("REG-00", registry.REGISTRY_SCHEMA),
        primary_key("REG-01", ["device_id"], "a double registry row would multiply readings in the join"),
        *non_null("REG-02", needed, "alerts need a site, dropout needs an expected rate"),
        in_set("REG-03", "status", registry.STATUSES, "coverage denominators depend on it"),
    ]


def feature_checks(profile: Profile) -> list[Check]:
    key = ["device_id", "window_start", "window_duration_minutes"]
    bounded = []
    for feature in profile.features:
        if feature.aggregation == "fraction":
            bounded.append(in_range("FEA-11", feature.name, 0.0, 1.0, "it is a fraction"))
        elif feature.sensor is not None and feature.aggregation in ("min", "max"):
            sensor = profile.sensor(feature.sensor)
            why = "it is one of its inputs, so it cannot leave their range"
            bounded.append(in_range("FEA-13", feature.name, sensor.min, sensor.max, why))
        elif feature.aggregation == "std":
            bounded.append(in_range("FEA-13", feature.name, 0.0, None, "a deviation is not negative"))
    return [
        schema_equals("FEA-01", features.features_schema(profile)),
        primary_key("FEA-02", key, "a second row for one window means double scoring"),
        in_set("FEA-03", "window_duration_minutes", profile.windows_minutes, "only the declared lengths exist"),
        Check(
            E.col("reading_count").gt(0), "FEA-06 reading_count > 0", description="an empty window has no row at all"
        ),
        in_range("FEA-07", "sensor_completeness", 0.0, 1.0, "it is a fraction"),
        not_after("FEA-08", "quality_flag_count", "reading_count", "it counts readings"),
        not_after("FEA-04", "window_end", "computed_at", "an open window would change its values later"),
        *bounded,
    ]


def training_checks() -> list[Check]:
    key = ["snapshot_id", "assembled_at", "device_id", "window_start", "window_duration_minutes"]
    return [
        schema_equals("TRN-00", training.TRAINING_SCHEMA),
        primary_key("TRN-01", key, "double rows weigh a device twice"),
        in_range("TRN-07", "sensor_completeness", 0.5, 1.0, "contract floor; the training recipe uses 0.7"),
        not_empty("TRN-10", "a model cannot learn from nothing"),
    ]


def statistics_checks() -> list[Check]:
    key = ["model_id", "model_version", "feature_name", "window_duration_minutes"]
    return [
        schema_equals("TST-00", training.STATISTICS_SCHEMA),
        primary_key("TST-01", key, "one reference per feature and release"),
        in_range("TST-02", "training_null_rate", 0.0, 1.0, "it is a share"),
    ]


def score_checks() -> list[Check]:
    natural = ["device_id", "window_start", "window_end", "model_id", "model_version", "granularity"]
    flag, score, limit = E.col("anomaly_flag"), E.col("anomaly_score"), "threshold_used"
    agrees = E.any(E.all(flag.equals(True), score.gt_col(limit)), E.all(flag.equals(False), score.lte_col(limit)))
    same = "flag and score must tell the same story; strict comparison"
    return [
        schema_equals("SCO-00", scores.SCORES_SCHEMA),
        primary_key("SCO-01", ["score_id"], "one score per natural key"),
        primary_key("SCO-02", natural, "catches double scoring hidden by random ids"),
        in_range("SCO-03", "anomaly_score", 0.0, 1.0, "severity bands need a normalised score"),
        *non_null("SCO-04", ["anomaly_score", "anomaly_flag"], "zero invalid scores is a promise"),
        Check(agrees, "SCO-05 flag agrees with score", description=same),
        matches("SCO-06", "model_id", _MODEL_ID, "test, shadow and debug models stay out of production"),
        not_after("SCO-07", "window_end", "scored_at", "an open window must not be scored"),
        in_range("SCO-09", "sensor_completeness", 0.0, 1.0, "it is a fraction"),
        not_empty("SCO-10", "an empty run would refresh the timestamp and look healthy"),
    ]


def alert_checks() -> list[Check]:
    optional = ("top_contributors", "ontology_action_id", "resolved_at")
    mandatory = [field.name for field in alerts.ALERTS_SCHEMA if field.name not in optional]
    closed = "closed list"
    return [
        schema_equals("ALR-00", alerts.ALERTS_SCHEMA),
        primary_key("ALR-01", ["alert_id"], "an alert exists once"),
        *non_null("ALR-02", mandatory[1:], "whoever is called needs every one of them"),
        in_set("ALR-03", "severity", alerts.SEVERITIES, closed),
        in_set("ALR-04", "alert_type", alerts.ALERT_TYPES, closed),
        in_set(
            "ALR-05", "status", alerts.STATUSES, "upper case; another spelling makes the false-positive rate read zero"
        ),
        in_set("ALR-06", "escalation_level", alerts.LEVELS, closed),
        not_after("ALR-08", "first_detected_at", "alert_created_at", "detection precedes the record"),
        matches("ALR-11", "model_id", _SOURCE_ID, "every alert traces to a released source"),
    ]


def label_checks() -> list[Check]:
    key = ["device_id", "event_timestamp", "label_type", "label_source", "labeled_at"]
    return [
        schema_equals("LBL-00", LABEL_SCHEMA),
        primary_key("LBL-01", key, "repeat submissions must not count twice"),
        in_set("LBL-02", "label_type", LABEL_TYPES, "closed list"),
        in_set("LBL-03", "label_source", LABEL_SOURCES, "closed list"),
        in_range("LBL-04", "label_confidence", 0.0, 1.0, "it is a probability"),
    ]


def health_checks() -> list[Check]:
    key = ["measured_at", "metric_id", "dataset_name", "dimension"]
    return [
        schema_equals("PHM-00", monitoring.HEALTH_SCHEMA),
        primary_key("PHM-01", key, "one measurement per cell"),
        in_set("PHM-02", "status", monitoring.STATUSES, "closed list"),
        Check(
            E.any(E.col("value").non_null(), E.col("status").equals("UNKNOWN")),
            "PHM-03 measured or unknown",
            description="a failed measurement is not a pass",
        ),
    ]


def drift_checks() -> list[Check]:
    key = ["scoring_window_start", "feature_name", "window_duration_minutes", "slice_name", "slice_value", "model_id"]
    return [
        schema_equals("FDM-00", monitoring.DRIFT_SCHEMA),
        primary_key("FDM-01", [*key, "model_version"], "one measurement per cell"),
        in_set("FDM-02", "drift_severity", monitoring.DRIFT_SEVERITIES, "closed list"),
        in_range("FDM-04", "psi_value", 0.0, None, "PSI is not negative when both sides are proper shares"),
    ]


def detection_checks() -> list[Check]:
    return [
        schema_equals("DET-00", scores.DETECTION_SCHEMA),
        primary_key("DET-01", ["device_id", "unit"], "one figure per campaign and unit"),
        in_range("DET-02", "auc", 0.0, 1.0, "it is a probability"),
    ]


def conservation_checks() -> list[Check]:
    return [
        schema_equals("RCN-00", clean.CONSERVATION_SCHEMA),
        primary_key("RCN-01", ["source_file", "outcome", "reason"], "each row is counted once"),
        in_set("RCN-02", "outcome", clean.OUTCOMES, "a row has one of four fates"),
    ]


def quality_alert_checks() -> list[Check]:
    mandatory = [f.name for f in monitoring.QUALITY_ALERTS_SCHEMA if f.name != "observed"]
    return [
        schema_equals("QAL-00", monitoring.QUALITY_ALERTS_SCHEMA),
        *non_null("QAL-01", mandatory, "whoever is called needs to know what, why and what to do"),
    ]


def stream_threshold_checks(profile: Profile) -> list[Check]:
    rules = profile.streaming.rules if profile.streaming is not None else ()
    limits, averages = [rule.limit for rule in rules], [rule.average for rule in rules if rule.average is not None]
    return [
        schema_equals("STH-00", streaming.thresholds_schema(profile)),
        primary_key("STH-01", ["device_id"], "one set of limits per unit"),
        *non_null("STH-02", [limit.column for limit in limits], "a rule without its limit never fires"),
        *(in_range("STH-02", limit.column, *limit.allowed, limit.reason) for limit in limits),
        *(
            Check(
                E.any(E.col(average.column).is_null(), E.col(average.column).gt(0.0)),
                f"STH-04 {average.column} is null or positive",
                description="any multiple of zero would fire for every reading",
            )
            for average in averages
        ),
    ]


def run_checks() -> list[Check]:
    ages = ("score_age_minutes", "features_age_minutes", "scored_through")
    optional = ("finished_at", "devices_per_minute", "fallback_switch", *ages)
    mandatory = [field.name for field in runs.RUNS_SCHEMA if field.name not in optional]
    return [
        schema_equals("SRM-00", runs.RUNS_SCHEMA),
        primary_key("SRM-01", ["run_id", "model_id"], "one row per run"),
        not_after("SRM-02", "devices_scored", "devices_eligible", "coverage above one means a wrong denominator"),
        in_set("SRM-03", "outcome", runs.RUN_OUTCOMES, "closed list"),
        *non_null("SRM-04", mandatory, "a run whose outcome nobody knows looks like a good one"),
        in_set("SRM-05", "band", runs.BANDS, "closed list"),
        in_set("SRM-06", "fallback_switch", runs.SWITCHES, "closed list", nullable=True),
    ]


def fallback_score_checks() -> list[Check]:
    """Those of scores, but no rows are the ordinary case: nothing stands in while a model scores."""
    return [check for check in score_checks() if not check.name.startswith("SCO-10")]
