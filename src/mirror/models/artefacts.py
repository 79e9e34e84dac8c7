"""The bytes of a version: one uncompressed archive, the same for the same files, and its checksum.

The archive is stored, not deflated: compressors differ between machines, and the checksum must not.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from mirror.datasets.errors import PathEscapesRootError
from mirror.datasets.storage import Storage, checked, translated
from mirror.models.errors import ArtefactMissingError, ArtefactTamperedError

_EPOCH = (1980, 1, 1, 0, 0, 0)


def pack(state: Path, target: Path) -> tuple[str, int]:
    """Writes every file below ``state`` into the archive ``target``; returns its sha256 and size in bytes.

    ``target`` is for this caller alone: it is no archive until this function returns. Raises StorageUnwritableError.
    """
    with translated(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            for file in sorted(p for p in state.rglob("*") if p.is_file()):
                info = zipfile.ZipInfo(file.relative_to(state).as_posix(), _EPOCH)
                info.external_attr = 0o644 << 16
                with file.open("rb") as source, archive.open(info, "w", force_zip64=True) as sink:
                    shutil.copyfileobj(source, sink)
        with target.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return sha256, target.stat().st_size


def unpack(storage: Storage, location: str, sha256: str, model: str, version: str) -> Path:
    """The verified content in a new temporary folder, which the caller removes.

    Raises:
        ArtefactMissingError, ArtefactTamperedError: before a single byte is interpreted.
    """
    with _verified(storage, location, sha256, model, version) as stream:
        folder = Path(tempfile.mkdtemp(prefix="model-"))
        try:
            with zipfile.ZipFile(stream) as archive:
                for info in archive.infolist():
                    target = folder / checked(info.filename, str(folder))
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with archive.open(info) as source, target.open("wb") as sink:
                        shutil.copyfileobj(source, sink)
        except (zipfile.BadZipFile, PathEscapesRootError):
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return folder


def verify(storage: Storage, location: str, sha256: str, model: str, version: str) -> None:
    """Raises ArtefactMissingError or ArtefactTamperedError unless the file is the one that was published."""
    with _verified(storage, location, sha256, model, version):
        pass


@contextlib.contextmanager
def _verified(storage: Storage, location: str, sha256: str, model: str, version: str) -> Iterator[IO[bytes]]:
    """The open file, rewound: what was hashed is what is read, whatever happens to the name meanwhile."""
    place = f"{storage.root}/{location}"
    try:
        stream = storage.fetch(location)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise ArtefactMissingError(model, version, place) from error
    with stream:
        found = _sha256(stream)
        if found != sha256:
            raise ArtefactTamperedError(model, version, place, sha256, found)
        stream.seek(0)
        yield stream


def _sha256(stream: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := stream.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()
