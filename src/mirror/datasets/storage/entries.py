"""Files of views that know their root, and how code that meets any file entry opens it."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from transforms.ports import FileEntry

if TYPE_CHECKING:
    from mirror.datasets.storage.protocol import Storage


@dataclass(frozen=True)
class StoredEntry(FileEntry):
    """A file whose bytes are reached through its root, or that Spark calls otherwise.

    Attributes:
        place: its location below the root.
    """

    place: str
    storage: Storage


@contextlib.contextmanager
def opened(entry: FileEntry) -> Iterator[str | IO[bytes]]:
    """What Arrow reads a file from, without reading more of it than asked: a local path, or a stream."""
    if not isinstance(entry, StoredEntry) or entry.location.startswith("/"):
        yield entry.location
        return
    with entry.storage.open(entry.place, parts=True) as stream:
        yield stream


def open_stream(entry: FileEntry, mode: str, **options: Any) -> IO[Any]:
    """A stream over one file, as ``io.open`` gives it."""
    if not isinstance(entry, StoredEntry):
        stream: IO[Any] = io.open(entry.location, mode, **options)  # noqa: UP020, SIM115 - the caller closes it
        return stream
    binary = entry.storage.open(entry.place)
    if "b" in mode:
        return binary
    return io.TextIOWrapper(binary, **{k: v for k, v in options.items() if k in ("encoding", "errors", "newline")})


def spark_names(entries: Sequence[FileEntry]) -> list[str]:
    """What Spark calls the files."""
    return [e.storage.spark_name(e.place) if isinstance(e, StoredEntry) else e.location for e in entries]


def local_paths(entries: Sequence[FileEntry]) -> list[str]:
    """The files under local paths, in order; those of a URL are fetched once."""
    remote = [e for e in entries if isinstance(e, StoredEntry) and not e.location.startswith("/")]
    if not remote:
        return [e.location for e in entries]
    folder = remote[0].storage.local_folder({e.path: e.place for e in remote})
    return [str(folder / e.path) if isinstance(e, StoredEntry) else e.location for e in entries]
