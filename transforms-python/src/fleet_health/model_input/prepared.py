"""``model_input`` and what did not get into it: each closed window of the model's length is in exactly one of both."""

from __future__ import annotations

import math
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.conform import conform
from fleet_health.contracts.model_input import EXCLUSIONS_SCHEMA, MODEL_INPUT_SCHEMA
from fleet_health.model_input.imputation import FillConstants
from fleet_health.model_input.vectors import COMPLETENESS, NOTHING_TO_FILL_WITH, features_id, vectors
from fleet_health.profiles.model import Profile


def constants_of(model: Any) -> FillConstants:
    """What a released model froze; versions from before cohorts have none."""
    frozen = model.constants
    return FillConstants(
        tuple(frozen["feature_names"]),
        tuple(math.nan if one is None else float(one) for one in frozen["medians"]),
        tuple(frozen.get("cohort_medians") or ()),
    )


def judged(rows: DataFrame, model: Any, profile: Profile, wanted: Column | None = None) -> DataFrame:
    """Every window of the model's length with its vector or with what is missing for one.

    Args:
        rows: ``device_features`` with ``cohort_id``.
        model: the released model: its ``constants`` say which features in which order, and what stands in for them.
        profile: completeness gate (that much is enough) and how old a value may be.
        wanted: the windows to judge; the others are history to fill from. All of them by default.

    Returns:
        the columns of ``model_input``, ``reason`` (null where the vector may be scored) and ``unfilled``. A window
        below the gate gets a vector as well, so that both outputs come from one pass; it is never written.
    """
    frozen = model.constants
    own = rows.where(F.col("window_duration_minutes") == int(frozen["window_duration_minutes"]))
    constants = constants_of(model)
    made = vectors(
        own, F.lit(True) if wanted is None else wanted, constants, profile.imputation, str(frozen["model_id"])
    )
    reason = F.when(F.col("sensor_completeness") < profile.model.scoring_completeness_min.value, F.lit(COMPLETENESS))
    return made.withColumns(
        {
            **{name: F.lit(str(frozen[name])) for name in ("model_id", "model_version", "granularity")},
            "feature_names": F.array(*(F.lit(name) for name in constants.names)),
            "features_id": F.lit(features_id(constants.names)),
            "reason": reason.when(F.col("unfilled").isNotNull(), F.lit(NOTHING_TO_FILL_WITH)),
        }
    )


def model_input(judged_rows: DataFrame) -> DataFrame:
    """The rows of contract 4."""
    return conform(judged_rows.where("reason is null"), MODEL_INPUT_SCHEMA)


def model_input_exclusions(judged_rows: DataFrame) -> DataFrame:
    """Key and reason of every window that is not scored."""
    return conform(judged_rows.where("reason is not null"), EXCLUSIONS_SCHEMA)
