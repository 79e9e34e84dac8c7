"""Scores of a candidate and of the champion over the same rows, for criteria that compare them.

Rows come from a dataset of the model's own fleet, every n-th of them, so that memory stays bounded and two runs look
at the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from mirror.datasets.storage import local_paths
from mirror.models.criteria.base import Candidate, Criterion, Finding
from mirror.models.records import ModelVersion, Outcome
from mirror.models.subsets import subsets

if TYPE_CHECKING:
    import pandas as pd

    from mirror.located import Located

SETTINGS = ("dataset", "rows", "score", "flag", "where", "lookup", "subsets", "subset_rows", "min_devices")


@dataclass(frozen=True)
class Sample:
    """Which rows are scored, and which output columns hold the verdict.

    Attributes:
        dataset: path; ``{fleet}`` stands for the folder that holds the model's ``models`` folder, ``{model}`` for the
            name that the model has there.
        rows: about how many.
        score, flag: output columns of the adapter.
        where: ``(column, smallest, largest)`` of rows that count; a text ``$name`` is the fact ``name`` of the version.
        lookup: dataset with one row per ``device_id`` whose further columns are joined to the rows.
        subsets: columns by whose values (or quarters) the rows are judged again, part by part.
        subset_rows: smaller parts are not judged by themselves.
        min_devices: in a smaller fleet one failing unit is more than a share can bear, so shares claim nothing.
    """

    dataset: str
    rows: int = 20_000
    score: str = "anomaly_score"
    flag: str = "anomaly_flag"
    where: tuple[tuple[str, Any, Any], ...] = ()
    lookup: str | None = None
    subsets: tuple[str, ...] = ()
    subset_rows: int = 100
    min_devices: int = 0

    @classmethod
    def read(cls, settings: Mapping[str, Located]) -> Self:
        """From the settings of a check."""
        given: dict[str, Any] = {
            k: settings[k].text(k) for k in ("dataset", "score", "flag", "lookup") if k in settings
        }
        if "rows" in settings:
            given["rows"] = settings["rows"].count("rows")
        counts = ("subset_rows", "min_devices")
        given.update({name: settings[name].count(name) for name in counts if name in settings})
        if "subsets" in settings:
            given["subsets"] = tuple(one.text("an entry of subsets") for one in settings["subsets"].items("subsets"))
        if "where" in settings:
            given["where"] = tuple(_bounds(n, v) for n, v in settings["where"].mapping("where").items())
        return cls(**given)

    def scored(self, candidate: Candidate, version: ModelVersion | None = None) -> pd.DataFrame:
        """The sample with the outputs of a version (default: the candidate); scored once per judgement.

        Raises:
            CannotJudgeError: the dataset has no rows, or the adapter gives no such column.
        """
        version = version or candidate.version
        # how the rows are judged does not change their scores
        key = (version.rid, replace(self, subsets=(), subset_rows=0, min_devices=0))
        if key not in candidate.scored:
            candidate.scored[key] = self._score(candidate, version)
        return candidate.scored[key]

    def too_small(self, scored: pd.DataFrame) -> str | None:
        """Why shares of these rows claim nothing, or ``None``."""
        devices = int(scored["device_id"].nunique()) if self.min_devices else 0
        if devices >= self.min_devices:
            return None
        return f"{devices} devices, {self.min_devices} are needed for a share to mean anything"

    def path(self, candidate: Candidate) -> str:
        """The dataset of the candidate's fleet."""
        fleet, _, name = candidate.model.path.rpartition("/models/")
        return self.dataset.replace("{fleet}", fleet or candidate.model.path).replace("{model}", name)

    def frame(self, candidate: Candidate) -> pd.DataFrame:
        """The rows as stored. Raises CannotJudgeError when there are none."""
        rows = sample_rows(candidate, self.path(candidate), self.rows, self.where)
        if self.lookup is None:
            return rows
        known = stored_rows(candidate, replace(self, dataset=self.lookup).path(candidate))
        own = [name for name in known.columns if name == "device_id" or name not in rows.columns]
        return rows.merge(known[own].drop_duplicates("device_id"), on="device_id", how="left", validate="many_to_one")

    def _score(self, candidate: Candidate, version: ModelVersion) -> pd.DataFrame:
        results = candidate.adapter(version).transform(self.frame(candidate))
        frame: pd.DataFrame = results[next(iter(results))]
        for column in (self.score, self.flag):
            if column not in frame.columns:
                raise CannotJudgeError(f"version {version.semantic} gives no column {column!r}")
        return frame


