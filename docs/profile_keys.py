"""The keys of a profile, from the model that its loader validates with."""

from __future__ import annotations

import types
import typing
from typing import Any


def keys(model: Any, prefix: str) -> list[tuple[str, str, str]]:
    """Every key below ``model`` with the shape of its value and its default, nested ones behind a dotted path."""
    rows = []
    for name, field in model.model_fields.items():
        nested, many = _nested(field.annotation)
        default = "required" if field.is_required() else "" if not field.default else _shown(field.default)
        path = f"{prefix}{name}{'[]' if many else ''}"
        patterns = [m.pattern for m in field.metadata if getattr(m, "pattern", None)]
        if nested is None:
            rows.append((f"`{path}`", f"text like `{patterns[0]}`" if patterns else _shape(field.annotation), default))
        else:
            rows += [(f"`{path}`", "list of:" if many else "", default), *keys(nested, f"{path}.")]
    return rows


def _shown(default: Any) -> str:
    return (
        ", ".join(f"`{part}`" if part != "" else "an empty cell" for part in default)
        if isinstance(default, tuple)
        else f"`{default}`"
    )


def _nested(annotation: Any) -> tuple[Any, bool]:
    """The model behind a key and whether it is a list of them; ``None`` where the key holds a plain value."""
    for part in (annotation, *typing.get_args(annotation)):
        if hasattr(part, "model_fields"):
            return part, typing.get_origin(annotation) is tuple
    return None, False


def _shape(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _shape(arguments[0])
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin is tuple:
        many = "list of " if arguments[-1] is ... else f"{len(arguments)} times "
        return many + _shape(arguments[0])
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_shape(part) for part in arguments if part is not types.NoneType)
    return {str: "text", int: "whole number", float: "number", bool: "true or false"}.get(
        annotation, getattr(annotation, "__name__", str(annotation))
    )
