"""Physical names: the logical path with the characters that Hadoop reads as patterns percent-encoded.

So a staged file tells its logical path, and workers need no common state.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from mirror.datasets.errors import PathEscapesRootError
from mirror.datasets.ids import uuid_of

_UNSAFE = re.compile(r"[%\[\]{}*?\\\x00-\x1f\x7f]")
_ENCODED = re.compile(r"%([0-9A-F]{2})")

SCRATCH = "_scratch"
"""Below the root: unfinished writes, a folder per transaction."""
VIEWS = "_views"
"""Below the root: whole views below one folder each, made again when needed."""


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


def folder_of(dataset_rid: str, transaction_rid: str) -> str:
    """The location of a transaction's folder."""
    return f"{uuid_of(dataset_rid)}/{uuid_of(transaction_rid)}"


def scratch_of(transaction_rid: str) -> str:
    """The location of a transaction's unfinished writes."""
    return f"{SCRATCH}/{uuid_of(transaction_rid)}"


def fingerprint(files: Mapping[str, str]) -> str:
    """One name per set of files (logical path -> location)."""
    return hashlib.sha256("\n".join(f"{p}\x1f{at}" for p, at in sorted(files.items())).encode()).hexdigest()[:32]
