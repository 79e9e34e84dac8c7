"""What releases made of experiments: rows of ``experiment_log`` for those that were promoted and rolled back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from fleet_health.contracts.experiments import COMPLETED, LOG_SCHEMA, PROMOTED, ROLLED_BACK
from fleet_health.contracts.releases import CHAMPION, ROLLBACK

_INSTANT = pd.Timedelta(microseconds=1)
_Version = tuple[str, str]


@dataclass(frozen=True)
class _Change:
    version: _Version
    status: str
    decision: dict[Any, Any]


def new_changes(decisions: pd.DataFrame, logged: pd.DataFrame) -> pd.DataFrame:
    """The changes of state that the log does not hold; made of all decisions, so that whatever is built adds them once.

    Args:
        decisions: ``model_release_config``.
        logged: ``experiment_log``, with the row of each training that ended with a model.

    Returns:
        rows of ``experiment_log``: that of the training with another ``status``, ``created_at`` and ``notes``. A
        version that no logged training made has none: which experiment it comes from is not known.
    """
    trained = _trained(logged)
    there = set(logged[["experiment_id", "status", "created_at"]].itertuples(index=False, name=None))
    promoted: dict[str, Any] = {}
    last = {row["experiment_id"]: row["created_at"] for row in trained.values()}
    made = []
    for change in _changes(decisions):
        row = trained.get(change.version)
        if row is None:
            continue
        name = row["experiment_id"]
        # the state is that of the newest row, also where data is from a later year than the decision
        at = last[name] = max(change.decision["effective_from"], last[name] + _INSTANT)
        if change.status == PROMOTED:
            promoted.setdefault(name, at)
        notes = f"{change.decision['change_reason']} ({change.decision['approved_by_role']})"
        if (name, change.status, at) not in there:
            told = {"status": change.status, "promoted_at": promoted.get(name), "created_at": at, "notes": notes}
            made.append({**row, **told})
    return pd.DataFrame(made, columns=LOG_SCHEMA.fieldNames())


def _trained(logged: pd.DataFrame) -> dict[_Version, dict[Any, Any]]:
    """The training of each version: the first, because no second artefact of that name is released."""
    ended = logged[logged["status"] == COMPLETED].sort_values(["created_at", "experiment_id"], ascending=False)
    return {(row["model_id"], row["model_version"]): row for row in ended.to_dict("records")}


def _changes(decisions: pd.DataFrame) -> list[_Change]:
    """Who became champion, and who was taken back for it; halted and resumed, a version stays what it was."""
    found: list[_Change] = []
    champions = decisions[decisions["deployment_role"] == CHAMPION].sort_values("effective_from")
    for _, rows in champions.groupby(["model_family", "region"]):
        before: _Version | None = None
        states: dict[_Version, str] = {}
        for row in rows.to_dict("records"):
            version = (row["model_id"], row["model_version"])
            if version == before:
                continue
            if before is not None and row["change_reason"].startswith(ROLLBACK):
                states[before] = ROLLED_BACK
                found.append(_Change(before, ROLLED_BACK, row))
            if states.get(version) != PROMOTED:
                states[version] = PROMOTED
                found.append(_Change(version, PROMOTED, row))
            before = version
    return found
