"""A URL as root, through fsspec: object stores, HDFS, SFTP, a folder by ``file://``.

There are no hard links: a view's folder is made of copies inside the root, or of files fetched to this machine once.
Where an object store puts a whole object in one request, that is the rename; elsewhere content goes to the scratch
folder first.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import hashlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

from mirror.datasets.errors import PathEscapesRootError, StorageUnreachableError, StorageUnwritableError
from mirror.datasets.storage.client import Option, connected
from mirror.datasets.storage.entries import StoredEntry
from mirror.datasets.storage.local import assembled, copied, translated
from mirror.datasets.storage.names import (
    SCRATCH,
    VIEWS,
    checked,
    decode,
    encode,
    fingerprint,
    folder_of,
    scratch_of,
)
from mirror.datasets.storage.protocol import Found, Item, Result
from mirror.errors import MirrorError
from transforms.ports import FileEntry

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_CHUNK = 1 << 20
_AT_ONCE = 16
# Stores that put an object whole or not at all, and that know no folders.
_OBJECT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "memory"})


@dataclass(frozen=True)
class RemoteStorage:
    """A URL (``mirror.datasets.storage.protocol.Storage``).

    Attributes:
        root: as fsspec understands it.
        spark_root: what Spark calls the same place.
        cache: a local folder for fetched files.
        options: fsspec's; values that come from the environment are looked up in the process that connects.
    """

    root: str
    spark_root: str
    cache: str
    options: Mapping[str, Option] = field(default_factory=dict, hash=False)

    def prepare(self) -> None:
        """Writes and removes one small file."""
        probe = f"{SCRATCH}/probe-{uuid.uuid4().hex}"
        with self._writing(probe):
            self._make_parent(probe)
            self._fs.pipe_file(self._path(probe), b"probe")
            self._fs.rm_file(self._path(probe))

    def entry(self, path: str, size: int, modified: int, location: str) -> FileEntry:
        """The file with its root."""
        return StoredEntry(path, size, modified, f"{self.root}/{location}", location, self)

    def spark_name(self, location: str) -> str:
        """The name below ``spark_root``."""
        return f"{self.spark_root}/{location}"

    def target(self, dataset_rid: str, transaction_rid: str, logical: str) -> str:
        """Where one file of an open transaction goes. Raises PathEscapesRootError."""
        location = f"{folder_of(dataset_rid, transaction_rid)}/{encode(checked(logical, self.root))}"
        # Where a store knows links, one planted inside the root must not lead a write out of it.
        if (is_link := getattr(self._fs, "islink", None)) is not None:
            parts = location.split("/")
            if any(is_link(self._path("/".join(parts[:n]))) for n in range(1, len(parts) + 1)):
                raise PathEscapesRootError(logical, self.root)
        return location

    def temporary(self, folder: str) -> Path:
        """A name in the local cache; a worker on a machine without this workspace takes the system's own place."""
        path = Path(self.cache, folder)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError:
            with translated(tempfile.gettempdir()):
                descriptor, name = tempfile.mkstemp(prefix="mirror-")
            os.close(descriptor)
            return Path(name)
        return path / uuid.uuid4().hex

    def place(self, source: Path, location: str) -> None:
        """Uploads a finished file, then removes it here."""
        with source.open("rb"):  # a file that vanished is told as what it is
            self._upload(source, location)
        source.unlink()

    def copy_in(self, source: Path, folder: str, location: str) -> str:
        """Uploads a copy of a foreign file; its checksum is that of the copy, whatever happens to the source."""
        temporary = self.temporary(folder)
        with translated(temporary):
            digest = copied(source, temporary)
        self.place(temporary, location)
        return digest

    def move(self, source: str, location: str) -> None:
        """Renames; object stores copy on their side and remove."""
        with self._writing(location):
            if self._whole_objects:
                self._fs.cp_file(self._path(source), self._path(location))
                self._fs.rm_file(self._path(source))
            else:
                self._make_parent(location)
                self._fs.mv(self._path(source), self._path(location))

    def listing(self, folder: str) -> list[Found]:
        """Every file below a location, ordered."""
        with self._reached():
            # Spark and other processes write as well: what was listed before says nothing.
            self._fs.invalidate_cache()
            found = self._fs.find(self._path(folder), detail=True)
            start = len(self._path("")) if found else 0
            return [Found(path[start:], int(info["size"])) for path, info in sorted(found.items())]

    def staged(self, dataset_rid: str, transaction_rid: str) -> list[tuple[str, Found]]:
        """Logical path and file of everything staged so far, ordered by logical path."""
        folder = folder_of(dataset_rid, transaction_rid)
        found = [(decode(file.location[len(folder) + 1 :]), file) for file in self.listing(folder)]
        return sorted(found, key=lambda pair: pair[0])

    def open(self, location: str, *, parts: bool = False) -> IO[bytes]:
        """A stream that asks for ranges; with ``parts`` for no more than is read."""
        with self._reached(), self._missing(location):
            options = {"cache_type": "none"} if parts else {}
            stream: IO[bytes] = self._fs.open(self._path(location), "rb", **options)
            return stream

    def fetch(self, location: str) -> IO[bytes]:
        """A copy without a name on this machine."""
        copy = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
        try:
            with self.open(location) as stream:
                shutil.copyfileobj(stream, copy, _CHUNK)
        except BaseException:
            copy.close()
            raise
        copy.seek(0)
        return copy

    def size(self, location: str) -> int | None:
        """Bytes, or ``None`` where there is no object."""
        with self._reached():
            self._fs.invalidate_cache()
            try:
                return int(self._fs.info(self._path(location))["size"])
            except FileNotFoundError:
                return None

    def modified(self, location: str) -> datetime | None:
        """When an object was last written, or ``None`` where there is none."""
        with self._reached():
            try:
                found: datetime = self._fs.modified(self._path(location))
            except FileNotFoundError:
                return None
        return found if found.tzinfo else found.replace(tzinfo=UTC)

    def sha256(self, location: str) -> str:
        """The checksum of an object's bytes; reads all of it."""
        digest = hashlib.sha256()
        with self.open(location) as stream, self._reached():
            while block := stream.read(_CHUNK):
                digest.update(block)
        return digest.hexdigest()

    def each(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Several at once: each waits for the network."""
        wanted = list(items)
        if len(wanted) < 2:
            return [function(item) for item in wanted]
        with concurrent.futures.ThreadPoolExecutor(min(_AT_ONCE, len(wanted))) as pool:
            return list(pool.map(function, wanted))

    def children(self) -> list[str]:
        """The folders two levels below the root."""
        with self._reached():
            self._fs.invalidate_cache()
            tops = [name for name in self._folders("") if name]
            return [f"{top}/{name}" for top in tops for name in self._folders(top)]

    def remove(self, location: str) -> None:
        """Removes one object, if it is there."""
        with self._reached(), contextlib.suppress(FileNotFoundError):
            self._fs.rm_file(self._path(location))

    def remove_tree(self, folder: str) -> None:
        """Removes everything below a location; what cannot be removed now is left to `mirror gc`."""
        with contextlib.suppress(StorageUnreachableError, FileNotFoundError, PermissionError), self._reached():
            if self.listing(folder) or not self._whole_objects:
                self._fs.rm(self._path(folder), recursive=True)

    def discard(self, dataset_rid: str, transaction_rid: str) -> None:
        """Removes everything an aborted transaction wrote."""
        self.remove_tree(folder_of(dataset_rid, transaction_rid))
        self.clean(transaction_rid)

    def clean(self, transaction_rid: str) -> None:
        """Removes a transaction's unfinished writes, here and there."""
        shutil.rmtree(Path(self.cache, scratch_of(transaction_rid)), ignore_errors=True)
        self.remove_tree(scratch_of(transaction_rid))

    def view_folder(self, files: Mapping[str, str]) -> str:
        """Copies made inside the root on first use; a mark beside the folder says that it is whole."""
        folder = f"{VIEWS}/{fingerprint(files)}"
        mark = f"{folder}.whole"
        if self.size(mark) is None:
            self.each(lambda pair: self._copy(pair[1], f"{folder}/{checked(pair[0], self.root)}"), list(files.items()))
            with self._writing(mark):
                self._fs.pipe_file(self._path(mark), b"whole")
        return self.spark_name(folder)

    def local_folder(self, files: Mapping[str, str]) -> Path:
        """Files fetched into the cache, once."""
        return assembled(Path(self.cache, VIEWS, fingerprint(files)), files, self.root, self._bring)

    def copies(self) -> list[Path]:
        """What was fetched."""
        folder = Path(self.cache, VIEWS)
        return sorted(folder.iterdir()) if folder.is_dir() else []

    @property
    def filesystem(self) -> AbstractFileSystem:
        """fsspec's file system; it keeps one per process and address."""
        return self._fs

    @property
    def _fs(self) -> AbstractFileSystem:
        return connected(self.root, self.options)

    def _path(self, location: str) -> str:
        base = str(self._fs._strip_protocol(self.root)).rstrip("/")
        return f"{base}/{location}"

    @property
    def _whole_objects(self) -> bool:
        return self.root.split("://", 1)[0] in _OBJECT_STORES

    def _make_parent(self, location: str) -> None:
        if not self._whole_objects:
            self._fs.makedirs(self._path(location).rsplit("/", 1)[0], exist_ok=True)

    def _upload(self, source: Path, location: str) -> None:
        with self._writing(location):
            if self._whole_objects:
                self._fs.put_file(str(source), self._path(location))
                return
            staging = f"{SCRATCH}/{uuid.uuid4().hex}"
            self._make_parent(staging)
            self._fs.put_file(str(source), self._path(staging))
            self._make_parent(location)
            self._fs.mv(self._path(staging), self._path(location))

    def _copy(self, source: str, location: str) -> None:
        with self._writing(location):
            self._make_parent(location)
            self._fs.cp_file(self._path(source), self._path(location))

    def _bring(self, location: str, target: Path) -> None:
        with self._reached(), self._missing(location):
            self._fs.get_file(self._path(location), str(target))

    def _folders(self, folder: str) -> list[str]:
        path = self._path(folder).rstrip("/")
        try:
            found = self._fs.ls(path, detail=True)
        except FileNotFoundError:
            return []
        return sorted(
            str(entry["name"]).rstrip("/").rsplit("/", 1)[-1] for entry in found if entry["type"] == "directory"
        )

    @contextlib.contextmanager
    def _writing(self, location: str) -> Iterator[None]:
        with self._reached():
            try:
                yield
            except (FileNotFoundError, PermissionError) as error:
                raise StorageUnwritableError(f"{self.root}/{location}", error.strerror or str(error)) from error

    @contextlib.contextmanager
    def _missing(self, location: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise FileNotFoundError(f"{self.root}/{location} does not exist") from error

    @contextlib.contextmanager
    def _reached(self) -> Iterator[None]:
        """Every client has errors of its own for a store that refuses or does not answer; they become one."""
        try:
            with translated(self.root):
                yield
        except (MirrorError, FileNotFoundError, PermissionError):
            raise
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            raise StorageUnreachableError(self.root, text) from error
