"""The files inside a file: itself decompressed, or those of a zip or tar archive."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

UNREADABLE = (EOFError, OSError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile)
"""What a damaged or cut off file raises while it is read."""

_TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_COMPRESSED: Mapping[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


def members(file: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Name and content of each; a member of an archive is named ``archive/file``. Raises one of :data:`UNREADABLE`."""
    lower = file.name.lower()
    if lower.endswith(_TAR):
        with tarfile.open(file, mode="r|*") as archive:
            for entry in archive:
                content = archive.extractfile(entry) if entry.isfile() else None
                if content is not None and _is_data(entry.name):
                    yield f"{file}/{entry.name}", _decompressed(content, entry.name)
    elif lower.endswith(".zip"):
        with zipfile.ZipFile(file) as zipped:
            for info in zipped.infolist():
                if not info.is_dir() and _is_data(info.filename):
                    with zipped.open(info) as content:
                        yield f"{file}/{info.filename}", _decompressed(content, info.filename)
    else:
        with file.open("rb") as stream:
            yield str(file), _decompressed(stream, file.name)


def is_archive(file: Path) -> bool:
    """Whether a file holds others."""
    return file.name.lower().endswith((*_TAR, ".zip"))


def _decompressed(stream: IO[bytes], name: str) -> IO[bytes]:
    opened = next((open_ for ending, open_ in _COMPRESSED.items() if name.lower().endswith(ending)), None)
    return stream if opened is None else opened(stream, "rb")


def _is_data(name: str) -> bool:
    """Neither a hidden file nor what macOS adds to every archive."""
    return not name.startswith("__MACOSX/") and not name.rpartition("/")[2].startswith(".")
