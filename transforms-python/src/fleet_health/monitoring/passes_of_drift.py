"""Figures of drift: features, raw sensors, and whether the same value is the same everywhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from pyspark.sql import Row
from pyspark.sql import functions as F

from fleet_health.contracts.consistency import OFFLINE_VS_MODEL_INPUT, OFFLINE_VS_ONTOLOGY
from fleet_health.monitoring.drift_rows import VECTOR
from fleet_health.monitoring.judgement import ALL
from fleet_health.monitoring.lengths import LENGTH
from fleet_health.monitoring.measured import TOO_LITTLE, Pass, Told, Watched, figure, ratio, rows_of
from fleet_health.monitoring.triage import MODERATE, SIGNIFICANT, TOO_FEW_ROWS

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
_BESIDE = "features_drifted_beside"
_AT = "scoring_window_start"
_TOLD = (
    "feature_name",
    "triage",
    "psi_day_before",
    "current_row_count",
    "cramers_v",
    "correlation_change",
    "mmd_p_value",
)
_SKEW = {OFFLINE_VS_MODEL_INPUT: "training_serving_skew", OFFLINE_VS_ONTOLOGY: "online_offline_skew"}


def _features(watched: Watched) -> Iterator[Told]:
    """The rows of the fleet as a whole; a feature of which nothing can be said has no figure of it.

    Figures are about the length that the first model scores. At the others the same features move for the same reasons,
    so all that they show there is one figure per length.
    """
    kept = watched.recent("feature_drift_metrics", _AT).where(f"slice_name = '{ALL}'")
    scored = watched.profile.model.window_duration_minutes
    periods: dict[int, list[Row]] = defaultdict(list)
    beside: list[Row] = []
    for row in rows_of(kept, f"unix_timestamp({_AT}) AS at", LENGTH, *_TOLD, *_OF_FEATURE.values()):
        name = row["feature_name"]
        if row[LENGTH] != scored:
            beside.append(row)
            continue
        if name != VECTOR and ":" not in name and row["psi_value"] is not None:
            periods[row["at"]].append(row)
        if name == VECTOR:
            yield from _together(row)
        elif ":" in name:
            yield from _mixed(row)
        elif row["triage"] != TOO_FEW_ROWS:
            for measure, column in _OF_FEATURE.items():
                if row[column] is not None:
                    yield figure(measure, row[column], name, row["at"], rows=row["current_row_count"])
        else:
            # tells a drift that was measured and is too little to judge from one that was not measured at all
            for measure in (*_OF_FEATURE, *_FLEET, "group_psi"):
                yield figure(measure, 0.0, rows=TOO_LITTLE)
    for at, rows in periods.items():
        yield from _fleet(at, rows)
    yield from _beside(beside)


def _beside(rows: list[Row]) -> Iterator[Told]:
    """Features in significant drift of each other length and period; too few rows, or no reference, give no figure."""
    psis: dict[tuple[int, int], list[float | None]] = defaultdict(list)
    for row in rows:
        if row["feature_name"] != VECTOR and ":" not in row["feature_name"]:
            psis[row[LENGTH], row["at"]].append(row["psi_value"])
    for (minutes, at), values in psis.items():
        said = [psi for psi in values if psi is not None]
        short = None if said else TOO_LITTLE
        yield figure(_BESIDE, sum(psi > SIGNIFICANT for psi in said), str(minutes), at, rows=short)


def _together(row: Row) -> Iterator[Told]:
    if row["correlation_change"] is not None:
        yield figure("correlation_change", row["correlation_change"], period=row["at"])
    yield figure("mmd_p_value", row["mmd_p_value"], period=row["at"])


def _mixed(row: Row) -> Iterator[Told]:
    kind, _, part = row["feature_name"].partition(":")
    if kind == "group" and row["psi_value"] is not None:
        yield figure("group_psi", row["psi_value"], part, row["at"])
    elif kind == "category":
        yield figure("category_drift", row["cramers_v"], part, row["at"])


def _fleet(at: int, rows: list[Row]) -> Iterator[Told]:
    """How many features of one period moved, and how far at most one that also left the day before."""
    significant = sum(row["psi_value"] > SIGNIFICANT for row in rows)
    sudden = [row["psi_value"] for row in rows if (row["psi_day_before"] or 0.0) > SIGNIFICANT]
    yield figure("features_in_significant_drift", significant, period=at)
    yield figure("features_in_moderate_drift", sum(row["psi_value"] > MODERATE for row in rows), period=at)
    yield figure("features_apart", sum((row["ks_statistic"] or 0.0) > KS for row in rows), period=at)
    yield figure("drifted_share", significant / len(rows), period=at)
    yield figure("sudden_psi", max(sudden, default=0.0), period=at)


def _sensors(watched: Watched) -> Iterator[Told]:
    """By sensor and day; too few days before give no figure of the distance."""
    whole = watched.recent("ingestion_distribution_stats", "period_start").where(f"slice_name = '{ALL}'")
    told = ("sensor_name", "unix_timestamp(period_start) AS at", "abs(deviation_sigma) AS sigma", "restarted_share")
    for row in rows_of(whole, *told):
        if row["restarted_share"] is not None:
            yield figure("counter_restarts", row["restarted_share"], row["sensor_name"], row["at"])
        short = TOO_LITTLE if row["sigma"] is None else None
        yield figure("sensor_shift", row["sigma"] or 0.0, row["sensor_name"], row["at"], rows=short)


def _consistency(watched: Watched) -> Iterator[Told]:
    """Each comparison of each kind: pairs that differ, over pairs."""
    sums = ("sum(mismatches) AS differ", "sum(pairs_compared) AS pairs", "max(sync_lag_minutes) AS lag")
    by_check = watched["consistency_check_metrics"].groupBy("check_id", "checked_at").agg(*map(F.expr, sums))
    for row in rows_of(by_check, "*", "unix_timestamp(checked_at) AS at"):
        measure = _SKEW.get(row["check_id"])
        if measure is not None:
            yield figure(measure, ratio(row["differ"], row["pairs"]), period=row["at"])
        if row["lag"] is not None:
            yield figure("sync_lag_minutes", row["lag"], period=row["at"])


PASSES = (
    Pass(
        (*_OF_FEATURE, *_FLEET, "group_psi", "category_drift", "correlation_change", "mmd_p_value", _BESIDE),
        ("feature_drift_metrics",),
        _features,
        quiet={
            "mmd_p_value": "whole vectors are compared only when several features moved",
            "correlation_change": "whole vectors are compared only when several features moved",
            "category_drift": "training knows no parts of this fleet",
            _BESIDE: "the profile computes windows of one length only, or nothing was compared at another yet",
        },
    ),
    Pass(
        ("sensor_shift", "counter_restarts"),
        ("ingestion_distribution_stats",),
        _sensors,
        quiet={"counter_restarts": "the profile declares no sensor as `counter`, or none of them was read"},
    ),
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
