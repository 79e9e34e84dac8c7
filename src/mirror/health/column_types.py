"""Names of column types as check files write them: Spark's, with the usual other spellings."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from mirror.errors import nearest

_OTHER_SPELLINGS = {
    "long": "bigint",
    "integer": "int",
    "short": "smallint",
    "byte": "tinyint",
    "bool": "boolean",
    "str": "string",
    "real": "float",
}
_PLAIN = frozenset(
    {"bigint", "binary", "boolean", "date", "double", "float", "int", "smallint", "string", "timestamp"}
    | {"timestamp_ntz", "tinyint"}
)
_NESTED = re.compile(r"(array|map|struct)<.+>|decimal\(\d+,\d+\)")
_INSIDE = re.compile(r"(?<=[<,:])(" + "|".join(_OTHER_SPELLINGS) + r")(?=[,>])")


def type_of(written: str) -> str:
    """The type as Spark spells it; names of struct fields are left alone. Raises ValueError for no type at all."""
    text = re.sub(r"\s+", "", written)
    if "<" not in text:
        text = text.lower()
    if text in _OTHER_SPELLINGS:
        return _OTHER_SPELLINGS[text]
    if text in _PLAIN or _NESTED.fullmatch(text):
        return _INSIDE.sub(lambda match: _OTHER_SPELLINGS[match[1]], text)
    known = sorted(_PLAIN | set(_OTHER_SPELLINGS))
    raise ValueError(
        f"{written!r} is no column type.{nearest(text, known)} Known: {', '.join(known)}, "
        "decimal(p,s), array<...>, map<...>, struct<...>"
    )


def _checked(written: str) -> str:
    type_of(written)
    return written


ColumnType = Annotated[str, AfterValidator(_checked)]
"""Checked when the file is loaded, kept as written."""
