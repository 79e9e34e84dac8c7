"""The files inside a file: itself decompressed, or those of a zip or tar archive."""

from __future__ import annotations

import bz2
import gzip
import io
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


_DEPTH = 4
"""Archives lie in archives, but an archive can be made that holds itself."""


def members(file: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Name and content of each; a member of an archive is named ``archive/file``. Raises one of :data:`UNREADABLE`."""
    with file.open("rb") as stream:
        yield from _members(stream, str(file), _DEPTH)


def _members(stream: IO[bytes], path: str, depth: int) -> Iterator[tuple[str, IO[bytes]]]:
    lower = path.lower()
    if depth and lower.endswith(_TAR):
        with tarfile.open(fileobj=stream, mode="r|*") as archive:
            for entry in archive:
                content = archive.extractfile(entry) if entry.isfile() else None
                if content is not None and _is_data(entry.name):
                    yield from _members(content, f"{path}/{entry.name}", depth - 1)
    elif depth and lower.endswith(".zip"):
        # the index comes last, and a member of another archive is read forwards only
        with zipfile.ZipFile(stream if depth == _DEPTH else io.BytesIO(stream.read())) as zipped:
            for info in zipped.infolist():
                if not info.is_dir() and _is_data(info.filename):
                    with zipped.open(info) as content:
                        yield from _members(content, f"{path}/{info.filename}", depth - 1)
    else:
        yield path, _decompressed(stream, path)


def is_archive(file: Path) -> bool:
    """Whether a file holds others."""
    return file.name.lower().endswith((*_TAR, ".zip"))


def _decompressed(stream: IO[bytes], name: str) -> IO[bytes]:
    opened = next((open_ for ending, open_ in _COMPRESSED.items() if name.lower().endswith(ending)), None)
    return stream if opened is None else opened(stream, "rb")


def _is_data(name: str) -> bool:
    """Neither a hidden file nor what macOS adds to every archive."""
    return not name.startswith("__MACOSX/") and not name.rpartition("/")[2].startswith(".")
