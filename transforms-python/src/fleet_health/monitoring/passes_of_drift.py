"""Figures of drift: features, raw sensors, and whether the same value is the same everywhere."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.consistency import OFFLINE_VS_MODEL_INPUT, OFFLINE_VS_ONTOLOGY
from fleet_health.monitoring.drift_rows import VECTOR
from fleet_health.monitoring.judgement import ALL
from fleet_health.monitoring.measured import TOO_LITTLE, Pass, Watched, counted, figure, figures
from fleet_health.monitoring.triage import MODERATE, SIGNIFICANT

KS = 0.10
_FLEET = (
    "features_in_significant_drift",
    "features_in_moderate_drift",
    "features_apart",
    "drifted_share",
    "sudden_psi",
)
_OF_FEATURE = {
    "psi": "psi_value",
    "ks": "ks_statistic",
    "mean_shift": "mean_shift_sigma",
    "null_rate_delta": "null_rate_delta",
    "out_of_range_fraction": "out_of_range_fraction",
    "soft_band_fraction": "soft_band_fraction",
    "extreme_fraction": "extreme_fraction",
}


def _features(watched: Watched) -> DataFrame:
    """The rows of the fleet as a whole; a feature of which nothing can be said has no figure of it."""
    dated = watched["feature_drift_metrics"].withColumn("at", F.unix_timestamp("scoring_window_start"))
    rows, at = dated.where(F.col("slice_name") == ALL), F.col("at")
    name, psi = F.col("feature_name"), F.col("psi_value")
    single = ~name.contains(":") & (name != VECTOR)
    enough = F.col("triage").isNull() | (F.col("triage") != "too_few_rows")
    told = [
        figure(
            measure,
            F.col(column),
            dimension=F.when(single & enough & F.col(column).isNotNull(), name),
            period=at,
            rows=F.col("current_row_count"),
        )
        for measure, column in _OF_FEATURE.items()
    ]
    of_group = F.when(name.startswith("group:") & psi.isNotNull(), F.substring_index(name, ":", -1))
    of_mix = F.when(name.startswith("category:"), F.substring_index(name, ":", -1))
    together = F.when(name == VECTOR, F.lit(ALL))
    linked = F.col("correlation_change")
    told += [
        figure("group_psi", psi, dimension=of_group, period=at),
        figure("category_drift", F.col("cramers_v"), dimension=of_mix, period=at),
        figure("correlation_change", linked, dimension=F.when(linked.isNotNull(), together), period=at),
        figure("mmd_p_value", F.col("mmd_p_value"), dimension=together, period=at),
    ]
    judged = rows.where(single & psi.isNotNull())
    whole = judged.groupBy("at").agg(
        F.count(F.lit(1)).alias("n"),
        counted(F.col("ks_statistic") > KS).alias("apart"),
        counted(psi > SIGNIFICANT).alias("significant"),
        counted(psi > MODERATE).alias("moderate"),
        F.max(F.when(F.col("psi_day_before") > SIGNIFICANT, psi)).alias("sudden"),
    )
    fleet = figures(
        whole,
        figure("features_in_significant_drift", F.col("significant"), period=at),
        figure("features_in_moderate_drift", F.col("moderate"), period=at),
        figure("features_apart", F.col("apart"), period=at),
        figure("drifted_share", F.col("significant") / F.col("n"), period=at),
        figure("sudden_psi", F.coalesce("sudden", F.lit(0.0)), period=at),
    )
    # tells a drift that was measured and is too little to judge from one that was not measured at all
    looked = rows.where(single & ~enough).limit(1)
    too_few = figures(
        looked,
        *(figure(measure, F.lit(0.0), rows=F.lit(TOO_LITTLE)) for measure in (*_OF_FEATURE, *_FLEET, "group_psi")),
    )
    return figures(rows, *told).unionByName(fleet).unionByName(too_few)


def _sensors(watched: Watched) -> DataFrame:
    """By sensor and day; too few days before give no figure of the distance."""
    rows = watched["ingestion_distribution_stats"].where(F.col("slice_name") == ALL)
    sigma = F.abs("deviation_sigma")
    short = F.col("deviation_sigma").isNull()
    return figures(
        rows,
        figure(
            "sensor_shift",
            F.coalesce(sigma, F.lit(0.0)),
            dimension=F.col("sensor_name"),
            period=F.unix_timestamp("period_start"),
            rows=F.when(short, F.lit(TOO_LITTLE)),
        ),
    )


def _consistency(watched: Watched) -> DataFrame:
    """The newest comparison of each kind: pairs that differ, over pairs."""
    rows = watched["consistency_check_metrics"]
    by_check = rows.groupBy("check_id", F.unix_timestamp("checked_at").alias("at")).agg(
        (F.sum("mismatches") / F.sum("pairs_compared")).alias("rate"), F.max("sync_lag_minutes").alias("lag")
    )
    check, at = F.col("check_id"), F.col("at")
    return figures(
        by_check,
        figure(
            "training_serving_skew",
            F.col("rate"),
            dimension=F.when(check == OFFLINE_VS_MODEL_INPUT, F.lit(ALL)),
            period=at,
        ),
        figure(
            "online_offline_skew", F.col("rate"), dimension=F.when(check == OFFLINE_VS_ONTOLOGY, F.lit(ALL)), period=at
        ),
        figure("sync_lag_minutes", F.col("lag"), dimension=F.when(F.col("lag").isNotNull(), F.lit(ALL)), period=at),
    )


PASSES = (
    Pass(
        (*_OF_FEATURE, *_FLEET, "group_psi", "category_drift", "correlation_change", "mmd_p_value"),
        ("feature_drift_metrics",),
        _features,
        quiet={
            "mmd_p_value": "whole vectors are compared only when several features moved",
            "correlation_change": "whole vectors are compared only when several features moved",
            "category_drift": "training knows no parts of this fleet",
        },
    ),
    Pass(("sensor_shift",), ("ingestion_distribution_stats",), _sensors),
    Pass(
        ("training_serving_skew", "online_offline_skew", "sync_lag_minutes"),
        ("consistency_check_metrics",),
        _consistency,
        quiet={
            "sync_lag_minutes": "no time-series index is synchronised",
            "online_offline_skew": "the profile shows no feature on the device",
            "training_serving_skew": "nothing was compared yet",
        },
    ),
)
