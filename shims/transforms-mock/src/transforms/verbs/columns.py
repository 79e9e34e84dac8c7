"""``transforms.verbs.columns``: helpers for single columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transforms._names import module_getattr

if TYPE_CHECKING:
    from pyspark.sql import Column


def _column(col: str | Column) -> Column:
    from pyspark.sql import functions as F

    return F.col(col) if isinstance(col, str) else col


def trim_to_null(col: str | Column) -> Column:
    """The text without surrounding blanks; null where nothing is left."""
    from pyspark.sql import functions as F

    trimmed = F.trim(_column(col))
    return F.when(trimmed != "", trimmed)


def camel_to_snake_case(col: str | Column) -> Column:
    """``someValue`` and ``SomeValue`` become ``some_value``; runs of capitals stay together (``HTTPCode``:
    ``http_code``).
    """
    from pyspark.sql import functions as F

    words = F.regexp_replace(_column(col), r"([A-Z]+)([A-Z][a-z])", r"$1_$2")
    return F.lower(F.regexp_replace(words, r"([a-z0-9])([A-Z])", r"$1_$2"))


__all__ = ["camel_to_snake_case", "trim_to_null"]

__getattr__ = module_getattr("transforms.verbs.columns", __all__)
