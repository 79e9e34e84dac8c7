"""``training_exclusions``: how many windows each filter took, and what the split had no use for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import numpy as np
import pandas as pd

from fleet_health.contracts.training import (
    ANY,
    EXCLUSION_REASONS,
    NO_CANDIDATES,
    TRAINING_EXCLUSIONS_SCHEMA,
)
from fleet_health.model_input.vectors import NOTHING_TO_FILL_WITH
from fleet_health.training_data.assembly import REASON


def training_exclusions(counts: pd.DataFrame, made: Mapping[int, int]) -> pd.DataFrame:
    """How many windows were left out, by length and reason: one row each, and one for :data:`ANY` reason.

    Args:
        counts: see :func:`assembly.counted`.
        made: per length, rows that did get a vector.

    Returns:
        ``window_duration_minutes, reason, rows, candidate_rows, share``. Windows of other days than the declared ones,
        outside the split, or not drawn are listed and are no candidates, so they have no share.
    """
    return pd.concat([_of_length(counts, minutes, rows) for minutes, rows in made.items()], ignore_index=True)


def _of_length(counts: pd.DataFrame, minutes: int, made: int) -> pd.DataFrame:
    own = counts[counts["window_duration_minutes"] == minutes]
    by_reason = own.groupby(own[REASON].fillna(""))["count"].sum()
    total = int(by_reason.drop(labels=list(NO_CANDIDATES), errors="ignore").sum())
    rows = {name: int(by_reason.get(name, 0)) for name in EXCLUSION_REASONS}
    rows[NOTHING_TO_FILL_WITH] = int(by_reason.get("", 0)) - made
    rows[ANY] = total - made
    table = pd.DataFrame({"reason": list(rows), "rows": list(rows.values())})
    table["share"] = table["rows"] / total if total else np.nan
    others = {name: int(by_reason.get(name, 0)) for name in NO_CANDIDATES}
    listed = pd.DataFrame({"reason": list(others), "rows": list(others.values()), "share": np.nan})
    return pd.concat([table, listed], ignore_index=True).assign(candidate_rows=total, window_duration_minutes=minutes)


def exclusion_rows(
    exclusions: pd.DataFrame, snapshot_id: str, assembled_at: datetime, unsplit: str | None
) -> pd.DataFrame:
    """:func:`training_exclusions` in the shape of its contract."""
    named = exclusions.assign(snapshot_id=snapshot_id, assembled_at=assembled_at, unsplit=unsplit)
    return named.reindex(columns=TRAINING_EXCLUSIONS_SCHEMA.fieldNames())
