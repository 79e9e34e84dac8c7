"""What the catalog says, as frozen values: datasets, branches, transactions, files, views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from mirror.datasets.storage.protocol import Storage
from transforms.ports import FileEntry


def is_hidden(path: str) -> bool:
    """Whether a reader of tables skips the file: its name begins with ``.`` or ``_``."""
    return path.rsplit("/", 1)[-1].startswith((".", "_"))


class TransactionType(StrEnum):
    """What a transaction does to the view (fact sheet, section 1.3)."""

    SNAPSHOT = "SNAPSHOT"
    """Starts a new view that holds only its files."""
    APPEND = "APPEND"
    """Adds files; naming an existing path makes the commit fail."""
    UPDATE = "UPDATE"
    """Adds files and may replace existing ones."""
    DELETE = "DELETE"
    """Removes file references; bytes stay until they are collected."""


class TransactionStatus(StrEnum):
    """OPEN takes files; COMMITTED and ABORTED are final."""

    OPEN = "OPEN"
    COMMITTED = "COMMITTED"
    ABORTED = "ABORTED"


@dataclass(frozen=True)
class Dataset:
    """A named history of files."""

    rid: str
    path: str

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Branch:
    """A pointer to a transaction. ``parent`` is ancestry, which is kept apart from the transaction chain."""

    dataset_rid: str
    name: str
    parent: str | None
    head: str | None
    protected: bool = False


@dataclass(frozen=True)
class Transaction:
    """One atomic change of a dataset on a branch. ``parent`` is the transaction before it in the chain."""

    rid: str
    dataset_rid: str
    branch: str
    sequence: int
    parent: str | None
    type: TransactionType
    status: TransactionStatus
    opened_at: datetime
    closed_at: datetime | None
    owner: str
    schema_key: str | None = None
    retention: bool = False


@dataclass(frozen=True)
class StoredFile:
    """One file reference of one transaction; ``removed`` marks the references that a DELETE takes away.

    Attributes:
        location: relative to the storage root.
        modified: milliseconds since the epoch.
        rows: from the Parquet footer or counted at ingestion; ``None`` where nobody knows without reading.
    """

    transaction_rid: str
    path: str
    location: str
    size: int
    sha256: str
    modified: int
    rows: int | None = None
    removed: bool = False

    @property
    def hidden(self) -> bool:
        """Whether a reader of tables skips it."""
        return is_hidden(self.path)


@dataclass(frozen=True)
class StoredSchema:
    """How the files of a view are to be read.

    Attributes:
        format: ``parquet``, ``csv``, ``json``, ``orc``, ``text`` or ``avro``.
        fields: the Spark schema as JSON (``StructType.jsonValue()``), every column nullable.
        options: reader options (delimiter, header, ...).
        path_columns: columns that are not in the files but in their logical path (``name=value``).
        layout: what the writer was asked for and readers need not know (bucketing, sorting), shown by ``mirror show``.
    """

    format: str
    fields: Mapping[str, Any]
    options: Mapping[str, str] = field(default_factory=dict)
    path_columns: tuple[str, ...] = ()
    column_descriptions: Mapping[str, str] = field(default_factory=dict)
    column_typeclasses: Mapping[str, Any] = field(default_factory=dict)
    layout: Mapping[str, Any] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(entry["name"] for entry in self.fields["fields"])

    def to_json(self) -> dict[str, Any]:
        """A JSON document; equal schemas give equal documents."""
        return {
            "format": self.format,
            "fields": self.fields,
            "options": dict(self.options),
            "path_columns": list(self.path_columns),
            "column_descriptions": dict(self.column_descriptions),
            "column_typeclasses": dict(self.column_typeclasses),
            "layout": dict(self.layout),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> StoredSchema:
        """The inverse of :meth:`to_json`."""
        return cls(**{**document, "path_columns": tuple(document.get("path_columns", ()))})


@dataclass(frozen=True)
class View:
    """The effective files of a dataset, for a branch, at a point of its history.

    Attributes:
        branch: the branch asked for; files may come from its parents' transactions.
        transactions: the chain from the view's start, oldest first.
        files: ordered by logical path.
        storage: the root that locations are relative to.
    """

    dataset: Dataset
    branch: str
    transactions: tuple[Transaction, ...]
    files: tuple[StoredFile, ...]
    schema: StoredSchema | None
    storage: Storage

    @property
    def root(self) -> str:
        """The root's own name."""
        return self.storage.root

    @property
    def start_rid(self) -> str | None:
        """The transaction that starts the view."""
        return self.transactions[0].rid if self.transactions else None

    @property
    def end_rid(self) -> str | None:
        """The newest transaction of the view."""
        return self.transactions[-1].rid if self.transactions else None

    @property
    def rows(self) -> int | None:
        """Rows of the visible files, or ``None`` where one of them does not tell, or where there is no schema."""
        if self.schema is None:
            return None
        counts = [f.rows for f in self.files if not f.hidden]
        return None if any(c is None for c in counts) else sum(c for c in counts if c is not None)

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(f.size for f in self.files)

    @cached_property
    def entries(self) -> tuple[FileEntry, ...]:
        """The files as ports hand them out."""
        return tuple(self.storage.entry(f.path, f.size, f.modified, f.location) for f in self.files)
