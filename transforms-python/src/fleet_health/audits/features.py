"""Measures of windows, training rows, drift, and of the sensors behind them."""

from __future__ import annotations

from typing import Any

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.audits.measured import Audited, Group, counted, lasting, result, share
from fleet_health.data_time import with_data_time

FAR = 10.0
"""Interquartile ranges beyond a quartile at which a value is far outside."""
FLEET = 100
"""Devices below which one failing unit alone is more than one row in a hundred, so that shares say nothing."""
DRIFTED = ("significant", "emergency")


def _alignment(audited: Audited) -> DataFrame:
    length = F.col("window_duration_minutes").cast("long") * 60_000_000
    astray = F.pmod(F.unix_micros("window_start"), length) != 0
    return audited["device_features"].agg(result(counted(astray), F.count(F.lit(1)), "misaligned_windows"))


def newest_day(audited: Audited) -> DataFrame:
    """Windows of the model's length that ended in the last 24 hours of the dataset."""
    length = audited.profile.model.window_duration_minutes
    rows = audited["device_features"].where(F.col("window_duration_minutes") == length)
    return lasting(rows, "window_end", 24)


def reference(audited: Audited) -> pd.DataFrame:
    """The training statistics of the profile's model version, by feature; features that training never saw left out."""
    rows, model = audited.statistics, audited.profile.model
    of_model = (rows["model_id"] == model.model_id) & (rows["model_version"] == model.model_version)
    return rows[of_model].dropna(subset=["training_p50"]).set_index("feature_name")


def _distances(audited: Audited) -> DataFrame:
    """The worst feature: share outside the training band, and share far outside, where the quartiles differ."""
    rows, statistics = newest_day(audited), reference(audited)
    band, far = [], []
    for name, told in statistics.iterrows():
        value, present = F.col(str(name)), F.count(F.col(str(name)))
        band.append(share(counted(_beyond(value, told["training_p0_1"], told["training_p99_9"])), present))
        spread = FAR * (told["training_p75"] - told["training_p25"])
        if spread > 0.0:
            limits = told["training_p25"] - spread, told["training_p75"] + spread
            far.append(share(counted(_beyond(value, *limits)), present))
    n, worst = F.count(F.lit(1)), _worst(far)
    in_fleet = F.when(F.countDistinct("device_id") >= FLEET, worst)
    return rows.agg(
        result(_worst(band), n, "outside_training_band"),
        result(worst, n, "far_outside_training"),
        result(in_fleet, n, "far_outside_training_in_a_fleet"),
    )


def _beyond(value: Column, low: Any, high: Any) -> Column:
    return (value < F.lit(float(low))) | (value > F.lit(float(high)))


def _worst(shares: list[Column]) -> Column:
    return F.array_max(F.array(*shares)) if shares else F.lit(None)


def _coverage(audited: Audited) -> DataFrame:
    """Active devices that sent in the newest closed window of the shortest length, and those with a row for it."""
    shortest = min(audited.profile.windows_minutes)
    windows = audited["device_features"].where(F.col("window_duration_minutes") == shortest)
    newest = with_data_time(windows, windows, "_newest", F.col("window_end")).where(
        F.col("window_end") == F.col("_newest")
    )
    seen = newest.select("device_id", F.lit(True).alias("seen")).distinct()
    until = windows.agg(F.max("window_end").alias("_until"))
    readings = audited["clean_sensor_readings"].crossJoin(F.broadcast(until))
    since = F.unix_micros("_until") - F.lit(shortest * 60_000_000)
    inside = (F.unix_micros("timestamp_utc") >= since) & (F.col("timestamp_utc") < F.col("_until"))
    sent = readings.where(inside).select("device_id").distinct()
    active = audited["device_registry"].where(F.col("status") == "active").select("device_id")
    n = F.count(F.lit(1))
    devices = sent.join(active, "device_id").join(seen, "device_id", "left")
    return devices.agg(result(share(counted(F.col("seen")), n), n, "devices_with_newest_window"))


def _training(audited: Audited) -> DataFrame:
    """The most feature lists that one assembly has."""
    assemblies = audited["training_data"].groupBy("snapshot_id", "assembled_at")
    lists = assemblies.agg(F.countDistinct("feature_names").alias("lists"))
    return lists.agg(result(F.max("lists"), F.count(F.lit(1)), "feature_lists_per_assembly"))


def _drift(audited: Audited) -> DataFrame:
    """Features without a row in the newest period, and the share of those that moved, at the model's window length."""
    # rows of groups, mixes and whole vectors are no features
    single = ~F.col("feature_name").rlike("^(group:|category:|__)")
    of_length = F.col("window_duration_minutes") == audited.profile.model.window_duration_minutes
    rows = audited["feature_drift_metrics"].where(of_length & (F.col("slice_name") == "ALL") & single)
    start = "scoring_window_start"
    newest = with_data_time(rows, rows, "_newest", F.col(start)).where(F.col(start) == F.col("_newest"))
    expected = [str(name) for name in reference(audited).index]
    found = F.size(
        F.array_intersect(F.collect_set("feature_name"), F.array(*map(F.lit, expected)).cast("array<string>"))
    )
    n = F.count(F.lit(1))
    return newest.agg(
        result(F.lit(len(expected)) - found, F.lit(len(expected)), "features_without_drift"),
        result(share(counted(F.col("drift_severity").isin(*DRIFTED)), n), n, "drifted_share"),
    )


def _sensors(audited: Audited) -> DataFrame:
    """Sensors of the whole fleet that shifted on the newest day."""
    rows = audited["ingestion_distribution_stats"].where(F.col("slice_name") == "ALL")
    newest = with_data_time(rows, rows, "_newest", F.col("period_start"))
    newest = newest.where(F.col("period_start") == F.col("_newest"))
    return newest.agg(result(counted(F.col("shift_detected")), F.count(F.lit(1)), "shifted_sensors"))


def _baselines(audited: Audited) -> DataFrame:
    model = audited.profile.model
    of_model = (F.col("model_id") == model.model_id) & (F.col("model_version") == model.model_version)
    rows = audited["feature_baselines"].where(of_model & (F.col("granularity") == "fleet"))
    expected = [str(name) for name in reference(audited).index]
    found = F.size(
        F.array_intersect(F.collect_set("feature_name"), F.array(*map(F.lit, expected)).cast("array<string>"))
    )
    missing = F.lit(len(expected)) - found
    return rows.agg(result(missing, F.lit(len(expected)), "features_without_baseline"))


GROUPS = (
    Group(("misaligned_windows",), ("device_features",), _alignment),
    Group(
        ("outside_training_band", "far_outside_training", "far_outside_training_in_a_fleet"),
        ("device_features", "training_statistics"),
        _distances,
    ),
    Group(
        ("devices_with_newest_window",),
        ("device_features", "clean_sensor_readings", "device_registry"),
        _coverage,
    ),
    Group(("feature_lists_per_assembly",), ("training_data",), _training),
    Group(("features_without_drift", "drifted_share"), ("feature_drift_metrics", "training_statistics"), _drift),
    Group(("shifted_sensors",), ("ingestion_distribution_stats",), _sensors),
    Group(("features_without_baseline",), ("feature_baselines", "training_statistics"), _baselines),
)
