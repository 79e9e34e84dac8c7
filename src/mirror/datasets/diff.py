"""What differs between two views of a dataset: schema and counts from the catalog, rows where files differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mirror.datasets.errors import DiffKeyError
from mirror.datasets.ports import whole_input
from mirror.datasets.records import StoredFile, View
from mirror.datasets.storage import Storage, local_paths

if TYPE_CHECKING:
    import duckdb

_NUMBERS = frozenset({"byte", "short", "integer", "long", "float", "double"})


@dataclass(frozen=True)
class ColumnChange:
    """One column over the keys that both sides have.

    Attributes:
        changed: keys whose value differs (null equals null).
        nulls / mean: of the column on either side, over the compared rows; ``mean`` is for numbers.
    """

    column: str
    changed: int
    nulls: tuple[int, int]
    mean: tuple[float | None, float | None] | None = None


@dataclass(frozen=True)
class DatasetDiff:
    """The difference from ``before`` to ``after``.

    Attributes:
        schema: one sentence per column that was added, removed or has another type.
        rows: on either side, where known.
        shared_files: files both views hold with the same content; they are not read.
        keys: added, removed, changed; ``None`` when no key was given or nothing had to be read.
    """

    dataset: str
    branches: tuple[str, str]
    transactions: tuple[str | None, str | None]
    schema: tuple[str, ...]
    rows: tuple[int | None, int | None]
    files: tuple[int, int]
    shared_files: int
    identical: bool
    keys: Mapping[str, int] | None = None
    columns: tuple[ColumnChange, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {**vars(self), "columns": [vars(c) for c in self.columns]}


def diff(before: View, after: View, storage: Storage, key: Sequence[str] = ()) -> DatasetDiff:
    """Compares two views of one dataset.

    Args:
        key: columns that identify a row; without it rows are not compared.

    Raises DiffKeyError for an unknown key column, a key that is not unique, or rows that are not Parquet.
    """
    shared = {(f.path, f.sha256) for f in before.files} & {(f.path, f.sha256) for f in after.files}
    identical = len(shared) == len(before.files) == len(after.files) and before.schema == after.schema
    keys: dict[str, int] | None = None
    columns: tuple[ColumnChange, ...] = ()
    if key and not identical:
        keys, columns = _compare(before, after, storage, tuple(key), shared)
    elif key:
        keys = {"added": 0, "removed": 0, "changed": 0}
    return DatasetDiff(
        dataset=before.dataset.path,
        branches=(before.branch, after.branch),
        transactions=(before.end_rid, after.end_rid),
        schema=_schema_changes(before, after),
        rows=(before.rows, after.rows),
        files=(len(before.files), len(after.files)),
        shared_files=len(shared),
        identical=identical,
        keys=keys,
        columns=columns,
    )


def _types(view: View) -> dict[str, Any]:
    return {} if view.schema is None else {f["name"]: f["type"] for f in view.schema.fields["fields"]}


def _schema_changes(before: View, after: View) -> tuple[str, ...]:
    old, new = _types(before), _types(after)
    added = [f"column {name!r} ({new[name]}) was added" for name in new if name not in old]
    removed = [f"column {name!r} ({old[name]}) was removed" for name in old if name not in new]
    retyped = [f"column {n!r} is {new[n]} instead of {old[n]}" for n in new if n in old and new[n] != old[n]]
    return (*added, *removed, *retyped)


def _compare(
    before: View, after: View, storage: Storage, key: tuple[str, ...], shared: set[tuple[str, str]]
) -> tuple[dict[str, int], tuple[ColumnChange, ...]]:
    import duckdb

    old, new = _types(before), _types(after)
    for column in key:
        if column not in old or column not in new:
            raise DiffKeyError(before.dataset.path, f"no column {column!r} on both sides", tuple(sorted(old)))
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        _load(connection, "old_rows", before, storage, shared)
        _load(connection, "new_rows", after, storage, shared)
        names = ", ".join(map(_quoted, key))
        for table, view in (("old_rows", before), ("new_rows", after)):
            total, distinct = _one(
                connection, f"SELECT count(*), count(DISTINCT ({names},)) FROM {table}"  # noqa: S608 - quoted names
            )  # fmt: skip
            if total != distinct:
                what = f"key ({', '.join(key)}) is not unique on {view.branch}: {total - distinct} repeated row(s)"
                raise DiffKeyError(before.dataset.path, what, ())
        on = " AND ".join(f"o.{_quoted(c)} IS NOT DISTINCT FROM n.{_quoted(c)}" for c in key)
        common = [c for c in old if c in new and c not in key]
        differs = [f"o.{_quoted(c)} IS DISTINCT FROM n.{_quoted(c)}" for c in common]
        any_differs = " OR ".join(differs) or "false"
        pairs = f"old_rows o JOIN new_rows n ON {on}"
        matched, changed = _one(connection, f"SELECT count(*), count(*) FILTER ({any_differs}) FROM {pairs}")  # noqa: S608
        (in_old,), (in_new,) = (_one(connection, f"SELECT count(*) FROM {t}") for t in ("old_rows", "new_rows"))  # noqa: S608
        columns = [_column(connection, c, old[c], pairs, d) for c, d in zip(common, differs, strict=True)]
    keys = {"added": in_new - matched, "removed": in_old - matched, "changed": changed}
    return keys, tuple(c for c in columns if c.changed)


def _column(connection: duckdb.DuckDBPyConnection, name: str, kind: Any, pairs: str, differs: str) -> ColumnChange:
    column = _quoted(name)
    number = isinstance(kind, str) and (kind in _NUMBERS or kind.startswith("decimal"))
    means = f", avg(o.{column}), avg(n.{column})" if number else ""
    counts = f"count(*) FILTER ({differs}), count(*) - count(o.{column}), count(*) - count(n.{column})"
    changed, old_nulls, new_nulls, *mean = _one(connection, f"SELECT {counts}{means} FROM {pairs}")  # noqa: S608
    return ColumnChange(name, changed, (old_nulls, new_nulls), (mean[0], mean[1]) if number else None)


def _load(
    connection: duckdb.DuckDBPyConnection, table: str, view: View, storage: Storage, shared: set[tuple[str, str]]
) -> None:
    """Rows of the files that the other side lacks; with columns in paths, of the whole view."""
    schema = view.schema
    if schema is None or schema.format != "parquet":
        found = "raw files" if schema is None else schema.format
        raise DiffKeyError(view.dataset.path, f"rows are compared in Parquet, {view.branch} holds {found}", ())
    if schema.path_columns:
        folder = whole_input(view, storage).local_directory()
        paths = [f"{folder}/{f.path}" for f in view.files if not f.hidden]
    else:
        pairs = zip(view.entries, view.files, strict=True)
        paths = local_paths([entry for entry, file in pairs if not file.hidden and not _is_shared(file, shared)])
    if not paths:
        columns = ", ".join(f"NULL AS {_quoted(name)}" for name in schema.columns)
        connection.execute(f"CREATE TABLE {table} AS SELECT {columns} LIMIT 0")
        return
    options = f"union_by_name = true, hive_partitioning = {str(bool(schema.path_columns)).lower()}"
    connection.execute(f"CREATE TABLE {table} AS SELECT * FROM read_parquet(?, {options})", [paths])  # noqa: S608


def _is_shared(file: StoredFile, shared: set[tuple[str, str]]) -> bool:
    return (file.path, file.sha256) in shared


def _one(connection: duckdb.DuckDBPyConnection, statement: str) -> tuple[Any, ...]:
    row = connection.execute(statement).fetchone()
    assert row is not None  # noqa: S101 - aggregates give one row
    return tuple(row)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
