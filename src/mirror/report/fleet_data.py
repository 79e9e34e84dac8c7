"""What sections read of one fleet: columns of its datasets through Arrow, and what the catalog says about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mirror.datasets import View, Workspace
from mirror.datasets.storage import opened
from mirror.health import AlertBook
from mirror.health.rows import read_columns, readable
from mirror.report.errors import NotThereError


@dataclass(frozen=True)
class FleetData:
    """One fleet's datasets on one branch.

    Attributes:
        prefix: the folder of its datasets.
        views: leaf name -> what is committed; a dataset without a commit is not in it.
        as_of: end of the newest commit on the branch, from which ages are counted.
        alerts: its open alerts.
    """

    workspace: Workspace
    branch: str
    prefix: str
    views: dict[str, View]
    as_of: datetime
    alerts: AlertBook
    _kept: dict[tuple[str, tuple[str, ...]], pa.Table] = field(default_factory=dict, repr=False, compare=False)

    def table(self, name: str, needed: Sequence[str], wanted: Sequence[str] = ()) -> pa.Table:
        """Columns of a dataset; of ``wanted`` those it has. Raises NotThereError when it lacks one of ``needed``."""
        view = self.view(name)
        known = view.schema.columns if view.schema is not None else ()
        lacking = [column for column in needed if column not in known]
        if lacking:
            raise NotThereError(f"{self.prefix}/{name} has no column {', '.join(lacking)}.")
        key = (name, (*needed, *wanted))
        if key not in self._kept:
            self._kept[key] = read_columns(view, [*needed, *wanted])
        if not self._kept[key].num_rows:
            raise NotThereError(f"{self.prefix}/{name} holds no rows.")
        return self._kept[key]

    def newest(self, name: str, by: str, needed: Sequence[str], wanted: Sequence[str] = ()) -> pa.Table:
        """The rows of a dataset that share the greatest ``by``."""
        table = self.table(name, (by, *needed), wanted)
        return table.filter(pc.equal(table[by], pc.max(table[by])))

    def view(self, name: str) -> View:
        """What is committed. Raises NotThereError when there is nothing, or nothing that Arrow opens."""
        view = self.views.get(name)
        if view is None or not readable(view):
            raise NotThereError(f"There is no {self.prefix}/{name} on {self.branch} yet.")
        return view

    def footers(self, name: str) -> list[pq.FileMetaData]:
        """The footers of a dataset's files, which count rows and nulls without reading any. Raises NotThereError."""
        view = self.view(name)
        found = []
        for entry, file in zip(view.entries, view.files, strict=True):
            if not file.hidden and file.rows != 0:
                with opened(entry) as source:
                    found.append(pq.read_metadata(source))
        if not found:
            raise NotThereError(f"{self.prefix}/{name} holds no rows.")
        return found


def utc(moment: datetime) -> datetime:
    """Aware, in UTC; Parquet's times without a zone are UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
