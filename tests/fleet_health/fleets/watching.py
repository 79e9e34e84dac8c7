"""The steps that look at a built fleet, in the order in which each finds what it reads."""

WATCH = (
    "flag_dropouts",
    "summarise_quality",
    "publish_drift_baselines",
    "measure_drift",
    "measure_scores",
    "compare_models",
    "measure_health",
    "raise_quality_alerts",
    "trigger_retraining",
)
