"""What a training leaves beside the model: one row that says what was learned, from what, by what, and how it ended."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from fleet_health.contracts.experiments import COMPLETED, FAILED, MODEL_TYPES, RUNS_SCHEMA
from fleet_health.contracts.training import NO_CANDIDATES
from fleet_health.profiles.families import FurtherModel, ModelSpec
from fleet_health.profiles.model import Profile
from fleet_health.training_data.statistics import of_model
from model_training.errors import TrainingRefusedError
from model_training.frozen import code_version, package_versions
from model_training.training import Trained

_TOLD = ("training_mean", "training_stddev", "training_p50", "training_null_rate")


@dataclass(frozen=True)
class Assembly:
    """What was read: ``statistics`` and ``exclusions`` (of the model's window length) of one assembly, as frames."""

    statistics: pd.DataFrame
    exclusions: pd.DataFrame

    @property
    def snapshot_id(self) -> str:
        return str(self.exclusions["snapshot_id"].iloc[0])

    @property
    def assembled_at(self) -> datetime:
        found: datetime = pd.Timestamp(self.exclusions["assembled_at"].iloc[0]).to_pydatetime()
        return found

    @property
    def unsplit(self) -> str | None:
        """Why nothing validates the model; ``None`` when something does."""
        told = self.exclusions["unsplit"].iloc[0]
        return None if pd.isna(told) else str(told)


def experiment_name(model: ModelSpec | FurtherModel, assembled_at: datetime) -> str:
    """What all experiments of one kind, population and day of the data begin with."""
    return f"{MODEL_TYPES[model.family]}_{model.granularity}_{assembled_at:%Y%m%d}"


def run_row(
    profile: Profile,
    model: ModelSpec | FurtherModel,
    assembly: Assembly,
    trained: Trained | None,
    refusal: TrainingRefusedError | None = None,
) -> dict[str, Any]:
    """The row of ``experiment_runs``.

    Args:
        profile: the fleet.
        model: what was to be trained.
        assembly: what it was to be trained on.
        trained: the run; ``None`` when it ended before there was a model.
        refusal: why no version is published; ``None`` when one is.
    """
    rows = trained.rows if trained else None
    constants: Mapping[str, Any] = trained.adapter.constants if trained else {}
    names = list(constants.get("feature_names") or profile.features_of(model))
    cohorts = constants.get("cohort_ids") or []
    row = {
        "model_type": MODEL_TYPES[model.family],
        "granularity": model.granularity,
        "cohort_id": ", ".join(cohorts) or None,
        "training_window_start": rows.train.first if rows else None,
        "training_window_end": rows.train.last if rows else None,
        "validation_window_start": rows.validation.first if rows else None,
        "validation_window_end": rows.validation.last if rows else None,
        "training_rows": len(rows.train) if rows else 0,
        "validation_rows": len(rows.validation) if rows else 0,
        "training_devices": rows.train.device_count if rows else 0,
        "validation_devices": rows.validation.device_count if rows else 0,
        "feature_count": len(names),
        "feature_names": names,
        "hyperparameters": _json(constants.get("hyperparameters") or model.model_dump(mode="json")),
        "random_seed": model.seed,
        "code_commit_sha": str(code_version(model)),
        "data_transaction_id": assembly.snapshot_id,
        "python_env_version": ".".join(map(str, sys.version_info[:3])),
        "key_dependencies": _json(package_versions()),
        "model_artifact_rid": f"sha256:{constants['fitted_sha256']}" if trained and refusal is None else None,
        "training_data_stats": _json(_statistics(assembly.statistics, model.model_id)),
        "exclusion_summary": _json(_excluded(assembly.exclusions, trained.removed if trained else 0)),
        "status": COMPLETED if refusal is None else FAILED,
        "promoted_at": None,
        "notes": str(refusal) if refusal is not None else _unvalidated(assembly),
        "created_at": assembly.assembled_at,
        "model_id": model.model_id,
        "model_version": model.model_version,
        "metrics": {name: float(value) for name, value in trained.metrics.items()} if trained else None,
    }
    return {name: row[name] for name in RUNS_SCHEMA.fieldNames()}


PARAMETERS = (
    "training_window_start",
    "training_window_end",
    "validation_window_start",
    "validation_window_end",
    "training_rows",
    "validation_rows",
    "training_devices",
    "validation_devices",
    "random_seed",
    "code_commit_sha",
    "data_transaction_id",
    "python_env_version",
    "key_dependencies",
    "exclusion_summary",
    "notes",
    "created_at",
)
"""What the version's own record holds of the row; the rest is in the constants and in the log."""


def parameters(row: Mapping[str, Any]) -> dict[str, Any]:
    """:data:`PARAMETERS` of a row, without those that are null."""
    return {name: row[name] for name in PARAMETERS if row[name] is not None}


def _unvalidated(assembly: Assembly) -> str | None:
    return f"nothing validated it: {assembly.unsplit}" if assembly.unsplit is not None else None


def _statistics(statistics: pd.DataFrame, model_id: str) -> dict[str, dict[str, float | None]]:
    own = of_model(statistics, model_id)
    return {
        str(row["feature_name"]): {name: None if pd.isna(row[name]) else float(row[name]) for name in _TOLD}
        for row in own.to_dict("records")
    }


def _excluded(exclusions: pd.DataFrame, removed: int) -> dict[str, int]:
    """Every reason that took something; those of :data:`NO_CANDIDATES` are listed as well."""
    told = {str(row["reason"]): int(row["rows"]) for row in exclusions.to_dict("records")}
    kept = {reason: rows for reason, rows in told.items() if rows or reason in NO_CANDIDATES}
    return {**kept, "SELF_CLEANING": removed}


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True)
