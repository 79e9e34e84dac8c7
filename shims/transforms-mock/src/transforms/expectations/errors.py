"""What can go wrong while an expectation is written down; nothing here needs data or Spark.

ExpectationError (a DeclarationError)
|-- UnknownExpectationError    (AttributeError) a name that Foundry's library does not have
|-- ExpectationValueError      (ValueError) an argument the named method cannot take
`-- IncompleteExpectationError (TypeError) a chain that was not finished, e.g. ``E.col('a')`` alone
"""

from __future__ import annotations

from dataclasses import dataclass

from transforms.errors import DeclarationError, nearest


class ExpectationError(DeclarationError):
    """Root of the errors of ``transforms.expectations``; each names file and line of the declaration."""


@dataclass(eq=False, repr=False)
class UnknownExpectationError(ExpectationError, AttributeError):
    """A chain was continued with a name that does not exist there."""

    chain: str
    attribute: str
    known: tuple[str, ...]
    hint: str
    where: str

    def __post_init__(self) -> None:
        super().__post_init__()
        self.name = self.attribute

    def __str__(self) -> str:
        advice = self.hint or nearest(self.attribute, self.known).strip() or f"Known: {', '.join(self.known)}."
        return f"{self.where}: Foundry has no {self.chain}.{self.attribute}. {advice}"


@dataclass(eq=False, repr=False)
class ExpectationValueError(ExpectationError, ValueError):
    """An argument that the call cannot take, and what to write instead."""

    call: str
    value: object
    reason: str
    where: str

    def __str__(self) -> str:
        return f"{self.where}: {self.call} cannot take {self.value!r}: {self.reason}"


class Printed(str):
    """A text that prints without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass(eq=False, repr=False)
class IncompleteExpectationError(ExpectationError, TypeError):
    """A call needs whole expectations and got something else; ``found`` is kept as it prints, so that it pickles."""

    call: str
    found: object
    reason: str
    where: str

    def __post_init__(self) -> None:
        self.found = Printed(repr(self.found))
        super().__post_init__()

    def __str__(self) -> str:
        return f"{self.where}: {self.call} needs expectations, not {self.found!r}: {self.reason}"
