"""``model_drift_metrics``: how scores and flags behave, window by window, for the fleet and its slices.

Spark adds up the scores of each run; what comes back is a row per run and slice, whatever the size of the fleet, and
runs are compared with earlier ones here.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.conform import frame_of
from fleet_health.contracts.monitoring import SCORE_DRIFT_SCHEMA
from fleet_health.ids import natural_key_id_of
from fleet_health.model_input.cohorts import cohort
from fleet_health.monitoring.distances import SMOOTHING
from fleet_health.monitoring.measured import DAY, ratio, rows_of, sliced
from fleet_health.profiles.families import family_of
from fleet_health.profiles.model import Profile

BINS = 20
HISTORY_DAYS = 30
_CUTS = ("cohort", "region", "equipment_model")
_RUN = ("model_id", "model_version", "window_end")
_SERIES = ("model_id", "model_version", "slice_name", "slice_value")
_SHARES = (50, 90, 95, 99)
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - naive is UTC in a session whose zone is UTC
Run = dict[str, Any]


def unmeasured(scores: Mapping[str, DataFrame], newest: Mapping[str, dt.datetime]) -> DataFrame:
    """The scores of runs without figures, and one window earlier, with which flags and ranks are compared.

    Args:
        scores: ``model_scores`` by family.
        newest: model id -> its newest run with figures; a family without any is taken whole.
    """
    found = []
    for family, rows in scores.items():
        told = [at for model_id, at in newest.items() if family_of(model_id) == family]
        found.append(rows.where(F.col("window_end") >= F.lit(max(told))) if told else rows)
    return functools.reduce(DataFrame.unionByName, found)


def measured_runs(scores: DataFrame, earlier: DataFrame, registry: DataFrame, profile: Profile) -> DataFrame:
    """The rows of contract M4 that are not in ``earlier`` yet: one per run and slice.

    Args:
        scores: ``model_scores``; windows of one model that end at one instant are a run.
        earlier: ``model_drift_metrics`` so far.
        registry: ``device_registry``; names the slices.
        profile: what a cohort is.
    """
    made = score_runs(scores, registry, profile)
    since = min((run["scored_at"] for run in made), default=0) - HISTORY_DAYS * DAY * 1_000_000
    known = earlier.where(f"scored_at >= timestamp_micros({since})")
    before = (
        rows_of(known, "run_id", *_SERIES, "unix_micros(scored_at) AS scored_at", "score_histogram") if made else []
    )
    told = with_divergence(made, [row.asDict() for row in before])
    for run in told:
        run["scored_at"] = _EPOCH + dt.timedelta(microseconds=run["scored_at"])
    names = SCORE_DRIFT_SCHEMA.fieldNames()
    return frame_of(scores.sparkSession, ([run[name] for name in names] for run in told), SCORE_DRIFT_SCHEMA)


def score_runs(scores: DataFrame, registry: DataFrame, profile: Profile) -> list[Run]:
    """Contract M4 without ``kl_vs_30d``, in one aggregation; ``scored_at`` is microseconds since 1970."""
    devices = registry.select(
        "device_id", cohort(profile.cohorts).alias("cohort"), "region", F.col("model").alias("equipment_model")
    )
    run, device = ", ".join(_RUN), "(PARTITION BY model_id, model_version, device_id ORDER BY window_end)"
    told = (*_RUN, "window_start", "device_id", "anomaly_score", "anomaly_flag")
    ranked = scores.selectExpr(*told, f"percent_rank() OVER (PARTITION BY {run} ORDER BY anomaly_score) AS _rank")
    follows = f"lag(window_end) OVER {device} = window_start"
    rows = ranked.selectExpr(
        *(*_RUN, "device_id", "anomaly_score", "anomaly_flag", "_rank"),
        f"IF({follows}, lag(anomaly_flag) OVER {device}, NULL) AS _flag_before",
        f"IF({follows}, lag(_rank) OVER {device}, NULL) AS _rank_before",
    ).join(F.broadcast(devices), "device_id", "left")
    made = sliced(rows, _CUTS).groupBy(*_RUN, "slice_name", "slice_value").agg(*map(F.expr, _aggregates()))
    return [_run(row.asDict()) for row in rows_of(made, "*", "unix_micros(window_end) AS scored_at")]


def _aggregates() -> list[str]:
    place = f"least(floor(anomaly_score * {BINS}), {BINS - 1})"
    bins = ", ".join(f"double(count_if({place} = {n}))" for n in range(BINS))
    return [
        "count(DISTINCT device_id) AS devices_scored",
        "avg(anomaly_score) AS score_mean",
        "stddev(anomaly_score) AS score_std",
        "skewness(anomaly_score) AS score_skewness",
        f"percentile(anomaly_score, array({', '.join(f'{share / 100}D' for share in _SHARES)})) AS _p",
        "avg(double(anomaly_flag)) AS anomaly_rate",
        "count(_flag_before) AS devices_in_both",
        "count_if(_flag_before IS NOT NULL AND (anomaly_flag OR _flag_before)) AS devices_flagged_in_either",
        "count_if(_flag_before IS NOT NULL AND anomaly_flag != _flag_before) AS _changed",
        "corr(IF(_rank_before IS NOT NULL, _rank, NULL), _rank_before) AS rank_correlation",
        f"array({bins}) AS score_histogram",
    ]


def _run(row: Run) -> Run:
    return {
        **row,
        "run_id": natural_key_id_of("score_run", row["model_id"], row["model_version"], row["scored_at"]),
        "flag_flip_rate": ratio(row["_changed"], row["devices_flagged_in_either"]),
        **{f"score_p{share}": row["_p"][place] for place, share in enumerate(_SHARES)},
    }


def with_divergence(runs: Iterable[Run], earlier: Sequence[Run]) -> list[Run]:
    """The runs that are not among ``earlier`` ones, each with ``kl_vs_30d``: how far it is from the thirty days before.

    Args:
        runs: of :func:`score_runs`.
        earlier: ``run_id``, what makes a series, ``scored_at`` and ``score_histogram`` of runs that have a row already.
    """
    there = {_key(run) for run in earlier}
    added = [run for run in runs if _key(run) not in there]
    series: dict[tuple[Any, ...], list[Run]] = defaultdict(list)
    for run in (*added, *earlier):
        series[tuple(run[name] for name in _SERIES)].append(run)
    for of_slice in series.values():
        of_slice.sort(key=lambda run: run["scored_at"])
        counts = np.array([run["score_histogram"] for run in of_slice])
        total = np.vstack([np.zeros(BINS), np.cumsum(counts, axis=0)])
        seconds = np.array([run["scored_at"] for run in of_slice]) // 1_000_000
        first = np.searchsorted(seconds, seconds - HISTORY_DAYS * DAY, side="left")
        for place, run in enumerate(of_slice):
            before = total[place] - total[first[place]]
            run["kl_vs_30d"] = divergence(counts[place], before) if before.sum() else None
    return added


def _key(run: Run) -> tuple[Any, ...]:
    return run["run_id"], run["slice_name"], run["slice_value"]


def divergence(now: NDArray[Any], before: NDArray[Any]) -> float:
    """Kullback-Leibler divergence of the shares now from those before, nats; half a count is added to every bin."""
    p = (now + SMOOTHING) / (now + SMOOTHING).sum()
    q = (before + SMOOTHING) / (before + SMOOTHING).sum()
    return float((p * np.log(p / q)).sum())
