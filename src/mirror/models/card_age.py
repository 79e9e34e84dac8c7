"""How old the data are that a version learned from, by the clock of the data: without new data no model ages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow.compute as pc
import pyarrow.parquet as pq

from mirror.datasets.storage import local_paths
from mirror.models.criteria.base import Candidate


@dataclass(frozen=True)
class DataTime:
    """Where the clock of the data is read.

    Attributes:
        dataset: path; ``{fleet}`` stands for the folder that holds the model's ``models`` folder.
        column: its timestamps; the newest one is now.
        trained_through: parameter of the version's experiment that holds the end of its training data.
    """

    dataset: str
    column: str
    trained_through: str


def age_of_data(candidate: Candidate, rule: DataTime) -> timedelta | None:
    """From the end of the training data to the newest data; ``None`` when either was not recorded."""
    told = (candidate.version.experiment or {}).get("parameters", {}).get(rule.trained_through)
    newest = newest_data(candidate, rule)
    if not isinstance(told, str) or newest is None:
        return None
    trained = datetime.fromisoformat(told)
    return newest - (trained if trained.tzinfo else trained.replace(tzinfo=UTC))


def newest_data(candidate: Candidate, rule: DataTime) -> datetime | None:
    """The newest timestamp on the default branch; ``None`` without dataset, column or rows."""
    workspace = candidate.registry.workspace
    path = rule.dataset.replace("{fleet}", candidate.model.path.rsplit("/models/", 1)[0])
    dataset = workspace.store.find(path)
    if dataset is None:
        return None
    view = workspace.store.view(dataset, workspace.config.default_branch)
    files = local_paths([entry for entry in view.entries if entry.path.endswith(".parquet")])
    if not files or rule.column not in pq.read_schema(files[0]).names:
        return None
    found = [pc.max(pq.ParquetFile(file).read([rule.column]).column(0)).as_py() for file in files]
    known = [one for one in found if one is not None]
    if not known:
        return None
    newest: datetime = max(known)
    return newest if newest.tzinfo else newest.replace(tzinfo=UTC)
