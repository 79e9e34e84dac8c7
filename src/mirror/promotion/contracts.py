"""What a dataset promises to whoever reads it, and how a difference between two promises is put."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Effect(StrEnum):
    NONE = "none"
    COMPATIBLE = "compatible"
    BREAKING = "breaking"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True)
class Column:
    """``type`` in Spark's short names (``bigint`` and ``long`` are one); ``meaning`` serves to recognise a renaming."""

    name: str
    type: str
    nullable: bool | None
    meaning: str = ""


@dataclass(frozen=True)
class Promise:
    """One expectation on an output that says more than a column's name, type, key or null rule.

    Attributes:
        about: what it speaks of, without its limits: two promises about the same thing can be compared.
        text: as it is written.
        operator / limit: of a comparison with a number.
        values: of a closed list, printed.
    """

    about: str
    text: str
    on_error: str = "FAIL"
    column: str | None = None
    operator: str | None = None
    limit: float | None = None
    values: frozenset[str] | None = None

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Promise:
        values = document.get("values")
        return cls(**{**document, "values": None if values is None else frozenset(values)})


@dataclass(frozen=True)
class Contract:
    """``None`` (and no ``declares_columns``) stands where nothing is said about it."""

    dataset: str
    file: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] | None = None
    write_mode: str | None = None
    declares_columns: bool = True
    promises: tuple[Promise, ...] = ()


@dataclass(frozen=True)
class Unreadable:
    """A contract file that is none: what it promises is unknown."""

    file: str
    problem: str


@dataclass(frozen=True)
class ContractChange:
    """One difference. ``subject`` is ``dataset`` or ``dataset.column``: the name it is accepted by."""

    subject: str
    kind: str
    effect: Effect
    why: str

    @property
    def stops(self) -> bool:
        return self.effect in (Effect.BREAKING, Effect.CANNOT_TELL)

    def __str__(self) -> str:
        return f"{self.subject}: {self.kind} ({self.effect}: {self.why})"

    def to_json(self) -> dict[str, str]:
        return {"subject": self.subject, "kind": self.kind, "effect": self.effect.value, "why": self.why}


@dataclass(frozen=True)
class Comparison:
    """All changes, ordered by subject, and the files that were looked at on either side.

    ``untouched`` says why declared contracts did not have to be read; it is empty when they were.
    """

    files: tuple[str, ...]
    changes: tuple[ContractChange, ...]
    untouched: str = ""

    @property
    def effect(self) -> Effect:
        effects = {change.effect for change in self.changes}
        for effect in (Effect.BREAKING, Effect.CANNOT_TELL, Effect.COMPATIBLE):
            if effect in effects:
                return effect
        return Effect.NONE


_ALIASES = {
    "bigint": "long",
    "integer": "int",
    "smallint": "short",
    "tinyint": "byte",
    "bool": "boolean",
    "real": "float",
}


def canonical_type(text: str) -> str:
    """Spark's short spelling in lower case without blanks, nested types included."""
    squeezed = re.sub(r"\s+", "", text).lower()
    return re.sub(r"[a-z]+", lambda word: _ALIASES.get(word[0], word[0]), squeezed)
