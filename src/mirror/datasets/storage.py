"""Where bytes lie: one root, a folder per transaction, files written under a temporary name and then renamed.

    <root>/<dataset uuid>/<transaction uuid>/<encoded logical path>    staged, then committed by the catalog alone
    <root>/_scratch/<transaction uuid>/                                unfinished writes
    <root>/_views/<fingerprint>/<logical path>                         hard links: a whole view below one folder

A physical name is the logical path with the characters that Hadoop reads as patterns percent-encoded, so a staged file
tells its logical path and workers need no common state.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mirror.datasets.errors import PathEscapesRootError, StorageUnwritableError
from mirror.datasets.ids import uuid_of

_UNSAFE = re.compile(r"[%\[\]{}*?\\\x00-\x1f\x7f]")
_ENCODED = re.compile(r"%([0-9A-F]{2})")
_NO_SPACE = {errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EPERM, errno.EDQUOT}
_CHUNK = 1 << 20


def encode(logical: str) -> str:
    """The physical name of a logical path."""
    return _UNSAFE.sub(lambda match: f"%{ord(match.group()):02X}", logical)


def decode(physical: str) -> str:
    """The inverse of :func:`encode`."""
    return _ENCODED.sub(lambda match: chr(int(match.group(1), 16)), physical)


def checked(logical: str, root: str) -> str:
    """``logical`` in its normal form. Raises PathEscapesRootError for what leaves the root."""
    path = PurePosixPath(logical)
    if not logical or path.is_absolute() or ".." in path.parts or "\x00" in logical or not path.parts:
        raise PathEscapesRootError(logical, root)
    return path.as_posix()


def sha256_of(path: Path) -> str:
    """The checksum of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_CHUNK):
            digest.update(block)
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
class Storage:
    """A local root. It is plain data: it travels to Python workers."""

    root: str

    def directory(self, dataset_rid: str, transaction_rid: str) -> Path:
        """The folder of a transaction's files, whether or not it exists."""
        return Path(self.root) / uuid_of(dataset_rid) / uuid_of(transaction_rid)

    def scratch(self, transaction_rid: str) -> Path:
        """A folder for unfinished writes, created when asked for."""
        path = Path(self.root) / "_scratch" / uuid_of(transaction_rid)
        with translated(path):
            path.mkdir(parents=True, exist_ok=True)
        return path

    def target(self, dataset_rid: str, transaction_rid: str, logical: str) -> Path:
        """Where one file of an open transaction goes; its folder is made. Raises PathEscapesRootError."""
        base = self.directory(dataset_rid, transaction_rid)
        path = base / encode(checked(logical, self.root))
        with translated(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        # A link planted inside the root must not lead a write out of it.
        if not path.parent.resolve().is_relative_to(Path(self.root).resolve()) or path.is_symlink():
            raise PathEscapesRootError(logical, self.root)
        return path

    def place(self, source: Path, target: Path) -> None:
        """Renames a finished file into its final name, durably."""
        with translated(target):
            descriptor = os.open(source, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            source.replace(target)

    def copy_in(self, source: Path, scratch: Path, target: Path) -> str:
        """Copies a foreign file byte for byte, returns its checksum. Raises StorageUnwritableError."""
        temporary = scratch / uuid.uuid4().hex
        digest = hashlib.sha256()
        with translated(target), source.open("rb") as reader, temporary.open("wb") as writer:
            while block := reader.read(_CHUNK):
                digest.update(block)
                writer.write(block)
        self.place(temporary, target)
        return digest.hexdigest()

    def staged(self, dataset_rid: str, transaction_rid: str) -> list[tuple[str, Path]]:
        """Logical path and file of everything staged so far, ordered by logical path."""
        base = self.directory(dataset_rid, transaction_rid)
        found = [
            (decode(Path(folder, name).relative_to(base).as_posix()), Path(folder, name))
            for folder, _, names in os.walk(base)
            for name in names
        ]
        return sorted(found)

    def relative(self, path: Path) -> str:
        """``path`` relative to the root, for the catalog."""
        return path.relative_to(self.root).as_posix()

    def discard(self, dataset_rid: str, transaction_rid: str) -> None:
        """Removes everything an aborted transaction wrote; what cannot be removed now is left to `mirror gc`."""
        shutil.rmtree(self.directory(dataset_rid, transaction_rid), ignore_errors=True)
        self.clean(transaction_rid)

    def clean(self, transaction_rid: str) -> None:
        """Removes a transaction's unfinished writes."""
        shutil.rmtree(Path(self.root) / "_scratch" / uuid_of(transaction_rid), ignore_errors=True)

    def view_directory(self, files: dict[str, str]) -> Path:
        """A folder that holds each file of a view under its logical path, as hard links made on first use.

        Args:
            files: logical path -> absolute location.
        """
        key = hashlib.sha256("\n".join(f"{p}\x1f{loc}" for p, loc in sorted(files.items())).encode()).hexdigest()[:32]
        final = Path(self.root) / "_views" / key
        if final.is_dir():
            return final
        building = final.with_name(f"{key}.{uuid.uuid4().hex}")
        with translated(building):
            building.mkdir(parents=True)
            for logical, location in files.items():
                link = building / checked(logical, self.root)
                link.parent.mkdir(parents=True, exist_ok=True)
                try:
                    os.link(location, link)
                except OSError:
                    shutil.copyfile(location, link)
            try:
                building.rename(final)
            except OSError:  # another process was first; its folder is the same
                shutil.rmtree(building, ignore_errors=True)
        return final
