"""A folder that holds exactly what was given, written over an earlier version of itself and over nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from mirror.porting.errors import EditedFilesError, ForeignFolderError

_LIST = ".mirror-port.json"
_SHOWN = 5


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes ``files`` (path below ``folder`` -> content) and removes what an earlier run wrote and this one does not.

    Raises as :func:`refuse_foreign`; then nothing was changed.
    """
    earlier = refuse_foreign(folder)
    for path in earlier.keys() - files.keys():
        (folder / path).unlink(missing_ok=True)
    for path, content in sorted(files.items()):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    for empty in sorted((p for p in folder.rglob("*") if p.is_dir()), reverse=True):
        if not any(empty.iterdir()):
            empty.rmdir()
    listing = {path: _digest(content) for path, content in sorted(files.items())}
    (folder / _LIST).write_text(json.dumps(listing, indent=1) + "\n", encoding="utf-8")


def refuse_foreign(folder: Path) -> dict[str, str]:
    """What an earlier run wrote there: path -> SHA-256. Empty for a folder that is empty or missing.

    Raises:
        ForeignFolderError: the folder holds a file no earlier run wrote.
        EditedFilesError: a file of an earlier run was edited since.
    """
    earlier = _earlier(folder)
    present = {p.relative_to(folder).as_posix(): p for p in sorted(folder.rglob("*")) if not p.is_dir()}
    present.pop(_LIST, None)
    foreign = [path for path in present if path not in earlier]
    if foreign:
        raise ForeignFolderError(str(folder), foreign[:_SHOWN])
    edited = [path for path, file in present.items() if _digest(file.read_bytes()) != earlier[path]]
    if edited:
        raise EditedFilesError(str(folder), edited[:_SHOWN])
    return earlier


def _earlier(folder: Path) -> dict[str, str]:
    listing = folder / _LIST
    if not listing.is_file():
        return {}
    document = json.loads(listing.read_text(encoding="utf-8"))
    return {str(path): str(digest) for path, digest in document.items()}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
