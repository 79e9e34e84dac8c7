"""``experiment_trainings``, ``experiment_log`` and ``experiment_metrics``: what is new, added to what is there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from fleet_health.contracts.experiments import COMPLETED, FAILED, FOLD, LOG_SCHEMA, METRICS_SCHEMA, TRAININGS_SCHEMA

_IDENTITY = ("model_id", "model_version", "data_transaction_id", "code_commit_sha", "status", "created_at")
"""Two rows that agree in these are one experiment: the same recipe on the same data at the same data time."""
_SPLITS = ("validation", "test", "train")


def new_trainings(runs: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The newest runs of all families, without those that ``known`` (``experiment_trainings`` so far) holds."""
    return pd.DataFrame(_fresh(runs, known), columns=TRAININGS_SCHEMA.fieldNames())


def new_experiments(trainings: pd.DataFrame, logged: pd.DataFrame) -> pd.DataFrame:
    """The trainings that the log does not hold, each with its ``experiment_id``.

    Args:
        trainings: ``experiment_trainings``.
        logged: ``experiment_log`` so far.

    Returns:
        rows of ``experiment_log``, by kind, population and day; numbers go on where the log ends.
    """
    taken: dict[str, int] = {}
    for one in logged["experiment_id"] if len(logged) else ():
        prefix, _, number = str(one).rpartition("_")
        taken[prefix] = max(taken.get(prefix, 0), int(number))
    made = []
    fresh = _fresh(trainings, logged)
    for row in sorted(fresh, key=lambda row: (row["created_at"], *(str(row[name]) for name in _IDENTITY[:-1]))):
        prefix = f"{row['model_type']}_{row['granularity']}_{row['created_at']:%Y%m%d}"
        taken[prefix] = taken.get(prefix, 0) + 1
        made.append({**row, "experiment_id": f"{prefix}_{taken[prefix]:03d}"})
    return pd.DataFrame(made, columns=LOG_SCHEMA.fieldNames())


def joined(*parts: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``experiment_log`` one below the other; pandas would guess types anew where a column is all null."""
    rows = [row for part in parts for row in part.to_dict("records")]
    return pd.DataFrame(rows, columns=LOG_SCHEMA.fieldNames())


def new_metrics(experiments: pd.DataFrame, reported: Iterable[str]) -> pd.DataFrame:
    """The figures of the experiments that have none yet; a release adds none to those of its training.

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
        if experiment["experiment_id"] not in done and experiment["status"] in (COMPLETED, FAILED)
        for name, value in sorted(_pairs(experiment["metrics"]))
    ]
    return pd.DataFrame(rows, columns=METRICS_SCHEMA.fieldNames()).astype({"fold": "object"})


def _fresh(rows: pd.DataFrame, known: pd.DataFrame) -> list[dict[Any, Any]]:
    there = set(known[list(_IDENTITY)].itertuples(index=False, name=None)) if len(known) else set()
    return [row for row in rows.to_dict("records") if tuple(row[name] for name in _IDENTITY) not in there]


def _pairs(metrics: Any) -> list[tuple[str, float]]:
    return list(dict(metrics).items()) if metrics is not None else []


def _split(name: str) -> str:
    """The rows a figure is about by its name; what names none is about the training."""
    return next((split for split in _SPLITS if f"_{split}" in name.partition(FOLD)[0]), "train")
