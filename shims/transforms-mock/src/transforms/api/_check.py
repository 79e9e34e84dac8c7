"""``Check``: an expectation with a stable name and what happens when it does not hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from transforms._names import Named, caller, known_arguments
from transforms.errors import TransformTypeError, TransformValueError
from transforms.expectations.tree import complete

ON_ERROR = ("FAIL", "WARN")


@dataclass(frozen=True)
class Check(Named):
    """One thing that must hold for one dataset.

    Args:
        expectation: a tree from ``transforms.expectations``.
        name: identity of the check over time; unique among all inputs and outputs of its transform.
        on_error: ``FAIL`` aborts the job's transactions, ``WARN`` lets them commit and reports.
        description: free text shown with the result.

    Raises:
        TransformTypeError: the expectation is no expectation, or the name is no text.
        IncompleteExpectationError: ``E.col('x')`` and the like, which say nothing yet.
        TransformValueError: the name is empty, or ``on_error`` is neither ``FAIL`` nor ``WARN``.
    """

    expectation: Any
    name: str
    on_error: str = "FAIL"
    description: str | None = None

    def __post_init__(self) -> None:
        given, name = self.expectation, self.name
        if given is None or isinstance(given, bool | str | int | float | type):
            raise TransformTypeError(f"Check takes an expectation of transforms.expectations, got {given!r}.", caller())
        complete("Check", given)
        if not isinstance(name, str):
            raise TransformTypeError(f"The name of a Check is text, got {name!r}.", caller())
        if self.description is not None and not isinstance(self.description, str):
            raise TransformTypeError(f"The description of a Check is text, got {self.description!r}.", caller())
        if not name.strip():
            raise TransformValueError("A Check needs a name: it identifies the check over time.", caller())
        if self.on_error not in ON_ERROR:
            raise TransformValueError(
                f"on_error of Check '{name}' is 'FAIL' or 'WARN', got {self.on_error!r}.", caller()
            )

    @property
    def is_incremental(self) -> bool:
        """False: a check looks at the full dataset, in incremental runs too."""
        return False


if not TYPE_CHECKING:
    Check.__init__ = known_arguments("Check")(Check.__init__)


def as_checks(checks: Any) -> tuple[Check, ...]:
    """``checks=`` as authors write it (one Check, an iterable of them, ``None``) as a tuple.

    Raises:
        TransformTypeError: something in it is no ``Check``.
    """
    if checks is None:
        return ()
    given = (checks,) if isinstance(checks, Check) or not isinstance(checks, Iterable) else tuple(checks)
    for check in given:
        if not isinstance(check, Check):
            raise TransformTypeError(f"checks takes a Check or a list of them, got {check!r}.", caller())
    return given
