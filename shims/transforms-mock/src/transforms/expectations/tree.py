"""The tree an expectation is: values that compare by what they say and print as the code that makes them.

Levels (source: the Foundry page on data expectations, "Operators" and "Conditional"):
``row`` is judged row by row, ``dataset`` once (or per group), ``constant`` fits either.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import ClassVar, NoReturn

from transforms._names import caller, known_arguments
from transforms.expectations.errors import IncompleteExpectationError, UnknownExpectationError

ROW, DATASET, CONSTANT = "row", "dataset", "constant"


class Node:
    """Equality and hash follow the printed form, which tells ``1`` from ``True`` and one type from another."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash((type(self).__name__, repr(self)))


def _combined(self: Node, _other: object = None) -> NoReturn:
    raise IncompleteExpectationError(
        "and, or, not, &, | or ~", self, "combine with E.all(...), E.any(...) and E.negate(...).", caller()
    )


def _compared(self: Node, other: object) -> NoReturn:
    raise IncompleteExpectationError(
        "<, <=, > or >=", self, "write .lt(value), .lte(value), .gt(value) or .gte(value).", caller()
    )


class Refusing(Node):
    """Python's operators and truth would lose a part without a word, so they are refused with the way out."""

    __bool__ = __invert__ = __and__ = __rand__ = __or__ = __ror__ = _combined
    __lt__ = __le__ = __gt__ = __ge__ = _compared


class Fluent(Refusing):
    """A chain that still needs a call; an unknown name or argument says which there are."""

    _hints: ClassVar[dict[str, str]] = {}

    def __init_subclass__(cls) -> None:
        for name, method in list(vars(cls).items()):
            if isinstance(method, FunctionType) and not name.startswith("_"):
                setattr(cls, name, known_arguments(f"{{}}.{name}")(method))

    @property
    def _said(self) -> str:
        return repr(self)

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        raise UnknownExpectationError(
            repr(self), name, tuple(public_names(type(self))), self._hints.get(name, ""), caller()
        )


def public_names(owner: type) -> list[str]:
    """The methods a user may call on ``owner``."""
    return sorted(n for n in dir(owner) if not n.startswith("_") and callable(getattr(owner, n)))


class Expectation(Refusing):
    """Root of everything a ``Check`` accepts."""

    @property
    def level(self) -> str:
        """``row``, ``dataset`` or ``constant``."""
        return DATASET

    @property
    def children(self) -> tuple[Expectation, ...]:
        """The expectations this one is made of, in the order they were given."""
        return ()

    def walk(self) -> Iterator[Expectation]:
        """This node, then every node below it, depth first."""
        yield self
        for child in self.children:
            yield from child.walk()

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        raise UnknownExpectationError(
            repr(self), name, (), "An expectation is complete; combine it with E.all or E.any.", caller()
        )


@dataclass(frozen=True, eq=False, repr=False)
class Constant(Expectation):
    """Passes always or never."""

    passes: bool

    @property
    def level(self) -> str:
        return CONSTANT

    def __repr__(self) -> str:
        return "E.true()" if self.passes else "E.false()"


@dataclass(frozen=True, eq=False, repr=False)
class _Combination(Expectation):
    parts: tuple[Expectation, ...]

    @property
    def children(self) -> tuple[Expectation, ...]:
        return self.parts

    @property
    def level(self) -> str:
        levels = {part.level for part in self.parts}
        return DATASET if DATASET in levels else ROW if ROW in levels else CONSTANT


class AllOf(_Combination):
    """Every part passes; row by row when all parts are judged by row."""

    def __repr__(self) -> str:
        return f"E.all({', '.join(map(repr, self.parts))})"


class AnyOf(_Combination):
    """Some part passes; for each row anew when all parts are judged by row, else once."""

    def __repr__(self) -> str:
        return f"E.any({', '.join(map(repr, self.parts))})"


@dataclass(frozen=True, eq=False, repr=False)
class Negation(Expectation):
    """The part fails; row by row when the part is."""

    part: Expectation

    @property
    def children(self) -> tuple[Expectation, ...]:
        return (self.part,)

    @property
    def level(self) -> str:
        return self.part.level

    def __repr__(self) -> str:
        return f"E.negate({self.part!r})"


@dataclass(frozen=True, eq=False, repr=False)
class Conditional(Expectation):
    """Rows that pass ``condition`` must pass ``consequence``, all others ``alternative``."""

    condition: Expectation
    consequence: Expectation
    alternative: Expectation

    @property
    def children(self) -> tuple[Expectation, ...]:
        return (self.condition, self.consequence, self.alternative)

    @property
    def level(self) -> str:
        levels = {part.level for part in self.children}
        return DATASET if DATASET in levels else ROW if ROW in levels else CONSTANT

    def __repr__(self) -> str:
        return f"E.when({self.condition!r}, {self.consequence!r}).otherwise({self.alternative!r})"


@dataclass(frozen=True, eq=False, repr=False)
class When(Fluent):
    """A conditional that still lacks its last part; all three are needed."""

    condition: Expectation
    consequence: Expectation

    def otherwise(self, expectation: Expectation) -> Conditional:
        """What rows that do not pass the condition must pass; ``E.true()`` lets them all through."""
        return Conditional(self.condition, self.consequence, complete("E.when(...).otherwise", expectation))

    def __repr__(self) -> str:
        return f"E.when({self.condition!r}, {self.consequence!r})"


def complete(call: str, found: object) -> Expectation:
    """``found`` itself if it is an expectation; otherwise an error that says how to finish it."""
    if isinstance(found, Expectation):
        return found
    if isinstance(found, When):
        raise IncompleteExpectationError(
            call, found, "finish it with .otherwise(...), E.true() if nothing is demanded.", caller()
        )
    if isinstance(found, Fluent):
        raise IncompleteExpectationError(
            call, found, f"finish it with one of {', '.join(public_names(type(found)))}.", caller()
        )
    if isinstance(found, list | tuple):
        raise IncompleteExpectationError(call, found, "pass them one by one, unpacked with *.", caller())
    raise IncompleteExpectationError(
        call, found, "build one with E.col(...), E.schema(), E.primary_key(...), ...", caller()
    )


def true() -> Expectation:
    """Always passes; the usual last part of a conditional."""
    return Constant(True)


def false() -> Expectation:
    """Never passes."""
    return Constant(False)


def all_of(*expectations: Expectation) -> Expectation:
    """Passes when every part passes."""
    return AllOf(_parts("E.all", expectations))


def any_of(*expectations: Expectation) -> Expectation:
    """Passes when some part passes; with column expectations the alternative is open to each row."""
    return AnyOf(_parts("E.any", expectations))


def negate(expectation: Expectation) -> Expectation:
    """Passes when the part fails; for column expectations row by row, undecided rows passing."""
    return Negation(complete("E.negate", expectation))


def when(when_expectation: Expectation, then_expectation: Expectation) -> When:
    """Starts a conditional; finish it with ``.otherwise(...)``."""
    return When(complete("E.when", when_expectation), complete("E.when", then_expectation))


def _parts(call: str, found: tuple[object, ...]) -> tuple[Expectation, ...]:
    if not found:
        raise IncompleteExpectationError(call, found, "give at least one.", caller())
    return tuple(complete(call, part) for part in found)
