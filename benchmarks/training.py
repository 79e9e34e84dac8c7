"""Training the isolation forest on 432,000 windows, from training_data to adapter, against plain scikit-learn.

Plain is the same recipe on a bare array: fit 200 trees, score the rows, take out the oddest two percent, fit and score
again, take the extremes and the threshold. What we add is sorting, constants, the digest and the adapter. Both work in
one thread, so CPU seconds are compared.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from benchmarks import Bench, Figure

if TYPE_CHECKING:
    import pandas as pd

ROWS, DEVICES = 432_000, 1_000


def run(bench: Bench) -> Iterator[Figure]:
    import numpy as np

    from fleet_health.profiles.loader import shipped_profile
    from model_training.training import fitted

    profile = shipped_profile("refrigeration")
    names = list(profile.model_features)
    rows = max(2_000, int(ROWS * bench.size))
    vectors = np.random.default_rng(42).normal(size=(rows, len(names)))
    data, statistics = _assembled(vectors, names, profile.model.model_id)
    bench.say(f"training: {rows:,} rows of {len(names)} features, {profile.model.n_estimators} trees")
    yield bench.compare(
        "isolation_forest",
        a=lambda: fitted(data, statistics, profile),
        b=lambda: _plain(vectors, profile.model),
        limit=1.2,
        rounds=min(bench.rounds, 3),
        warm_up=0,
        timer=time.process_time,
    )


def _plain(vectors: Any, model: Any) -> tuple[Any, float, float, float]:
    import numpy as np
    from sklearn.ensemble import IsolationForest

    def fit(rows: Any) -> Any:
        return IsolationForest(
            n_estimators=model.n_estimators, max_samples=model.max_samples, random_state=model.seed, n_jobs=1
        ).fit(rows)

    rule = model.self_cleaning
    raw = -fit(vectors).decision_function(vectors)
    kept = vectors[np.argsort(-raw, kind="stable")[round(rule.each * len(raw)) :]]
    forest = fit(kept)
    again = -forest.decision_function(vectors)
    low, high = float(again.min()), float(again.max())
    threshold = np.quantile((again - low) / (high - low), 1.0 - model.flagged_share.value)
    return forest, low, high, float(threshold)


def _assembled(vectors: Any, names: list[str], model_id: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """``training_data`` and ``training_statistics`` in the shape in which a transform receives them, shuffled."""
    import numpy as np
    import pandas as pd

    place = np.random.default_rng(1).permutation(len(vectors))
    start = pd.Timestamp("2026-01-01") + pd.to_timedelta((place // DEVICES) * 15, unit="min")
    data = pd.DataFrame(
        {
            "device_id": [f"REF-TEST-{n:05d}" for n in place % DEVICES],
            "window_start": start,
            "window_end": start + pd.Timedelta(minutes=15),
            "feature_vector": list(vectors),
            "feature_names": [names] * len(vectors),
            "cohort_id": None,
            "device_part": "train",
            "period": "train",
            "snapshot_id": "benchmark",
            "assembled_at": pd.Timestamp("2026-04-01"),
        }
    )
    medians = np.median(vectors, axis=0)
    statistics = pd.DataFrame({"feature_name": names, "training_p50": medians, "model_id": model_id})
    spread = np.median(np.abs(vectors - medians), axis=0)
    return data, statistics.assign(training_mad=spread, training_stddev=vectors.std(axis=0))
