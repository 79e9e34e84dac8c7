"""Files from outside into a dataset: verified first, then one transaction, or none where nothing is new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mirror.datasets import schema as schemas
from mirror.datasets.errors import (
    BranchNotFoundError,
    DatasetNotFoundError,
    GuestNotFoundError,
    SchemaMismatchError,
    UnreadableFileError,
    WrongHeaderError,
)
from mirror.datasets.records import Dataset, StoredSchema, TransactionType, View
from mirror.datasets.sources import SourceDeclaration, find_declarations
from mirror.datasets.storage import sha256_of
from mirror.datasets.workspace import Workspace

_PARQUET_MAGIC = b"PAR1"


@dataclass(frozen=True)
class IngestResult:
    """What became of one ``mirror ingest``.

    Attributes:
        transaction: RID, or ``None`` where everything was in the view already.
        added / unchanged: logical paths.
        rows: of the added files, where known.
    """

    dataset: str
    branch: str
    created: bool
    type: str
    transaction: str | None
    added: tuple[str, ...]
    unchanged: tuple[str, ...]
    rows: int | None

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return vars(self)


@dataclass(frozen=True)
class _Incoming:
    logical: str
    path: Path
    sha256: str
    rows: int | None = None


def ingest(
    workspace: Workspace,
    name: str,
    files: Sequence[str],
    *,
    branch: str,
    kind: TransactionType = TransactionType.APPEND,
    infer_schema: bool = False,
) -> IngestResult:
    """Ingests local files (folders: everything below them) under their names; with DELETE, takes logical paths away.

    A dataset that does not exist is made when ``name`` is a full path. Everything that can be wrong with a file is
    found before the transaction is opened.

    Raises DatasetNotFoundError, ProfileError, WrongHeaderError, UnreadableFileError, SchemaMismatchError,
    AppendOverwritesError, DeleteMissingError, TransactionOpenError, StorageUnwritableError.
    """
    store = workspace.store
    declarations = _declarations(workspace)
    path = _target_path(workspace, name, declarations)
    existing = store.find(path)
    if kind is TransactionType.DELETE:
        if existing is None:
            raise DatasetNotFoundError(name, tuple(d.path for d in store.datasets()))
        return _delete(workspace, existing, files, branch)
    incoming = _collect(files)
    for declaration in declarations:
        if declaration.dataset == path:
            for file in incoming:
                declaration.verify(file.path)
            if not any(declaration.may_read(file.path) for file in incoming):
                problem = f"none of the {len(incoming)} files is one that `source.files` names"
                raise WrongHeaderError(incoming[0].logical, path, (problem,), str(declaration.profile))
    schema, incoming = _schema(incoming, infer_schema)
    view = None if existing is None else _view(workspace, existing, branch)
    named = any(declaration.named_files for declaration in declarations if declaration.dataset == path)
    new = _new_files(incoming, view, kind, named)
    if not new and schema is not None and view is not None and view.schema is None and _covers(incoming, view):
        # The same bytes as a table: what a frame reads changes although no file does.
        new, kind = incoming, TransactionType.SNAPSHOT
    unchanged = tuple(file.logical for file in incoming if file not in new)
    if existing is not None and view is not None and view.schema and schema and kind is not TransactionType.SNAPSHOT:
        problems = schemas.differences(view.schema, schema)
        if problems and new and view.files:
            raise SchemaMismatchError(path, branch, problems)
    if not new:
        return IngestResult(path, branch, False, kind.value, None, (), unchanged, None)
    dataset = existing or store.create(path)
    with store.transaction(dataset, branch, kind) as transaction:
        transaction.schema = schema
        for file in new:
            transaction.add(file.path, file.logical, rows=file.rows)
    counts = [f.rows for f in store.view(dataset, branch).files if f.transaction_rid == transaction.rid]
    rows = None if schema is None or None in counts else sum(c for c in counts if c is not None)
    added = tuple(file.logical for file in new)
    return IngestResult(path, branch, existing is None, kind.value, transaction.rid, added, unchanged, rows)


def _declarations(workspace: Workspace) -> tuple[SourceDeclaration, ...]:
    try:
        root = workspace.config.source_root
    except GuestNotFoundError:
        return ()
    return find_declarations(root)


def _target_path(workspace: Workspace, name: str, declarations: Sequence[SourceDeclaration]) -> str:
    name = workspace.store.rids.get(name, name)
    if name.startswith(("/", "ri.")):
        return name
    known = {d.path for d in workspace.store.datasets()} | {d.dataset for d in declarations}
    if name in known:
        return name
    ending = [path for path in known if path.endswith("/" + name)]
    if len(ending) == 1:
        return ending[0]
    return workspace.store.dataset(name).path if not ending else _ambiguous(name, ending)


def _ambiguous(name: str, paths: Sequence[str]) -> str:
    from mirror.datasets.errors import AmbiguousDatasetError

    raise AmbiguousDatasetError(name, tuple(sorted(paths)))


def _view(workspace: Workspace, dataset: Dataset, branch: str) -> View | None:
    try:
        return workspace.store.view(dataset, branch)
    except BranchNotFoundError:
        return None


def _collect(files: Sequence[str]) -> list[_Incoming]:
    found: dict[str, _Incoming] = {}
    for given in files:
        path = Path(given)
        if not path.exists():
            raise UnreadableFileError(given, "there is no such file")
        members = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        if not members:
            raise UnreadableFileError(given, "it is a folder without files, or no regular file")
        for member in members:
            logical = member.name if path.is_file() else member.relative_to(path).as_posix()
            if logical in found:
                raise UnreadableFileError(str(member), f"{found[logical].path} has the same name {logical!r}")
            try:
                found[logical] = _Incoming(logical, member, sha256_of(member))
            except OSError as error:
                raise UnreadableFileError(str(member), error.strerror or str(error)) from error
    return list(found.values())


def _new_files(incoming: Sequence[_Incoming], view: View | None, kind: TransactionType, named: bool) -> list[_Incoming]:
    if view is None or not view.transactions:
        return list(incoming)
    if kind is TransactionType.SNAPSHOT:
        same = {(f.logical, f.sha256) for f in incoming} == {(f.path, f.sha256) for f in view.files}
        return [] if same else list(incoming)
    if named:
        both = {(f.path, f.sha256) for f in view.files}
        return [f for f in incoming if (f.logical, f.sha256) not in both]
    held = {f.sha256 for f in view.files}
    return [f for f in incoming if f.sha256 not in held]


def _covers(incoming: Sequence[_Incoming], view: View) -> bool:
    return {f.sha256 for f in view.files} <= {f.sha256 for f in incoming}


def _schema(incoming: list[_Incoming], infer: bool) -> tuple[StoredSchema | None, list[_Incoming]]:
    parquet = [f for f in incoming if _is_parquet(f.path)]
    if not parquet:
        return _delimited_schema(incoming) if infer else (None, incoming)
    if len(parquet) != len(incoming):
        other = next(f for f in incoming if f not in parquet)
        raise UnreadableFileError(str(other.path), "it is no Parquet file while others are; take two datasets")
    import pyarrow as pa

    partitions = schemas.path_columns_of([f.logical for f in incoming])
    merged: StoredSchema | None = None
    counted = []
    for file in incoming:
        try:
            fields, rows = schemas.fields_of_parquet(file.path)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, ValueError) as error:
            raise UnreadableFileError(str(file.path), f"it is no readable Parquet file ({error})") from error
        inside = {f["name"] for f in fields["fields"]}
        outside = tuple(name for name in partitions if name not in inside)
        extra = [{"name": name, "type": "string", "nullable": True, "metadata": {}} for name in outside]
        one = StoredSchema("parquet", {"type": "struct", "fields": [*fields["fields"], *extra]}, path_columns=outside)
        merged = one if merged is None else _agreed(merged, one, file.path, incoming[0].path)
        counted.append(_Incoming(file.logical, file.path, file.sha256, rows))
    return merged, counted


def _agreed(merged: StoredSchema, one: StoredSchema, file: Path, first: Path) -> StoredSchema:
    if problems := schemas.differences(merged, one):
        raise UnreadableFileError(str(file), f"it does not fit {first.name}: {'; '.join(problems)}")
    return schemas.extended(merged, one)


def _delimited_schema(incoming: list[_Incoming]) -> tuple[StoredSchema, list[_Incoming]]:
    """A schema from the text itself: types that hold for every file, the same header in every file."""
    import pyarrow as pa
    import pyarrow.csv

    tables = []
    for file in incoming:
        try:
            tables.append(pyarrow.csv.read_csv(file.path))
        except (pa.ArrowInvalid, OSError) as error:
            raise UnreadableFileError(str(file.path), f"no schema can be inferred ({error})") from error
        if tables[-1].column_names != tables[0].column_names:
            raise UnreadableFileError(str(file.path), f"its header differs from that of {incoming[0].path.name}")
    try:
        unified = pa.unify_schemas([table.schema for table in tables], promote_options="permissive")
    except pa.ArrowTypeError as error:
        raise UnreadableFileError(str(incoming[0].path), f"the files have different types ({error})") from error
    fields = [(f.name, _csv_type(f.type)) for f in unified]
    schema = StoredSchema(
        format="csv",
        fields={
            "type": "struct",
            "fields": [{"name": name, "type": kind, "nullable": True, "metadata": {}} for name, kind in fields],
        },
        options={"header": "true", "sep": ",", "encoding": "UTF-8"},
    )
    counted = [_Incoming(f.logical, f.path, f.sha256, t.num_rows) for f, t in zip(incoming, tables, strict=True)]
    return schema, counted


def _csv_type(kind: Any) -> str:
    import pyarrow.types as pt

    for matches, name in (
        (pt.is_boolean, "boolean"),
        (pt.is_integer, "long"),
        (pt.is_floating, "double"),
        (pt.is_date, "date"),
        (pt.is_timestamp, "timestamp"),
    ):
        if matches(kind):
            return name
    return "string"


def _is_parquet(path: Path) -> bool:
    if path.suffix in (".parquet", ".pq"):
        return True
    with path.open("rb") as stream:
        return stream.read(4) == _PARQUET_MAGIC


def _delete(workspace: Workspace, dataset: Dataset, paths: Sequence[str], branch: str) -> IngestResult:
    with workspace.store.transaction(dataset, branch, TransactionType.DELETE) as transaction:
        for path in paths:
            transaction.remove(path)
    removed = tuple(paths)
    return IngestResult(dataset.path, branch, False, "DELETE", transaction.rid, removed, (), None)
