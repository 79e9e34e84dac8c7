"""The datasets about the pipeline itself, in code."""

from __future__ import annotations

from fleet_health.contracts.schemas import plain_schema

HEALTH_SCHEMA = plain_schema("pipeline_health_metrics")
COVERAGE_SCHEMA = plain_schema("metric_coverage")
DRIFT_SCHEMA = plain_schema("feature_drift_metrics")
DRIFT_BASELINES_SCHEMA = plain_schema("drift_baselines")
QUALITY_ALERTS_SCHEMA = plain_schema("quality_alerts")
SUMMARY_SCHEMA = plain_schema("data_quality_daily_summary")
DROPOUT_SCHEMA = plain_schema("device_dropout_flags")
SENSOR_STATISTICS_SCHEMA = plain_schema("ingestion_distribution_stats")
SCORE_DRIFT_SCHEMA = plain_schema("model_drift_metrics")
AGREEMENT_SCHEMA = plain_schema("model_agreement_metrics")
EFFECTIVENESS_SCHEMA = plain_schema("alert_effectiveness_metrics")
RETRAINING_SCHEMA = plain_schema("retraining_triggers")
