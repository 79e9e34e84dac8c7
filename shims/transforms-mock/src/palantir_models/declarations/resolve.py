"""From what ``api()`` returns, in either style, to the normal form."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from palantir_models.declarations.fields import Api
from palantir_models.declarations.model_api import ModelApi
from palantir_models.declarations.types import FileSystem, MediaReference, Object, ObjectSet, Pandas, Parameter, Spark
from palantir_models.errors import DeclarationError

_TYPES = (Pandas, Spark, Parameter, FileSystem, MediaReference, Object, ObjectSet)
_OUTPUT_TYPES = (Pandas, Spark, Parameter, FileSystem)


def declared_api(adapter: Any) -> Api:
    """The declared inputs and outputs of an adapter class or instance.

    ``api`` is a classmethod; the older spelling ``def api(self)`` works too.

    Raises:
        DeclarationError: ``api()`` returns something else than two dicts or a ``ModelApi``, or an entry is wrong.
        NotImplementedError: the class declares no ``api``.
    """
    cls = adapter if isinstance(adapter, type) else type(adapter)
    where = f"{cls.__name__}.api()"
    static = inspect.getattr_static(cls, "api")
    if isinstance(static, classmethod | staticmethod):
        declared = cls.api()  # type: ignore[attr-defined]
    else:
        declared = static(adapter if not isinstance(adapter, type) else None)
    if isinstance(declared, ModelApi):
        return declared.resolve(where)
    if not (
        isinstance(declared, tuple | list) and len(declared) == 2 and all(isinstance(d, Mapping) for d in declared)
    ):
        raise DeclarationError(where, f"returns {declared!r}.", "Return (inputs, outputs), two dicts of name to type.")
    inputs, outputs = declared
    return Api.of(
        [_field(n, d, where, "input", _TYPES) for n, d in inputs.items()],
        [_field(n, d, where, "output", _OUTPUT_TYPES) for n, d in outputs.items()],
        where,
    )


def _field(name: str, declared: Any, where: str, side: str, allowed: tuple[type, ...]) -> Any:
    if isinstance(declared, type) and issubclass(declared, allowed):
        try:
            declared = declared()
        except TypeError:
            raise DeclarationError(
                where, f"{side} {name!r} names the class {declared.__name__} without arguments."
            ) from None
    if not isinstance(declared, allowed):
        raise DeclarationError(
            where, f"{side} {name!r} is {declared!r}.", f"Use pm.{', pm.'.join(t.__name__ for t in allowed)}."
        )
    entry: Any = declared
    return entry.field(name)
