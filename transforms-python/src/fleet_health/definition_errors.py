"""Errors of the definition files (profiles, metrics, runbooks): file, line, what is wrong, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from pydantic import ValidationError


class DefinitionError(ValueError):
    """Root of all errors about a definition file.

    Attributes:
        file: the file, as it was named to the loader.
        line: 1-based line of the mistake; ``None`` when the file as a whole is meant.
        problem: what is wrong.
        fix: what to do.
    """

    def __init__(self, file: str, line: int | None, problem: str, fix: str) -> None:
        super().__init__(file, line, problem, fix)
        self.file, self.line, self.problem, self.fix = file, line, problem, fix

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}, line {self.line}"
        return f"{place}: {self.problem}. {self.fix}"


def first_mistake(error: ValidationError, place: Sequence[str | int]) -> str:
    """Where and what the first mistake is, and how many more there are.

    Args:
        error: what pydantic found.
        place: the location as it is written in the file.
    """
    more = f" ({error.error_count() - 1} more in this file)" if error.error_count() > 1 else ""
    return f"{'.'.join(map(str, place))}: {error.errors(include_url=False)[0]['msg']}{more}"


def nearest(name: str, known: Iterable[str]) -> str:
    """``"Did you mean 'x'?"`` for the closest known name, else the list of known names."""
    names = sorted(known)
    close = [one for one in names if one.lower() == name.lower()] or difflib.get_close_matches(name, names, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Known names: {', '.join(names)}."
