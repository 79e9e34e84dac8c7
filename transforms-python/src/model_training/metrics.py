"""The figures of one run. Everything about validation is missing where no window validates: nothing is made up."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pandas as pd

from model_adapters.window_model import WindowModelAdapter
from model_training.rows import Floats, LearningRows, Rows

SINGLE_ROWS = 50
"""Rows that are scored one by one for the latency percentiles."""
VALIDATED = (
    "anomaly_rate_validation",
    "score_mean_validation",
    "score_std_validation",
    "score_skewness_validation",
    "score_p95_validation",
    "score_p99_validation",
    "rank_correlation_train_val",
)
"""What needs a validation period."""
REQUIRED = (
    "anomaly_rate_train",
    "score_mean_train",
    "score_std_train",
    *VALIDATED,
    "training_time_seconds",
    "scoring_time_seconds",
    "model_artifact_size_bytes",
    "scoring_latency_p50_ms",
    "scoring_latency_p99_ms",
)
"""What every experiment reports."""


def measured(adapter: WindowModelAdapter, rows: LearningRows, stopwatch: Callable[[], float]) -> dict[str, float]:
    """All of :data:`REQUIRED` but the training time, as far as there are rows for it."""
    train = adapter.scores(rows.train.vectors, rows.train.cohorts)
    start = stopwatch()
    validation = adapter.scores(rows.validation.vectors, rows.validation.cohorts)
    seconds = stopwatch() - start
    found = {
        **_described(train, adapter, "train"),
        **_described(validation, adapter, "validation"),
        "scoring_time_seconds": seconds,
        "model_artifact_size_bytes": float(size_of(adapter)),
        **_latencies(adapter, rows.train, stopwatch),
    }
    ranks = _rank_correlation(rows.train, train, rows.later, adapter.scores(rows.later.vectors, rows.later.cohorts))
    return found if ranks is None else {**found, "rank_correlation_train_val": ranks}


def _described(scores: Floats, adapter: WindowModelAdapter, split: str) -> dict[str, float]:
    if not len(scores):
        return {}
    found = {
        f"anomaly_rate_{split}": float((scores > adapter.constants["threshold"]).mean()),
        f"score_mean_{split}": float(scores.mean()),
        f"score_std_{split}": float(scores.std(ddof=1)) if len(scores) > 1 else 0.0,
    }
    if split == "validation":
        p95, p99 = (float(one) for one in np.quantile(scores, (0.95, 0.99)))
        found |= {
            "score_skewness_validation": skewness(scores),
            "score_p95_validation": p95,
            "score_p99_validation": p99,
        }
    return found


def skewness(scores: Floats) -> float:
    """Third standardised moment; 0 where all scores are one."""
    spread = float(scores.std())
    return float((((scores - scores.mean()) / spread) ** 3).mean()) if spread > 0.0 else 0.0


def _rank_correlation(before: Rows, first: Floats, after: Rows, second: Floats) -> float | None:
    """Spearman's of the mean scores of devices that train, in both periods; ``None`` below three devices in common.

    Held-out devices cannot be compared with those that train, so the same devices are scored in both periods.
    """
    if not len(after):
        return None
    means = [pd.Series(s).groupby(r.devices).mean() for r, s in ((before, first), (after, second))]
    both = pd.concat(means, axis=1, join="inner")
    if len(both) < 3:
        return None
    ranks = both.rank()
    found = float(ranks[0].corr(ranks[1]))
    return None if np.isnan(found) else found


def size_of(adapter: WindowModelAdapter) -> int:
    """Bytes of the fitted numbers and of the constants as text."""
    return sum(value.nbytes for value in adapter.fitted_arrays().values()) + len(json.dumps(adapter.constants))


def _latencies(adapter: WindowModelAdapter, rows: Rows, stopwatch: Callable[[], float]) -> dict[str, float]:
    """Milliseconds of a whole ``predict`` of one row, over rows that are spread over the training rows."""
    names = adapter.constants["feature_names"]
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(SINGLE_ROWS, len(rows))).astype(int))
    times = []
    for place in chosen:
        frame = pd.DataFrame(rows.vectors[place : place + 1], columns=names).assign(cohort_id=rows.cohorts[place])
        start = stopwatch()
        adapter.predict(frame)
        times.append((stopwatch() - start) * 1000.0)
    p50, p99 = (float(one) for one in np.quantile(times, (0.5, 0.99)))
    return {"scoring_latency_p50_ms": p50, "scoring_latency_p99_ms": p99}
