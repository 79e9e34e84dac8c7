"""The production checklist, one line per file, found by listing this package.

A line is a module with ``examine(case) -> Answer``; its docstring's first line is what the checklist says. It answers
*met*, *not met* or *blocked* only on evidence from the repository or the workspace; what it cannot prove is *cannot
tell*.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol, cast

from mirror.clock import Clock
from mirror.datasets import Workspace
from mirror.datasets.errors import WorkspaceNotFoundError


class Verdict(StrEnum):
    MET = "met"
    NOT_MET = "not met"
    BLOCKED = "blocked"
    """Somebody owes something; the proof names the role."""
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True)
class Answer:
    """``proof``: what was seen, bounded. ``link``: the file, command or reference where anybody can see it as well.

    ``fix`` is empty only when the line is met.
    """

    verdict: Verdict
    proof: str
    link: str
    fix: str = ""


@dataclass(frozen=True)
class ReviewLine:
    """One answered line of the checklist."""

    name: str
    says: str
    answer: Answer

    def to_json(self) -> dict[str, str]:
        answer = self.answer
        return {
            "line": self.name,
            "says": self.says,
            "verdict": answer.verdict.value,
            "proof": answer.proof,
            "link": answer.link,
            "fix": answer.fix,
        }


@dataclass(frozen=True)
class ReviewCase:
    """Where a line may look: the repository's files as they lie there, and the workspace if there is one."""

    repository: Path
    workspace_path: Path
    clock: Clock

    @contextmanager
    def workspace(self) -> Iterator[Workspace | None]:
        try:
            opened = Workspace.open(self.workspace_path, clock=self.clock)
        except WorkspaceNotFoundError:
            yield None
            return
        with opened:
            yield opened


class Line(Protocol):
    """The shape of a line module."""

    __doc__: str | None

    def examine(self, case: ReviewCase) -> Answer: ...


def known_lines() -> list[str]:
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))


def line(name: str) -> Line:
    return cast("Line", importlib.import_module(f"{__name__}.{name}"))


def review(case: ReviewCase, heard: Callable[[ReviewLine], None] = lambda _line: None) -> list[ReviewLine]:
    """Every line, in the order of their names; one that crashes answers *cannot tell* and says so."""
    answered = []
    for name in known_lines():
        module = line(name)
        try:
            answer = module.examine(case)
        except Exception as error:  # noqa: BLE001 - a line that cannot be computed is an answer, and the others still count
            answer = Answer(
                Verdict.CANNOT_TELL,
                f"it could not be examined: {type(error).__name__}: {' '.join(str(error).split())}",
                str(case.repository),
                "Mend what it names, then review again.",
            )
        done = ReviewLine(name, (module.__doc__ or name).strip().partition("\n")[0], answer)
        heard(done)
        answered.append(done)
    return answered
