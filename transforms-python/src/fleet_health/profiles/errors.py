"""What can be wrong with a profile; every text names file, line and the way out.

    ProfileError                    facts as fields: file, line, problem, fix
    |-- ProfileMissingError         no such file, or it cannot be read
    |-- ProfileSyntaxError          not YAML, or a key written twice
    |-- ProfileSchemaError          a key is missing, unknown or of the wrong type; a threshold without a reason
    `-- ProfileReferenceError       a name that is not declared, declared twice, or a range that cannot hold
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ProfileError(ValueError):
    """Root of all profile errors.

    Attributes:
        file: the profile, as it was named to the loader.
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


class ProfileMissingError(ProfileError):
    """The file is not there."""


class ProfileSyntaxError(ProfileError):
    """The file is not the YAML it should be."""


class ProfileSchemaError(ProfileError):
    """The YAML is fine, its keys or values are not."""


class ProfileReferenceError(ProfileError):
    """Keys and values are fine one by one, but they do not agree with each other."""


def nearest(name: str, known: Iterable[str]) -> str:
    """``"Did you mean 'x'?"`` for the closest known name, else the list of known names."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Known names: {', '.join(names)}."
