"""What every root of stored bytes does, whether it is a local folder or a URL.

    <root>/<dataset uuid>/<transaction uuid>/<encoded logical path>    staged, then committed by the catalog alone
    <root>/_scratch/<transaction uuid>/                                unfinished writes
    <root>/_views/<fingerprint>/<logical path>                         a whole view below one folder
    <root>/_models/<version uuid>.zip                                  the models room's archives

A *location* is the part after the root: relative, ``/`` between its parts, the physical name at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Protocol, TypeVar

from transforms.ports import FileEntry

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Found:
    """One file below the root; ``size`` in bytes."""

    location: str
    size: int


class Storage(Protocol):
    """A root. Implementations are plain data: they travel to Python workers and hold no connection.

    * A location holds a whole file or none: content is written under another name and renamed, or put in one request.
    * Nothing in a transaction's folder is visible to anybody before the catalog says so.
    * Every location stays below the root: ``..``, absolute paths and planted links raise PathEscapesRootError.
    * A root that cannot be written raises StorageUnwritableError, one that does not answer StorageUnreachableError.
    """

    @property
    def root(self) -> str:
        """An absolute local folder or a URL, without a slash at its end."""

    def prepare(self) -> None:
        """Makes the root where that is ours to do, and finds out whether it can be written."""

    def entry(self, path: str, size: int, modified: int, location: str) -> FileEntry:
        """A file as ports hand it out."""

    def spark_name(self, location: str) -> str:
        """What Spark calls a location."""

    def target(self, dataset_rid: str, transaction_rid: str, logical: str) -> str:
        """The location of one file of an open transaction, ready to be written. Raises PathEscapesRootError."""

    def temporary(self, folder: str) -> Path:
        """A fresh local file name, in or for a location's folder, for content that :meth:`place` takes over."""

    def place(self, source: Path, location: str) -> None:
        """Moves a finished local file (of :meth:`temporary`) to its location, durably."""

    def copy_in(self, source: Path, folder: str, location: str) -> str:
        """Copies a foreign local file byte for byte by way of ``folder``, returns its sha256."""

    def move(self, source: str, location: str) -> None:
        """Moves a file inside the root."""

    def listing(self, folder: str) -> list[Found]:
        """Every file below a location, ordered; empty where there is none."""

    def staged(self, dataset_rid: str, transaction_rid: str) -> list[tuple[str, Found]]:
        """Logical path and file of everything staged so far, ordered by logical path."""

    def open(self, location: str, *, parts: bool = False) -> IO[bytes]:
        """A seekable stream; with ``parts`` only some ranges will be read. Raises FileNotFoundError."""

    def fetch(self, location: str) -> IO[bytes]:
        """A seekable local stream over the bytes as they are now, whatever happens to the name meanwhile."""

    def size(self, location: str) -> int | None:
        """Bytes, or ``None`` where there is no file."""

    def modified(self, location: str) -> datetime | None:
        """When a file was last written, or ``None`` where there is none."""

    def sha256(self, location: str) -> str:
        """The checksum of a file's bytes; reads all of it."""

    def each(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """``function`` of every item, in order; several at once where waiting for the root is what takes time."""

    def children(self) -> list[str]:
        """The folders two levels below the root (``<dataset>/<transaction>``, ``_scratch/<transaction>``, ...)."""

    def remove(self, location: str) -> None:
        """Removes one file, if it is there."""

    def remove_tree(self, folder: str) -> None:
        """Removes everything below a location; what cannot be removed now is left to `mirror gc`."""

    def discard(self, dataset_rid: str, transaction_rid: str) -> None:
        """Removes everything an aborted transaction wrote; what cannot be removed now is left to `mirror gc`."""

    def clean(self, transaction_rid: str) -> None:
        """Removes a transaction's unfinished writes."""

    def view_folder(self, files: Mapping[str, str]) -> str:
        """Spark's name of a folder below which every file (logical path -> location) has its logical path."""

    def local_folder(self, files: Mapping[str, str]) -> Path:
        """The same as a local folder; from a URL the files are fetched once."""

    def copies(self) -> list[Path]:
        """Local folders that only hold copies of what is below the root."""
