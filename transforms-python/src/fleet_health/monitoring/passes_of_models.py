"""Figures of scores, agreement and scoring runs."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.data_time import with_data_time
from fleet_health.monitoring.judgement import ALL
from fleet_health.monitoring.measured import (
    DAY,
    TOO_LITTLE,
    Pass,
    Watched,
    counted,
    figure,
    figures,
    share,
)

MONTH, WEEK = 30 * DAY, 7 * DAY


def _scores(watched: Watched) -> DataFrame:
    """By run: the fleet, and flagged shares of its slices."""
    rows = watched["model_drift_metrics"].withColumn("run", F.unix_timestamp("scored_at"))
    whole = F.col("slice_name") == ALL
    n, run, model = F.col("devices_scored"), F.col("run"), F.col("model_id")
    here = F.when(whole, model)
    part = F.when(~whole, F.concat_ws(" ", model, F.col("slice_name"), F.col("slice_value")))
    target = F.lit(watched.profile.model.flagged_share.value)
    told = [
        figure("score_mean", F.col("score_mean"), dimension=here, period=run, rows=n),
        figure("flagged_share", F.col("anomaly_rate"), dimension=here, period=run, rows=n, expected=target),
        figure("score_deviation", F.col("score_std"), dimension=here, period=run, rows=n),
        figure("score_p95", F.col("score_p95"), dimension=here, period=run, rows=n),
        figure("slice_flagged_share", F.col("anomaly_rate"), dimension=part, period=run, rows=n),
        *(
            figure(
                "score_statistic",
                F.col(name),
                dimension=F.when(whole, F.concat_ws(" ", model, F.lit(name))),
                period=run,
                rows=n,
            )
            for name in ("score_mean", "score_std", "score_p50", "score_p90", "score_p95", "score_p99")
        ),
        # null without an earlier run, which is too little and no failure
        figure(
            "score_divergence",
            F.coalesce("kl_vs_30d", F.lit(0.0)),
            dimension=here,
            period=run,
            rows=F.when(F.col("kl_vs_30d").isNotNull(), n).otherwise(TOO_LITTLE),
        ),
        figure(
            "flag_flips",
            F.coalesce("flag_flip_rate", F.lit(0.0)),
            dimension=here,
            period=run,
            rows=F.col("devices_flagged_in_either"),
        ),
        figure(
            "rank_correlation",
            F.coalesce("rank_correlation", F.lit(1.0)),
            dimension=here,
            period=run,
            rows=F.col("devices_in_both"),
        ),
    ]
    return figures(rows, *told)


def _agreement(watched: Watched) -> DataFrame:
    rows = watched["model_agreement_metrics"].withColumn(
        "day", F.unix_timestamp(F.col("evaluation_date").cast("timestamp"))
    )
    pair, day, n = F.col("pair_id"), F.col("day"), F.col("devices_compared")
    overlap = F.col("jaccard_flagged")
    return figures(
        rows,
        figure("jaccard", overlap, dimension=F.when((pair != ALL) & overlap.isNotNull(), pair), period=day, rows=n),
        figure("plain_agreement", F.col("agreement_rate"), dimension=pair, period=day, rows=n),
        figure("strong_disagreement", F.col("high_disagreement_devices"), dimension=pair, period=day, rows=n),
    )


def _runs(watched: Watched) -> DataFrame:
    """By run, and over the last week and month before the newest."""
    rows = watched["scoring_run_metrics"].withColumn("at", F.unix_timestamp("scheduled_at"))
    model, at = F.col("model_id"), F.col("at")
    left_out = F.col("excluded_low_completeness") + F.col("excluded_unimputable")
    scored = F.col("outcome") == "SUCCEEDED"
    each = figures(
        rows,
        figure(
            "scoring_coverage",
            share(F.col("devices_scored"), F.col("devices_eligible")),
            dimension=F.when(scored & (F.col("devices_eligible") > 0), model),
            period=at,
        ),
        figure(
            "excluded_share",
            share(left_out, left_out + F.col("rows_scored")),
            dimension=F.when(scored & (left_out + F.col("rows_scored") > 0), model),
            period=at,
        ),
        figure(
            "score_age_minutes",
            F.col("score_age_minutes"),
            dimension=F.when(F.col("score_age_minutes").isNotNull(), model),
            period=at,
        ),
        figure(
            "devices_per_minute",
            F.col("devices_per_minute"),
            dimension=F.when(F.col("devices_per_minute").isNotNull(), model),
            period=at,
        ),
    )
    timed = with_data_time(rows, rows, "_newest", F.col("scheduled_at")).withColumn(
        "age", F.unix_timestamp("_newest") - at
    )
    took = (F.unix_timestamp("finished_at") - F.unix_timestamp("features_available_at")) / 60.0
    spans = timed.groupBy("model_id").agg(
        counted(F.col("age") < MONTH).alias("runs"),
        counted((F.col("age") < MONTH) & scored).alias("good"),
        F.percentile(F.when((F.col("age") < WEEK) & scored, took), 0.95).alias("minutes"),
    )
    return each.unionByName(
        figures(
            spans,
            figure("run_availability", share(F.col("good"), F.col("runs")), dimension=model, rows=F.col("runs")),
            figure("scoring_minutes", F.col("minutes"), dimension=F.when(F.col("minutes").isNotNull(), model)),
        )
    )


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
    Pass(_PAIRS, ("model_agreement_metrics",), _agreement, quiet=dict.fromkeys(_PAIRS, "one model scores this fleet")),
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
