"""``Column``: conditions on rows, kept as a tree until a read applies them to an Arrow table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from transforms._names import Named, caller, known_arguments
from transforms.errors import TransformTypeError

if TYPE_CHECKING:
    import pyarrow.compute as pc


class Filter:
    """A condition; combine with ``&``, ``|`` and ``~``."""

    def __init__(self, make: Callable[[], pc.Expression], text: str) -> None:
        self._make, self._text = make, text

    def __repr__(self) -> str:
        return self._text

    def expression(self) -> pc.Expression:
        """The condition for Arrow."""
        return self._make()

    def __and__(self, other: Filter) -> Filter:
        return Filter(lambda: self._make() & other._make(), f"({self._text} & {other._text})")

    def __or__(self, other: Filter) -> Filter:
        return Filter(lambda: self._make() | other._make(), f"({self._text} | {other._text})")

    def __invert__(self) -> Filter:
        return Filter(lambda: ~self._make(), f"~{self._text}")

    def __bool__(self) -> bool:
        raise TypeError("conditions are combined with &, | and ~, not with and, or and not")


class Column(Named):
    """A column by name, for conditions."""

    # == makes a condition, so a column is no key
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    @known_arguments("Column.get")
    def get(cls, name: str) -> Column:
        """The column ``name``."""
        if not isinstance(name, str):
            raise TransformTypeError(f"Column.get takes the name of a column, got {name!r}.", caller())
        return cls(name)

    def _field(self) -> pc.Expression:
        import pyarrow.compute as pc

        return pc.field(self.name)

    def _compare(self, sign: str, value: Any) -> Filter:
        operations: dict[str, Callable[[Any, Any], Any]] = {
            "==": lambda f, v: f == v,
            "!=": lambda f, v: f != v,
            ">": lambda f, v: f > v,
            ">=": lambda f, v: f >= v,
            "<": lambda f, v: f < v,
            "<=": lambda f, v: f <= v,
        }
        return Filter(lambda: operations[sign](self._field(), value), f"{self.name} {sign} {value!r}")

    def __eq__(self, value: object) -> Filter:  # type: ignore[override]
        return self._compare("==", value)

    def __ne__(self, value: object) -> Filter:  # type: ignore[override]
        return self._compare("!=", value)

    def __gt__(self, value: Any) -> Filter:
        return self._compare(">", value)

    def __ge__(self, value: Any) -> Filter:
        return self._compare(">=", value)

    def __lt__(self, value: Any) -> Filter:
        return self._compare("<", value)

    def __le__(self, value: Any) -> Filter:
        return self._compare("<=", value)

    @known_arguments("Column.isnull")
    def isnull(self) -> Filter:
        """The value is null."""
        return Filter(lambda: self._field().is_null(), f"{self.name} is null")

    @known_arguments("Column.isin")
    def isin(self, values: Iterable[Any]) -> Filter:
        """The value is one of these."""
        if isinstance(values, str) or not isinstance(values, Iterable):
            raise TransformTypeError(f"Column.isin takes a list of values, got {values!r}.", caller())
        listed = list(values)
        return Filter(lambda: self._field().isin(listed), f"{self.name} in {listed!r}")

    @known_arguments("Column.between")
    def between(self, low: Any, high: Any) -> Filter:
        """``low <= value <= high``."""
        return (self >= low) & (self <= high)
