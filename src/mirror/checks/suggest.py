"""Expectations that a dataset's own data propose, each with its reason: code to read, adjust and paste.

One pass over the rows, one for enumerations, one job per candidate key; the history costs nothing. A suggestion
describes what was seen; whether it must hold is for its author to decide, so nothing here is ever applied by itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F
from pyspark.sql import types as T

from mirror.checks.columns import ref
from mirror.checks.jobs import as_one_job
from mirror.checks.key_hashes import MEMORY_BOUND_ROWS, hashable, proved_unique
from mirror.checks.sensitivity import hides
from mirror.checks.subject import CheckSubject
from mirror.checks.suggest_history import Commit, from_history
from mirror.checks.suggestion import Suggestion
from transforms import expectations as E

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

LOW_SHARE, HIGH_SHARE = 0.001, 0.999
"""Ranges leave a thousandth of the values outside on each side: an outlier seen once is no bound."""

MOST_ALLOWED = 20
"""A text column with more distinct values than this is no enumeration."""

ENOUGH_ROWS = 100
"""Fewer rows show no range and no enumeration."""

_ACCURACY = 10_000


def suggest(subject: CheckSubject, commits: Sequence[Commit] = ()) -> list[Suggestion]:
    """What the rows of a dataset with a schema propose, column by column, and what its ``commits`` do, oldest first.

    Nothing on an empty dataset, and nothing that shows a value of a sensitive column.
    """
    frame = subject.frame()
    fields = [f for f in frame.schema.fields if not isinstance(f.dataType, T.ArrayType | T.MapType | T.StructType)]
    wanted: dict[str, Column] = {"rows": F.count(F.lit(1))}
    for field in fields:
        wanted |= {f"{name}:{field.name}": column for name, column in _measures(field).items()}
    renamed = [column.alias(f"a{i}") for i, column in enumerate(wanted.values())]
    row = dict(zip(wanted, as_one_job(frame.agg(*renamed)).collect()[0], strict=True))
    if not row["rows"]:
        return []
    row |= _enumerations(frame, fields, row)
    found = [_suggested(field, row, hidden=hides(subject.sensitive, field.name)) for field in fields]
    shown = [f for f in fields if not hides(subject.sensitive, f.name)]
    newest = {f.name: at.replace(tzinfo=UTC) for f in shown if (at := row.get(f"newest:{f.name}")) is not None}
    return [*_keys(frame, fields, row), *(s for some in found for s in some), *from_history(commits, newest)]


def _measures(field: T.StructField) -> dict[str, Column]:
    column = ref(field.name)
    measures = {"values": F.count(column)}
    if isinstance(field.dataType, T.NumericType):
        as_double = column.cast("double")
        usable = F.when(~F.isnan(as_double), as_double)
        measures["range"] = F.percentile_approx(usable, [LOW_SHARE, HIGH_SHARE], _ACCURACY)
        measures["nan"] = F.count(F.when(F.isnan(as_double), 1))
    if isinstance(field.dataType, T.TimestampType):
        # In UTC whatever the zone of the process: collected instants come in its zone, and without saying so.
        measures["newest"] = F.max(column).cast("timestamp_ntz")
    if isinstance(field.dataType, T.StringType | T.IntegralType):
        measures["distinct"] = F.approx_count_distinct(column)
    return measures


def _enumerations(frame: DataFrame, fields: list[T.StructField], row: dict[str, Any]) -> dict[str, Any]:
    """The values of text columns that have few of them; one more job, and only where there is such a column."""
    few = [
        f.name for f in fields if isinstance(f.dataType, T.StringType) and 0 < row[f"distinct:{f.name}"] <= MOST_ALLOWED
    ]
    if not few:
        return {}
    sets = [F.array_sort(F.collect_set(ref(name))).alias(f"a{i}") for i, name in enumerate(few)]
    found = as_one_job(frame.agg(*sets)).collect()[0]
    return {f"allowed:{name}": values for name, values in zip(few, found, strict=True)}


def _suggested(field: T.StructField, row: dict[str, Any], *, hidden: bool) -> list[Suggestion]:
    name, rows, values = field.name, row["rows"], row[f"values:{field.name}"]
    column, made = E.col(name), []
    if values == rows:
        made.append(Suggestion(f"{name} present", column.non_null(), f"no null in {rows} rows"))
    elif values:
        share = (rows - values) / rows
        limit = min(1.0, round(2 * share, 3) or 0.001)
        reason = f"{share:.2%} of {rows} rows are null; twice that is allowed"
        made.append(Suggestion(f"{name} nulls", column.null_percentage().lte(limit), reason))
    if rows < ENOUGH_ROWS or hidden:
        return made
    bounds = row.get(f"range:{name}")
    if bounds and bounds[0] < bounds[1] and all(map(math.isfinite, bounds)) and not _is_key(name, row):
        low, high = (int(b) if isinstance(field.dataType, T.IntegralType) else float(b) for b in bounds)
        reason = f"99.8% of {values} values lie between these"
        made.append(Suggestion(f"{name} range", E.all(column.gte(low), column.lte(high)), reason))
    allowed = row.get(f"allowed:{name}")
    if allowed and len(allowed) <= MOST_ALLOWED and len(allowed) * 10 <= values:
        listed = [*allowed, None] if values < rows else allowed
        made.append(Suggestion(f"{name} allowed", column.is_in(*listed), f"the only values among {values}"))
    return made


def _is_key(name: str, row: dict[str, Any]) -> bool:
    """Whether a column looks like a key: no null, and about as many distinct values as rows."""
    distinct = row.get(f"distinct:{name}")
    return distinct is not None and row[f"values:{name}"] == row["rows"] and distinct >= 0.8 * row["rows"]


def _keys(frame: DataFrame, fields: list[T.StructField], row: dict[str, Any]) -> list[Suggestion]:
    made = []
    for field in fields:
        likely = _is_key(field.name, row) and row["rows"] <= MEMORY_BOUND_ROWS and hashable(frame.schema, [field.name])
        if likely and proved_unique(frame, [field.name], ()):
            reason = f"unique and never null in {row['rows']} rows"
            made.append(Suggestion(f"{field.name} is a key", E.primary_key(field.name), reason))
    return made
