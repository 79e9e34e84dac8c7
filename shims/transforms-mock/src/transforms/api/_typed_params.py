"""Typed parameters: a value with a default that a schedule may override; read in the transform as ``param.value``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from transforms._names import Named, caller, known_arguments
from transforms.api._params import Param
from transforms.errors import TransformTypeError, TransformValueError

if TYPE_CHECKING:
    from transforms.api._job import Job


@dataclass(frozen=True)
class ParamValueInput(Named):
    """What the compute function receives for a typed parameter."""

    value: Any


class TypedParam(Param):
    """Common part of the four kinds of value."""

    kind = "parameter"
    _types: ClassVar[tuple[type, ...]] = ()
    default: Any

    @known_arguments("{}")
    def __init__(self, default: Any, *, description: str | None = None) -> None:
        super().__init__(description)
        self.default = self._checked(default)

    def _checked(self, value: Any) -> Any:
        wrong_bool = isinstance(value, bool) and bool not in self._types
        if wrong_bool or not isinstance(value, self._types):
            what = f"{type(self).__name__} takes {self._types[0].__name__}, got {value!r}."
            raise TransformTypeError(what, caller())
        return value

    def _bind(self, bound: Any, job: Job) -> ParamValueInput:
        return bound if isinstance(bound, ParamValueInput) else ParamValueInput(self._checked(bound))

    def _default_binding(self) -> Any:
        return self.default


class StringParam(TypedParam):
    """A text, optionally one of a set of allowed ones."""

    _types = (str,)
    allowed_values: frozenset[str] | None

    @known_arguments("StringParam")
    def __init__(
        self, default: str, *, description: str | None = None, allowed_values: Iterable[str] | None = None
    ) -> None:
        if allowed_values is not None:
            texts = not isinstance(allowed_values, str) and isinstance(allowed_values, Iterable)
            allowed_values = frozenset(allowed_values) if texts else None
            if allowed_values is None or not all(isinstance(value, str) for value in allowed_values):
                raise TransformTypeError("allowed_values of StringParam is a set of texts.", caller())
        self.allowed_values = allowed_values
        super().__init__(default, description=description)

    def _checked(self, value: Any) -> Any:
        value = super()._checked(value)
        if self.allowed_values is not None and value not in self.allowed_values:
            allowed = ", ".join(sorted(self.allowed_values))
            raise TransformValueError(f"StringParam allows {allowed}; got {value!r}.", caller())
        return value


class IntegerParam(TypedParam):
    """A whole number."""

    _types = (int,)


class FloatParam(TypedParam):
    """A number."""

    _types = (float, int)


class BooleanParam(TypedParam):
    """True or false."""

    _types = (bool,)
