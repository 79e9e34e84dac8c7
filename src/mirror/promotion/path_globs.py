"""Globs over the paths of a repository: ``**/`` spans folders, ``*`` does not."""

from __future__ import annotations

import re
from collections.abc import Iterable

_MEANING = {"**/": r"(?:[^/]+/)*", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}


def matching(paths: Iterable[str], globs: Iterable[str]) -> list[str]:
    """The paths that any of the globs covers, in their order."""
    pattern = re.compile("|".join(regular(glob) for glob in globs) or r"(?!)")
    return [path for path in paths if pattern.fullmatch(path)]


def regular(glob: str) -> str:
    """A glob as a regular expression."""
    return "".join(_MEANING.get(part, re.escape(part)) for part in re.split(r"(\*\*/|\*\*|\*|\?)", glob))