class CannotJudgeError(Exception):
    """Why a criterion has nothing to look at; becomes a PENDING verdict."""


class Compared(Criterion):
    """What criteria over scored rows share: without a champion they pass, without rows they are pending."""

    sample: Sample

    def judge(self, candidate: Candidate) -> Finding:
        """Compares the two versions over the same rows."""
        if candidate.champion is None:
            return Finding(Outcome.PASS, "there is no version in production to compare with")
        try:
            mine, theirs = self.sample.scored(candidate), self.sample.scored(candidate, candidate.champion)
        except CannotJudgeError as error:
            return Finding(Outcome.PENDING, str(error))
        whole = self.compare(mine, theirs)
        if whole.outcome is not Outcome.PASS:
            return whole
        judged = 0
        for column in self.sample.subsets:
            if column not in mine.columns:
                return Finding(Outcome.PENDING, f"the scored rows have no column {column!r}")
            for name, part in subsets(mine, column, self.sample.subset_rows):
                found, judged = self.compare(part, theirs.loc[part.index]), judged + 1
                if found.outcome is not Outcome.PASS:
                    return Finding(found.outcome, f"in subset {name}: {found.detail}")
        return Finding(whole.outcome, f"{whole.detail}; so in {judged} subsets") if judged else whole

    def compare(self, mine: pd.DataFrame, theirs: pd.DataFrame) -> Finding:
        """The verdict over two frames with the same rows in the same order."""
        raise NotImplementedError


def stored_rows(candidate: Candidate, path: str) -> pd.DataFrame:
    """Every row of a small dataset. Raises as :func:`sample_rows`."""
    return sample_rows(candidate, path, 10**9)


def sample_rows(
    candidate: Candidate, path: str, rows: int, where: tuple[tuple[str, Any, Any], ...] = ()
) -> pd.DataFrame:
    """Every n-th row (of those that count) of a dataset on the workspace's default branch, in the order of its files.

    Raises:
        CannotJudgeError: no dataset, no such column, no rows, or a fact that the version does not have.
    """
    import pyarrow as pa
    import pyarrow.dataset as ds

    workspace = candidate.registry.workspace
    dataset = workspace.store.find(path)
    if dataset is None:
        raise CannotJudgeError(f"there is no dataset {path} to score")
    view = workspace.store.view(dataset, workspace.config.default_branch)
    files = local_paths([e for e in view.entries if e.path.endswith(".parquet")])
    if not files:
        raise CannotJudgeError(f"{path} holds no rows to score")
    source = ds.dataset(files, format="parquet")
    counts = _filter(candidate, source.schema.names, where, path)
    step = max(1, -(-source.count_rows(filter=counts) // rows))
    picked: list[Any] = []
    seen = 0
    for batch in source.to_batches(filter=counts):
        wanted = np.arange((-seen) % step, batch.num_rows, step)
        picked.append(batch.take(pa.array(wanted)))
        seen += batch.num_rows
    if seen == 0:
        raise CannotJudgeError(f"{path} holds no rows to score")
    return pa.Table.from_batches(picked).to_pandas()


def _bounds(column: str, entry: Located) -> tuple[str, Any, Any]:
    value = entry.value
    if isinstance(value, dict):
        parts = entry.mapping(f"where {column}", known=("min", "max"))
        low, high = (parts[key].value if key in parts else None for key in ("min", "max"))
        return column, low, high
    return column, value, value


def _filter(candidate: Candidate, columns: list[str], where: tuple[tuple[str, Any, Any], ...], path: str) -> Any:
    import pyarrow.dataset as ds

    found: Any = None
    for column, low, high in where:
        if column not in columns:
            raise CannotJudgeError(f"{path} has no column {column!r}")
        low, high = (_fact(candidate, bound) for bound in (low, high))
        parts = [ds.field(column) >= low] if low is not None else []
        parts += [ds.field(column) <= high] if high is not None else []
        for part in parts:
            found = part if found is None else found & part
    return found


def _fact(candidate: Candidate, value: Any) -> Any:
    if not (isinstance(value, str) and value.startswith("$")):
        return value
    if value[1:] not in candidate.version.facts:
        raise CannotJudgeError(f"version {candidate.version.semantic} records no fact {value[1:]!r}")
    return candidate.version.facts[value[1:]]


def verdict(value: float, limit: float, text: str, *, at_most: bool = True) -> Finding:
    """PASS when ``value`` is on the right side of ``limit``."""
    inside = value <= limit if at_most else value >= limit
    return Finding(Outcome.PASS if inside else Outcome.REJECT, text)
