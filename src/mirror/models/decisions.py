"""Releases, rollbacks, trials and halts as rows of a dataset, so that scoring follows decisions that it can read.

One small CSV file per decision, appended; a file that is there already stays, so writing all of them again only adds
what a crash left out.
"""

from __future__ import annotations

import csv
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from mirror.datasets.ingest import ingest
from mirror.models import ledger
from mirror.models.records import HALT, PRODUCTION, Model, ModelVersion

if TYPE_CHECKING:
    from mirror.models.governance import Governance, Governed

CHAMPION = "champion"
CHALLENGER = "challenger"
COLUMNS = (
    *("model_family", "region", "model_id", "model_version", "deployment_role", "traffic_fraction"),
    *("effective_from", "approved_by_role", "change_reason"),
)


@dataclass(frozen=True)
class Decision:
    """One row. ``name`` is that of its file: decisions in the order of their names are in the order of their time."""

    at: datetime
    name: str
    version_rid: str
    role: str
    fraction: float
    approved: str
    reason: str


def decisions_of(governance: Governance, model: Model) -> tuple[Decision, ...]:
    """Every decision about a model, oldest first, no two at one instant."""
    with governance.workspace.catalog.reading() as connection:
        releases = ledger.releases(connection, model.rid)
        trials = ledger.trials(connection, model.rid)
    found = [
        Decision(
            r.released_at,
            f"{r.environment}-{r.number:04}",
            r.version_rid,
            CHAMPION if r.environment == PRODUCTION else CHALLENGER,
            0.0 if r.kind == HALT else 1.0,
            ", ".join(r.approved_by) or r.actor,
            f"{r.kind}: {r.reason}",
        )
        for r in releases
    ]
    found += [
        Decision(
            t.decided_at,
            f"trial-{t.number:04}",
            t.version_rid,
            t.role,
            t.share,
            ", ".join(t.approved_by) or t.actor,
            f"trial: {t.reason}",
        )
        for t in trials
    ]
    ordered: list[Decision] = []
    for one in sorted(found, key=lambda d: (d.at, d.role == CHAMPION, d.name)):
        earliest = ordered[-1].at + timedelta(microseconds=1) if ordered else one.at
        ordered.append(Decision(**{**vars(one), "at": max(one.at, earliest)}))
    return tuple(ordered)


def on_trial(governance: Governance, model: Model) -> Decision | None:
    """What is tried beside the champion, as the scoring jobs read the same rows; ``None`` when nothing is.

    A version that drives alerts, or did since the trial was decided, is on trial no more.
    """
    decisions = decisions_of(governance, model)
    champions = [one for one in decisions if one.role == CHAMPION]
    tried = next((one for one in reversed(decisions) if one.role != CHAMPION), None)
    if tried is None or not tried.fraction or not champions:
        return None
    won = champions[-1].version_rid == tried.version_rid
    won = won or any(one.version_rid == tried.version_rid and one.at >= tried.at for one in champions)
    return None if won else tried


def write_decisions(governance: Governance, governed: Governed) -> None:
    """Appends the decisions that the objective's dataset does not hold yet, on the default branch.

    Raises:
        TransactionOpenError, StorageUnwritableError: the decision is in force for builds; repeating the command writes
            its row.
    """
    if governed.objective.decisions is None:
        return
    path = governed.objective.decisions.replace("{fleet}", governed.model.path.rsplit("/models/", 1)[0])
    versions = {version.rid: version for version in governance.registry.versions(governed.model)}
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for decision in decisions_of(governance, governed.model):
            file = Path(folder) / f"{decision.at:%Y%m%dT%H%M%S%f}-{decision.name}.csv"
            with file.open("w", encoding="utf-8", newline="") as stream:
                writer = csv.writer(stream, lineterminator="\n")
                writer.writerows([COLUMNS, _row(decision, governed.model, versions[decision.version_rid])])
            files.append(str(file))
        if files:
            ingest(governance.workspace, path, files, branch=governance.workspace.config.default_branch)


def names_of(model: Model, version: ModelVersion) -> tuple[str, str]:
    """Model id and number that the artefact carries, by which scores and decisions know it; else the catalog's."""
    number = str(version.facts.get("model_version") or version.semantic)
    return str(version.facts.get("model_id") or f"{model.name}_v{number.partition('.')[0]}"), number


def _row(decision: Decision, model: Model, version: ModelVersion) -> tuple[object, ...]:
    name, number = names_of(model, version)
    family = name.rsplit("_v", 1)[0]
    at = decision.at.isoformat()
    return family, "ALL", name, number, decision.role, decision.fraction, at, decision.approved, decision.reason
