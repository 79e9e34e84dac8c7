"""Counts, nulls and ranges of a dataset's view, from the catalog and the footers of its Parquet files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mirror.datasets.storage import opened

if TYPE_CHECKING:
    from mirror.datasets.records import View


@dataclass(frozen=True)
class DataProfile:
    """``rows`` is ``None`` where the files do not tell.

    Attributes:
        null_shares: column -> share of nulls, for columns whose every file counts them.
        ranges: numeric column -> smallest and largest value.
    """

    rows: int | None
    null_shares: Mapping[str, float] = field(default_factory=dict)
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def data_profile(view: View) -> DataProfile:
    """Reads footers only; a view that is no Parquet has its count of rows and nothing else."""
    if view.schema is None or view.schema.format != "parquet":
        return DataProfile(view.rows)
    import pyarrow.parquet as pq

    rows = 0
    nulls: dict[str, int | None] = {}
    ranges: dict[str, tuple[float, float] | None] = {}
    for entry, file in zip(view.entries, view.files, strict=True):
        if file.hidden or not file.path.endswith(".parquet"):
            continue
        with opened(entry) as place:
            footer = pq.read_metadata(place)
        rows += footer.num_rows
        for group in range(footer.num_row_groups):
            for column in range(footer.num_columns):
                chunk = footer.row_group(group).column(column)
                _add(chunk, nulls, ranges)
    shares = {name: count / rows for name, count in nulls.items() if count is not None and rows}
    return DataProfile(rows, shares, {name: known for name, known in ranges.items() if known is not None})


def _add(chunk: Any, nulls: dict[str, int | None], ranges: dict[str, tuple[float, float] | None]) -> None:
    name, statistics = chunk.path_in_schema, chunk.statistics
    counted = nulls.get(name, 0)
    has_nulls = statistics is not None and statistics.has_null_count
    nulls[name] = counted + statistics.null_count if has_nulls and counted is not None else None
    if statistics is None or not statistics.has_min_max or not isinstance(statistics.min, int | float):
        # A chunk of nulls has no range and takes none away.
        if not has_nulls or statistics.null_count < chunk.num_values:
            ranges[name] = None
        return
    known = ranges.get(name, (statistics.min, statistics.max))
    if known is not None:
        ranges[name] = (min(known[0], statistics.min), max(known[1], statistics.max))
