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
from mirror.datasets.storage import checked, translated
from mirror.models.errors import ArtefactMissingError, ArtefactTamperedError

_EPOCH = (1980, 1, 1, 0, 0, 0)


def pack(state: Path, target: Path) -> tuple[str, int]:
    """Writes every file below ``state`` into the archive ``target``; returns its sha256 and size in bytes.

    Raises StorageUnwritableError.
    """
    with translated(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_suffix(".partial")
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
            for file in sorted(p for p in state.rglob("*") if p.is_file()):
                info = zipfile.ZipInfo(file.relative_to(state).as_posix(), _EPOCH)
                info.external_attr = 0o644 << 16
                with file.open("rb") as source, archive.open(info, "w", force_zip64=True) as sink:
                    shutil.copyfileobj(source, sink)
        with temporary.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        temporary.replace(target)
    return sha256, target.stat().st_size


def unpack(file: Path, sha256: str, model: str, version: str) -> Path:
    """The verified content in a new temporary folder, which the caller removes.

    Raises:
        ArtefactMissingError, ArtefactTamperedError: before a single byte is interpreted.
    """
    with _verified(file, sha256, model, version) as stream:
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


def verify(file: Path, sha256: str, model: str, version: str) -> None:
    """Raises ArtefactMissingError or ArtefactTamperedError unless the file is the one that was published."""
    with _verified(file, sha256, model, version):
        pass


@contextlib.contextmanager
def _verified(file: Path, sha256: str, model: str, version: str) -> Iterator[IO[bytes]]:
    """The open file, rewound: what was hashed is what is read, whatever happens to the name meanwhile."""
    if not file.is_file():
        raise ArtefactMissingError(model, version, str(file))
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
        if found != sha256:
            raise ArtefactTamperedError(model, version, str(file), sha256, found)
        stream.seek(0)
        yield stream
