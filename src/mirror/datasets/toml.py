"""Values as TOML: what the standard library reads and does not write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def section(name: str, values: Mapping[str, Any]) -> str:
    """A table with one line per key; nested mappings are inline tables, keys without value are left out."""
    lines = [f"{_key(key)} = {_value(value)}\n" for key, value in values.items() if value is not None]
    return f"[{name}]\n{''.join(lines)}"


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else json.dumps(name)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + " }"
    # JSON strings, numbers and booleans are TOML's.
    return json.dumps(value, ensure_ascii=False)
