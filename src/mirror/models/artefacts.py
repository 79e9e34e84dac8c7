"""The bytes of a version: one uncompressed archive, the same for the same files, and its checksum.

The archive is stored, not deflated: compressors differ between machines, and the checksum must not.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from mirror.datasets.errors import PathEscapesRootError
from mirror.datasets.storage import checked, translated
from mirror.models.errors import ArtefactMissingError, ArtefactTamperedError

_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Artefact:
    """A written archive: ``location`` relative to the root, checksum and size in bytes."""

    location: str
    sha256: str
    size: int


def pack(state: Path, target: Path) -> tuple[str, int]:
    """Writes every file below ``state`` into the archive ``target``; returns its sha256 and size.

    Raises StorageUnwritableError.
    """
    with translated(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_suffix(".partial")
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
            for file in sorted(p for p in state.rglob("*") if p.is_file()):
                info = zipfile.ZipInfo(file.relative_to(state).as_posix(), _EPOCH)
                info.external_attr = 0o644 << 16
                archive.writestr(info, file.read_bytes())
        temporary.replace(target)
        data = target.read_bytes()
    return hashlib.sha256(data).hexdigest(), len(data)


def unpack(file: Path, sha256: str, model: str, version: str) -> Path:
    """The verified content in a new temporary folder, which the caller removes.

    Raises:
        ArtefactMissingError, ArtefactTamperedError: before a single byte is interpreted.
    """
    verify(file, sha256, model, version)
    folder = Path(tempfile.mkdtemp(prefix="model-"))
    try:
        with zipfile.ZipFile(file) as archive:
            for info in archive.infolist():
                target = folder / checked(info.filename, str(folder))
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(info))
    except (zipfile.BadZipFile, PathEscapesRootError):
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def verify(file: Path, sha256: str, model: str, version: str) -> None:
    """Raises ArtefactMissingError or ArtefactTamperedError unless the file is the one that was published."""
    if not file.is_file():
        raise ArtefactMissingError(model, version, str(file))
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != sha256:
        raise ArtefactTamperedError(model, version, str(file), sha256, found)
