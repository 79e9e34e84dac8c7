"""``feature_baselines``: the published view of ``training_statistics``, added to and never changed.

The reference for drift is what a release was trained on, not the last month of data: that would follow a slow drift and
call it normal.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.baselines import BASELINE_KEY, BASELINES_SCHEMA

_VIEW = {
    "training_mean": "baseline_mean",
    "training_stddev": "baseline_std",
    "training_p05": "baseline_p05",
    "training_p25": "baseline_p25",
    "training_p50": "baseline_p50",
    "training_p75": "baseline_p75",
    "training_p95": "baseline_p95",
    "training_null_rate": "null_fraction",
}
_SHARED = (
    "feature_name",
    "training_window_start",
    "training_window_end",
    "window_duration_minutes",
    "model_id",
    "model_version",
)


def baseline_rows(statistics: pd.DataFrame, computed_at: pd.Timestamp) -> pd.DataFrame:
    """The rows that one assembly publishes.

    Args:
        statistics: ``training_statistics`` of one assembly.
        computed_at: its logical time, ``assembled_at`` of ``training_data``.

    Returns:
        one row per feature for the fleet; for each cohort one more, with the median alone, because that is what
        training freezes of a cohort. Ordered by granularity (fleet first), cohort and the order of ``statistics``.
    """
    fleet = statistics.rename(columns=_VIEW).assign(granularity="fleet")
    cohorts = [
        {**{name: row[name] for name in _SHARED}, "granularity": "cohort", "cohort_id": key, "baseline_p50": median}
        for row in statistics.to_dict("records")
        for key, median in _items(row.get("cohort_medians"))
    ]
    tables = [fleet, pd.DataFrame(cohorts).sort_values("cohort_id", kind="stable")] if cohorts else [fleet]
    columns = BASELINES_SCHEMA.fieldNames()
    shaped = [table.assign(computed_at=computed_at).reindex(columns=columns).astype(object) for table in tables]
    whole = pd.concat(shaped, ignore_index=True)
    return whole.where(whole.notna(), None)


def _items(medians: Any) -> Iterable[tuple[str, float]]:
    return sorted(medians.items()) if isinstance(medians, dict) else ()


def unpublished(rows: DataFrame, published: DataFrame) -> DataFrame:
    """The rows whose key is not published yet; keys may be null, and two nulls are the same key."""
    there = published.select(*(F.col(name).alias(f"_{name}") for name in BASELINE_KEY))
    same = [F.col(name).eqNullSafe(F.col(f"_{name}")) for name in BASELINE_KEY]
    every = same[0]
    for one in same[1:]:
        every = every & one
    return rows.join(F.broadcast(there), every, "left_anti")
