"""Which of the bound versions drives alerts and which one is tried beside it, as ``model_release_config`` says.

A transform binds two versions: the release of its environment, and the one in staging. The decisions choose between
them, so a rollback or a canary changes data and no code. No clock is read: the newest decision that is there holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from fleet_health.contracts.releases import CANARY_LIVE, CHALLENGER, CHAMPION
from fleet_health.model_input.errors import ReleaseNotBoundError

STAGES = {CHALLENGER: "canary_offline"}
"""A role -> what its scores are called in ``shadow_model_scores``, where that differs."""


@dataclass(frozen=True)
class Roles:
    """What every bound version does.

    Attributes:
        champion: drives alerts.
        candidate: is tried beside it, or ``None``.
        stage: its ``deployment_role`` in ``shadow_model_scores``.
        fraction: share of devices that the candidate serves.
        unbound: a candidate that was decided and is not bound.
        halted: whether the champion was told to serve no device; rules stand in for it.
    """

    champion: Any
    candidate: Any = None
    stage: str | None = None
    fraction: float = 0.0
    unbound: str | None = None
    halted: bool = False

    def refuse_unbound(self) -> None:
        """Raises ReleaseNotBoundError when a candidate was decided that is not at hand."""
        if self.unbound is not None:
            raise ReleaseNotBoundError("candidate", self.unbound, (version_of(self.champion),))

    @property
    def alerting_share(self) -> float:
        """Share of devices whose alerts come from the candidate: that of a live canary, else none."""
        return self.fraction if self.candidate is not None and self.stage == CANARY_LIVE else 0.0


def roles_of(decisions: DataFrame, model: Any, challenger: Any) -> Roles:
    """The roles of two loaded models.

    Args:
        decisions: ``model_release_config``.
        model: the release of the environment.
        challenger: the staging release; where there is none, the same version once more.

    Raises:
        ReleaseNotBoundError: the champion is neither of both, and no decision puts ``model`` in staging either.
    """
    family = str(model.constants["model_id"]).rsplit("_v", 1)[0]
    # a few rows a month
    rows = decisions.where(F.col("model_family") == family).orderBy("effective_from").collect()
    return roles_by(rows, model, challenger)


def roles_by(rows: Sequence[T.Row], model: Any, challenger: Any) -> Roles:
    """:func:`roles_of` for the rows of one family, oldest first."""
    bound = {version_of(challenger): challenger, version_of(model): model}
    newest = {str(row["deployment_role"]): _version(row) for row in rows}
    wanted = newest.get(CHAMPION)
    if wanted not in bound:
        # a branch that staging serves scores with what is in staging, whatever drives alerts elsewhere
        if newest.get(CHALLENGER) != version_of(model):
            raise ReleaseNotBoundError(CHAMPION, wanted, tuple(sorted(bound)))
        return Roles(model)
    if is_halted(rows):
        return Roles(bound[wanted], halted=True)
    trial = next((row for row in reversed(rows) if row["deployment_role"] != CHAMPION), None)
    if trial is None or float(trial["traffic_fraction"]) == 0.0 or _has_won(trial, rows):
        return Roles(bound[wanted])
    if _version(trial) not in bound:
        return Roles(bound[wanted], unbound=_version(trial))
    role = str(trial["deployment_role"])
    return Roles(bound[wanted], bound[_version(trial)], STAGES.get(role, role), float(trial["traffic_fraction"]))


def is_halted(rows: Sequence[T.Row]) -> bool:
    """Whether the newest champion among decisions, oldest first, was given no device to serve."""
    champions = [row for row in rows if row["deployment_role"] == CHAMPION]
    return bool(champions) and float(champions[-1]["traffic_fraction"]) == 0.0


def version_of(model: Any) -> str:
    """``isolation_forest_v1 1.0.0``: the names that the artefact itself carries."""
    return f"{model.constants['model_id']} {model.constants['model_version']}"


def _version(row: T.Row) -> str:
    return f"{row['model_id']} {row['model_version']}"


def _has_won(trial: T.Row, rows: Sequence[T.Row]) -> bool:
    """It drives alerts already, or did so after the trial was decided: what was rolled back is not tried again."""
    champions = [row for row in rows if row["deployment_role"] == CHAMPION and _version(row) == _version(trial)]
    newest = [row for row in rows if row["deployment_role"] == CHAMPION][-1]
    return _version(newest) == _version(trial) or any(r["effective_from"] >= trial["effective_from"] for r in champions)


def in_share(device_id: Column, fraction: float) -> Column:
    """Whether a device belongs to the first ``fraction`` of all devices by the hash of its id.

    The same devices on every machine and for every version, and those of a small share are among those of a larger
    one. The hash knows nothing of cohorts, so that each gives about its share.
    """
    digest = F.sha1(F.concat(F.lit("share\x1f"), device_id))
    return F.conv(F.substring(digest, 1, 8), 16, 10).cast("double") < F.lit(fraction * 2.0**32)
