"""Figures of scores, agreement and scoring runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from pyspark.sql import Row

from fleet_health.monitoring.judgement import ALL
from fleet_health.monitoring.measured import DAY, TOO_LITTLE, Pass, Told, Watched, figure, ratio, rows_of
from fleet_health.profiles.families import family_of

MONTH, WEEK = 30 * DAY, 7 * DAY
_STATISTICS = ("score_mean", "score_std", "score_p50", "score_p90", "score_p95", "score_p99")


def _scores(watched: Watched) -> Iterator[Told]:
    """By run: the fleet, and flagged shares of its slices."""
    targets = {model.model_id: model.flagged_share.value for model in watched.profile.every_model}
    recent = watched.recent("model_drift_metrics", "scored_at")
    told = ("model_id", "slice_name", "slice_value", "devices_scored AS n", "anomaly_rate")
    more = ("kl_vs_30d", "flag_flip_rate", "rank_correlation", "devices_flagged_in_either", "devices_in_both")
    for row in rows_of(recent, "unix_timestamp(scored_at) AS run", *told, *_STATISTICS, *more):
        if row["slice_name"] == ALL:
            # of an earlier major version the share of today's declaration
            yield from _run(row, targets.get(row["model_id"], watched.profile.model.flagged_share.value))
        else:
            part = f"{row['model_id']} {row['slice_name']} {row['slice_value']}"
            yield figure("slice_flagged_share", row["anomaly_rate"], part, row["run"], rows=row["n"])


def _run(row: Row, target: float) -> Iterator[Told]:
    """One run of a model over the whole fleet."""
    model, run, n = row["model_id"], row["run"], row["n"]
    yield figure("score_mean", row["score_mean"], model, run, rows=n)
    yield figure("flagged_share", row["anomaly_rate"], model, run, target, n)
    yield figure("score_deviation", row["score_std"], model, run, rows=n)
    yield figure("score_p95", row["score_p95"], model, run, rows=n)
    for name in _STATISTICS:
        yield figure("score_statistic", row[name], f"{model} {name}", run, rows=n)
    # null without an earlier run, which is too little and no failure
    far, flips, ranks = row["kl_vs_30d"], row["flag_flip_rate"], row["rank_correlation"]
    yield figure("score_divergence", far or 0.0, model, run, rows=TOO_LITTLE if far is None else n)
    yield figure("flag_flips", flips or 0.0, model, run, rows=row["devices_flagged_in_either"])
    yield figure("rank_correlation", 1.0 if ranks is None else ranks, model, run, rows=row["devices_in_both"])


def _agreement(watched: Watched) -> Iterator[Told]:
    told = ("pair_id", "jaccard_flagged", "agreement_rate", "high_disagreement_devices", "devices_compared AS n")
    for row in rows_of(watched["model_agreement_metrics"], "unix_timestamp(evaluation_date) AS day", *told):
        pair, day, n = row["pair_id"], row["day"], row["n"]
        if pair != ALL and row["jaccard_flagged"] is not None:
            yield figure("jaccard", row["jaccard_flagged"], pair, day, rows=n)
        yield figure("plain_agreement", row["agreement_rate"], pair, day, rows=n)
        yield figure("strong_disagreement", row["high_disagreement_devices"], pair, day, rows=n)


def _runs(watched: Watched) -> Iterator[Told]:
    """By run, and over the last week and month before the newest."""
    told = (
        "model_id",
        "outcome = 'SUCCEEDED' AS scored",
        "devices_eligible",
        "devices_scored",
        "rows_scored",
        "excluded_low_completeness + excluded_unimputable AS left_out",
        "score_age_minutes",
        "devices_per_minute",
        "(unix_timestamp(finished_at) - unix_timestamp(features_available_at)) / 60.0D AS took",
    )
    models: dict[str, list[Row]] = defaultdict(list)
    recent = watched.recent("scoring_run_metrics", "scheduled_at")
    for row in rows_of(recent, "unix_timestamp(scheduled_at) AS at", *told):
        models[row["model_id"]].append(row)
        yield from _one_run(row, watched.profile.model.family)
    newest = max((row["at"] for rows in models.values() for row in rows), default=0)
    for model, rows in models.items():
        yield from _spans(model, [row for row in rows if newest - row["at"] < MONTH], newest)


def _one_run(row: Row, leading: str) -> Iterator[Told]:
    """The age of scores is that of the first model: while another one is silent, it keeps coverage."""
    model, at, left_out = row["model_id"], row["at"], row["left_out"]
    if row["scored"] and row["devices_eligible"] > 0:
        yield figure("scoring_coverage", row["devices_scored"] / row["devices_eligible"], model, at)
    if row["scored"] and left_out + row["rows_scored"] > 0:
        yield figure("excluded_share", left_out / (left_out + row["rows_scored"]), model, at)
    if row["devices_per_minute"] is not None:
        yield figure("devices_per_minute", row["devices_per_minute"], model, at)
    if row["score_age_minutes"] is not None and family_of(model) == leading:
        yield figure("score_age_minutes", row["score_age_minutes"], model, at)


def _spans(model: str, month: list[Row], newest: int) -> Iterator[Told]:
    """Over the runs of a model in the month: those that scored, and how long those of the week took."""
    good = sum(row["scored"] for row in month)
    yield figure("run_availability", ratio(good, len(month)), model, rows=len(month))
    week = [row["took"] for row in month if newest - row["at"] < WEEK and row["scored"] and row["took"] is not None]
    if week:
        yield figure("scoring_minutes", float(np.quantile(week, 0.95)), model)


_PAIRS = ("jaccard", "plain_agreement", "strong_disagreement")

PASSES = (
    Pass(
        (
            "score_mean",
            "flagged_share",
            "score_deviation",
            "score_p95",
            "score_divergence",
            "score_statistic",
            "flag_flips",
            "rank_correlation",
            "slice_flagged_share",
        ),
        ("model_drift_metrics",),
        _scores,
        quiet={"slice_flagged_share": "the registry names no cohort, region or model"},
    ),
    Pass(_PAIRS, ("model_agreement_metrics",), _agreement, quiet=dict.fromkeys(_PAIRS, "one model is in service")),
    Pass(
        (
            "scoring_coverage",
            "excluded_share",
            "score_age_minutes",
            "devices_per_minute",
            "run_availability",
            "scoring_minutes",
        ),
        ("scoring_run_metrics",),
        _runs,
        quiet={
            "devices_per_minute": "no clock is read while scoring",
            "scoring_minutes": "no run of the week succeeded; availability says so",
            "score_age_minutes": "there is no score yet",
            "scoring_coverage": "no run had an eligible device",
            "excluded_share": "no run had a window to score",
        },
    ),
)
