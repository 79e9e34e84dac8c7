"""``experiment_log`` and ``experiment_metrics``: the newest runs of all families, added to what is there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from fleet_health.contracts.experiments import COMPLETED, FOLD, LOG_SCHEMA, METRICS_SCHEMA

_IDENTITY = ("model_id", "model_version", "data_transaction_id", "code_commit_sha", "status", "created_at")
"""Two rows that agree in these are one experiment: the same recipe on the same data at the same data time."""
_SPLITS = ("validation", "test", "train")


def new_experiments(runs: pd.DataFrame, logged: pd.DataFrame) -> pd.DataFrame:
    """The runs that the log does not hold, each with its ``experiment_id``.

    Args:
        runs: rows of ``experiment_runs`` of any number of families.
        logged: ``experiment_log`` so far.

    Returns:
        rows of ``experiment_log``, by kind, population and day; numbers go on where the log ends.
    """
    known = set(logged[list(_IDENTITY)].itertuples(index=False, name=None)) if len(logged) else set()
    fresh = [row for row in runs.to_dict("records") if tuple(row[name] for name in _IDENTITY) not in known]
    taken: dict[str, int] = {}
    for one in logged["experiment_id"] if len(logged) else ():
        prefix, _, number = str(one).rpartition("_")
        taken[prefix] = max(taken.get(prefix, 0), int(number))
    made = []
    for row in sorted(fresh, key=lambda row: (str(row["model_id"]), str(row["model_version"]), str(row["status"]))):
        prefix = f"{row['model_type']}_{row['granularity']}_{row['created_at']:%Y%m%d}"
        taken[prefix] = taken.get(prefix, 0) + 1
        made.append({**row, "experiment_id": f"{prefix}_{taken[prefix]:03d}"})
    return pd.DataFrame(made, columns=LOG_SCHEMA.fieldNames())


def new_metrics(experiments: pd.DataFrame, reported: Iterable[str]) -> pd.DataFrame:
    """The figures of the experiments that have none yet.

    Args:
        experiments: ``experiment_log``.
        reported: ids of ``experiment_metrics`` so far.
    """
    done = set(reported)
    rows = [
        {
            "experiment_id": experiment["experiment_id"],
            "metric_name": name.partition(FOLD)[0],
            "metric_value": float(value),
            "fold": int(name.partition(FOLD)[2]) if FOLD in name else None,
            "split": _split(name),
            "computed_at": experiment["created_at"],
            "published": experiment["status"] == COMPLETED,
        }
        for experiment in experiments.to_dict("records")
        if experiment["experiment_id"] not in done
        for name, value in sorted(_pairs(experiment["metrics"]))
    ]
    return pd.DataFrame(rows, columns=METRICS_SCHEMA.fieldNames()).astype({"fold": "object"})


def _pairs(metrics: Any) -> list[tuple[str, float]]:
    return list(dict(metrics).items()) if metrics is not None else []


def _split(name: str) -> str:
    """The rows a figure is about by its name; what names none is about the training."""
    return next((split for split in _SPLITS if f"_{split}" in name.partition(FOLD)[0]), "train")
