"""What guest code may not do, one rule per file, found by listing this package.

A rule is a module with ``findings(module, guest) -> Iterator[Finding]``; its docstring says in its first line what it
demands.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from mirror.porting.source import Module


@dataclass(frozen=True, order=True)
class Finding:
    """One place that would not work, or not mean the same, in Foundry. ``file`` is relative to the source root."""

    file: str
    line: int
    rule: str
    problem: str
    fix: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.problem} {self.fix}"

    def to_json(self) -> dict[str, object]:
        return {"file": self.file, "line": self.line, "rule": self.rule, "problem": self.problem, "fix": self.fix}


@dataclass(frozen=True)
class GuestFacts:
    """What a rule may know beside the module: the guest's own packages and what its environment can import."""

    packages: frozenset[str]
    provided: frozenset[str]


class Rule(Protocol):
    """The shape of a rule module."""

    def findings(self, module: Module, guest: GuestFacts) -> Iterator[Finding]: ...


def known_rules() -> list[str]:
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))


def rule(name: str) -> Rule:
    return cast("Rule", importlib.import_module(f"{__name__}.{name}"))


def all_findings(modules: Sequence[Module], guest: GuestFacts) -> list[Finding]:
    """Every finding of every rule, by file and line.

    Raises:
        GuestFileError: a file is no Python.
    """
    found = [finding for name in known_rules() for module in modules for finding in rule(name).findings(module, guest)]
    return sorted(found)
