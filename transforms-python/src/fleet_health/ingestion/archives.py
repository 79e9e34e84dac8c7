"""What a landed file holds: itself, or the files of an archive, each under its own name."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any, cast

TORN = (EOFError, OSError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile)
"""What a damaged or cut off compressed file raises, when it is opened or while it is read."""

_TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_COMPRESSED: Mapping[str, Callable[..., Any]] = {".gz": gzip.GzipFile, ".bz2": bz2.BZ2File, ".xz": lzma.LZMAFile}


_DEPTH = 4
"""Archives lie in archives, but an archive can be made that holds itself."""


def members(stream: IO[bytes], path: str, depth: int = _DEPTH) -> Iterator[tuple[str, IO[bytes]]]:
    """Name and content of every file below ``path``: of one file itself, decompressed as its ending says.

    A file of a zip or tar archive is named ``archive/file``, whether or not that archive lies in another; folders and
    what macOS adds (``__MACOSX``, ``._file``) are no files. Zip archives are opened in the order of their index, tar
    archives as they are read.

    Raises:
        One of :data:`TORN`: the archive is damaged.
    """
    name = path.lower()
    if depth and name.endswith(_TAR):
        with tarfile.open(fileobj=stream, mode="r|*") as archive:
            for entry in archive:
                content = archive.extractfile(entry) if entry.isfile() else None
                if content is not None and _is_data(entry.name):
                    yield from members(content, f"{path}/{entry.name.removeprefix('./')}", depth - 1)
    elif depth and name.endswith(".zip"):
        # the index comes last, and a stream from a dataset need not seek
        with zipfile.ZipFile(io.BytesIO(stream.read())) as zipped:
            for info in zipped.infolist():
                if not info.is_dir() and _is_data(info.filename):
                    with zipped.open(info) as content:
                        yield from members(content, f"{path}/{info.filename}", depth - 1)
    else:
        yield path, decompressed(stream, path)


def decompressed(stream: IO[bytes], path: str) -> IO[bytes]:
    """The stream itself, or its content when the name ends in ``.gz``, ``.bz2`` or ``.xz``."""
    for ending, opened in _COMPRESSED.items():
        if path.lower().endswith(ending):
            return cast("IO[bytes]", opened(fileobj=stream) if opened is gzip.GzipFile else opened(stream))
    return stream


def _is_data(name: str) -> bool:
    return not name.startswith("__MACOSX/") and not name.rpartition("/")[2].startswith(".")
