"""The types of columns and parameters: which are legal, their wire names, and what a value must be.

The wire names (``integer``, ``double``, ``array`` ...) are those of the public ``ModelApi`` document of the platform
SDK.
"""

from __future__ import annotations

import datetime
import types
import typing
from typing import Any, get_args, get_origin

from palantir_models.errors import DeclarationError

# The text an author may write instead of a type is not documented, so only types are accepted.
_WIRE = {
    str: "string",
    int: "integer",
    float: "double",
    bool: "boolean",
    list: "array",
    dict: "map",
    datetime.date: "date",
    datetime.datetime: "timestamp",
    datetime.time: "unsupported",
}


def is_media_reference(declared: object) -> bool:
    """Whether a column is declared as a media reference (the class, or an instance of it)."""
    from palantir_models.declarations.types import MediaReference

    return declared is MediaReference or isinstance(declared, MediaReference)


def check_column_type(declared: object, where: str) -> None:
    """Raises ``DeclarationError`` naming ``where`` unless ``declared`` is a legal column or parameter type."""
    if declared is Any or declared is None or is_media_reference(declared):
        return
    base = get_origin(declared) or declared
    if base in _WIRE:
        for argument in get_args(declared):
            check_column_type(argument, where)
        return
    if base in (typing.Union, types.UnionType):
        for argument in get_args(declared):
            if argument is not type(None):
                check_column_type(argument, where)
        return
    raise DeclarationError(
        where,
        f"{declared!r} is no column type of a model API.",
        "Use str, int, float, bool, list, dict, datetime.date, datetime.time, datetime.datetime or typing.Any.",
    )


def wire_type(declared: object) -> dict[str, Any]:
    """The ``dataType`` document of a declared type; ``Any`` and unknown types become ``any``."""
    base = get_origin(declared) or declared
    arguments = get_args(declared)
    name = _WIRE.get(base, "any") if isinstance(base, type) else "any"
    if name == "array":
        return {"type": "array", "itemType": wire_type(arguments[0]) if arguments else {"type": "any"}}
    if name == "map":
        key, value = arguments if len(arguments) == 2 else (Any, Any)
        return {"type": "map", "keyType": wire_type(key), "valueType": wire_type(value)}
    return {"type": name}


def type_name(declared: object) -> str:
    """A type as a person writes it."""
    return declared.__name__ if isinstance(declared, type) and not get_args(declared) else str(declared)


def fits(value: object, declared: object) -> bool:
    """Whether ``value`` may stand for a parameter of type ``declared``.

    NumPy scalars count as their Python kind, an int may stand for a float, a bool never for a number, a datetime
    never for a date. Elements of parametrised lists and dicts are checked too. ``Any`` takes everything.
    """
    if declared is Any or declared is None:
        return True
    base = get_origin(declared) or declared
    arguments = get_args(declared)
    if base in (typing.Union, types.UnionType):
        return any(value is None if a is type(None) else fits(value, a) for a in arguments)
    value = (
        value.item() if hasattr(value, "item") and hasattr(value, "dtype") and not getattr(value, "shape", 1) else value
    )
    if base is bool:
        return isinstance(value, bool)
    if base is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if base is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if base is datetime.date:
        return isinstance(value, datetime.date) and not isinstance(value, datetime.datetime)
    if base is list:
        return isinstance(value, list | tuple) and all(fits(v, arguments[0]) for v in value if arguments)
    if base is dict:
        return isinstance(value, dict) and (
            len(arguments) != 2 or all(fits(k, arguments[0]) and fits(v, arguments[1]) for k, v in value.items())
        )
    return isinstance(base, type) and isinstance(value, base)
