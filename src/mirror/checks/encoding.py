"""Values as JSON keeps them. Plain for people; tagged where a stored state must come back as it was."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any


def plain(value: object) -> Any:
    """``value`` for a JSON document: instants and dates in ISO 8601, decimals and non-finite numbers as text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return str(value)


def tagged(value: object) -> Any:
    """A scalar that :func:`untagged` brings back with its type."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, date) and not isinstance(value, datetime):
        return {"date": value.isoformat()}
    raise TypeError(f"no stored form for {type(value).__name__}")


def untagged(document: Any) -> Any:
    """The inverse of :func:`tagged`."""
    if not isinstance(document, dict):
        return document
    ((kind, text),) = document.items()
    return _TAGS[kind](text)


_TAGS: dict[str, Callable[[str], object]] = {"float": float, "decimal": Decimal, "date": date.fromisoformat}
