"""A local folder as root: plain files, renamed into place; a view's folder is made of hard links."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from mirror.datasets.errors import PathEscapesRootError, StorageUnwritableError
from mirror.datasets.storage.entries import StoredEntry
from mirror.datasets.storage.names import VIEWS, checked, decode, encode, fingerprint, folder_of, scratch_of
from mirror.datasets.storage.protocol import Found, Item, Result
from transforms.ports import FileEntry

_NO_SPACE = {errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EPERM, errno.EDQUOT}
_CHUNK = 1 << 20


def sha256_of(path: Path) -> str:
    """The checksum of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_CHUNK):
            digest.update(block)
    return digest.hexdigest()


def copied(source: Path, target: Path) -> str:
    """Copies a file and returns the checksum of the copy, whatever happens to the source meanwhile."""
    digest = hashlib.sha256()
    with source.open("rb") as reader, target.open("wb") as writer:
        while block := reader.read(_CHUNK):
            digest.update(block)
            writer.write(block)
    return digest.hexdigest()


@contextlib.contextmanager
def translated(path: Path | str) -> Iterator[None]:
    """Turns a full disk or a read-only root into StorageUnwritableError."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise StorageUnwritableError(str(path), error.strerror or str(error)) from error
        raise


@dataclass(frozen=True)
class LocalStorage:
    """A local folder (``mirror.datasets.storage.protocol.Storage``).

    Attributes:
        root: absolute.
        spark_root: what Spark calls the folder, where that is not its path.
    """

    root: str
    spark_root: str | None = None

    def prepare(self) -> None:
        """Makes the folder."""
        with translated(self.root):
            Path(self.root).mkdir(parents=True, exist_ok=True)

    def entry(self, path: str, size: int, modified: int, location: str) -> FileEntry:
        """The file under its absolute path."""
        if self.spark_root is None:
            return FileEntry(path, size, modified, f"{self.root}/{location}")
        return StoredEntry(path, size, modified, f"{self.root}/{location}", location, self)

    def spark_name(self, location: str) -> str:
        """The absolute path, or the name below ``spark_root``."""
        return f"{self.spark_root or self.root}/{location}"

    def directory(self, dataset_rid: str, transaction_rid: str) -> Path:
        """The folder of a transaction's files, whether or not it exists."""
        return Path(self.root, folder_of(dataset_rid, transaction_rid))

    def target(self, dataset_rid: str, transaction_rid: str, logical: str) -> str:
        """Where one file of an open transaction goes; its folder is made. Raises PathEscapesRootError."""
        location = f"{folder_of(dataset_rid, transaction_rid)}/{encode(checked(logical, self.root))}"
        path = Path(self.root, location)
        with translated(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        # A link planted inside the root must not lead a write out of it.
        if not path.parent.resolve().is_relative_to(Path(self.root).resolve()) or path.is_symlink():
            raise PathEscapesRootError(logical, self.root)
        return location

    def temporary(self, folder: str) -> Path:
        """A name in the folder, which is made."""
        path = Path(self.root, folder)
        with translated(path):
            path.mkdir(parents=True, exist_ok=True)
        return path / uuid.uuid4().hex

    def place(self, source: Path, location: str) -> None:
        """Renames a finished file into its final name, durably."""
        target = Path(self.root, location)
        with translated(target):
            descriptor = os.open(source, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)

    def copy_in(self, source: Path, folder: str, location: str) -> str:
        """Copies a foreign file byte for byte, returns its checksum. Raises StorageUnwritableError."""
        temporary = self.temporary(folder)
        with translated(Path(self.root, location)):
            digest = copied(source, temporary)
        self.place(temporary, location)
        return digest

    def move(self, source: str, location: str) -> None:
        """Renames."""
        self.place(Path(self.root, source), location)

    def listing(self, folder: str) -> list[Found]:
        """Every file below a folder, ordered by location."""
        start = len(self.root) + 1
        found = [
            Found(path[start:], os.stat(path).st_size)
            for at, _, names in os.walk(f"{self.root}/{folder}")
            for name in names
            if not os.path.islink(path := f"{at}/{name}")
        ]
        return sorted(found, key=lambda file: file.location)

    def staged(self, dataset_rid: str, transaction_rid: str) -> list[tuple[str, Found]]:
        """Logical path and file of everything staged so far, ordered by logical path."""
        folder = folder_of(dataset_rid, transaction_rid)
        found = [(decode(file.location[len(folder) + 1 :]), file) for file in self.listing(folder)]
        return sorted(found, key=lambda pair: pair[0])

    def open(self, location: str, *, parts: bool = False) -> IO[bytes]:
        """The file itself."""
        return Path(self.root, location).open("rb")

    def fetch(self, location: str) -> IO[bytes]:
        """The file itself: an open file keeps its bytes when its name is given to another."""
        return self.open(location)

    def size(self, location: str) -> int | None:
        """Bytes, or ``None`` where there is no file."""
        path = Path(self.root, location)
        return path.stat().st_size if path.is_file() else None

    def modified(self, location: str) -> datetime | None:
        """When a file was last written, or ``None`` where there is none."""
        path = Path(self.root, location)
        return datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.is_file() else None

    def sha256(self, location: str) -> str:
        """The checksum of a file's bytes."""
        return sha256_of(Path(self.root, location))

    def each(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """One after the other."""
        return [function(item) for item in items]

    def children(self) -> list[str]:
        """The folders two levels below the root."""
        root = Path(self.root)
        tops = sorted(p for p in root.iterdir() if p.is_dir()) if root.is_dir() else []
        return [f"{top.name}/{p.name}" for top in tops for p in sorted(top.iterdir()) if p.is_dir()]

    def remove(self, location: str) -> None:
        """Removes one file, if it is there."""
        Path(self.root, location).unlink(missing_ok=True)

    def remove_tree(self, folder: str) -> None:
        """Removes a folder; what cannot be removed now is left to `mirror gc`."""
        shutil.rmtree(Path(self.root, folder), ignore_errors=True)

    def discard(self, dataset_rid: str, transaction_rid: str) -> None:
        """Removes everything an aborted transaction wrote."""
        self.remove_tree(folder_of(dataset_rid, transaction_rid))
        self.clean(transaction_rid)

    def clean(self, transaction_rid: str) -> None:
        """Removes a transaction's unfinished writes."""
        self.remove_tree(scratch_of(transaction_rid))

    def view_folder(self, files: Mapping[str, str]) -> str:
        """A folder of hard links, made on first use."""
        return self.spark_name(self.local_folder(files).relative_to(self.root).as_posix())

    def local_folder(self, files: Mapping[str, str]) -> Path:
        """The same folder as a path."""
        final = Path(self.root, VIEWS, fingerprint(files))
        return assembled(final, files, self.root, self._link)

    def copies(self) -> list[Path]:
        """None: hard links lie below the root."""
        return []

    def _link(self, location: str, target: Path) -> None:
        source = Path(self.root, location)
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)


def assembled(final: Path, files: Mapping[str, str], root: str, bring: Callable[[str, Path], None]) -> Path:
    """A local folder with a file per logical path, whole or not there at all; ``bring`` makes one from its location."""
    if final.is_dir():
        return final
    building = final.with_name(f"{final.name}.{uuid.uuid4().hex}")
    with translated(building):
        building.mkdir(parents=True)
        for logical, location in files.items():
            target = building / checked(logical, root)
            target.parent.mkdir(parents=True, exist_ok=True)
            bring(location, target)
        try:
            building.rename(final)
        except OSError:  # another process was first; its folder is the same
            shutil.rmtree(building, ignore_errors=True)
    return final
