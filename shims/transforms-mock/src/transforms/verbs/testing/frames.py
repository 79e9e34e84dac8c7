"""Comparing frames in tests, with a difference that people can read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_SHOWN = 10


class FramesDiffer(AssertionError):  # noqa: N818 -- reads as the sentence it is
    """Two frames are not the same."""


def assert_frames_equal(
    actual: DataFrame,
    expected: DataFrame,
    *,
    ordered: bool = False,
    ignore_nullable: bool = True,
    tolerance: float = 0.0,
) -> None:
    """Both frames have the same columns, types and rows.

    Args:
        actual, expected: Spark frames small enough to collect.
        ordered: rows must come in the same order.
        ignore_nullable: nullability is no difference (Foundry stores every column nullable).
        tolerance: how far two floating-point numbers may lie apart. NaN equals NaN.

    Raises:
        FramesDiffer: columns first; then up to ten rows, marked ``-`` (expected, missing) and ``+`` (unexpected).
    """
    _compare_columns(actual, expected, ignore_nullable)
    columns = actual.columns
    got, wanted = ([tuple(row) for row in frame.collect()] for frame in (actual, expected))
    if not ordered:
        got, wanted = sorted(got, key=_key), sorted(wanted, key=_key)
    if len(got) == len(wanted) and all(_same(a, b, tolerance) for a, b in zip(got, wanted, strict=True)):
        return
    # Sorting may set apart numbers that the tolerance holds equal, so unordered rows are matched one by one.
    missing, extra = _without(wanted, got, tolerance), _without(got, wanted, tolerance)
    if not ordered and not missing and not extra:
        return
    lines = [f"rows differ: {len(got)} found, {len(wanted)} expected", f"  columns: {', '.join(columns)}"]
    if not missing and not extra:
        lines.append("  the same rows in another order")
    lines += [f"  - {row}" for row in missing[:_SHOWN]] + [f"  + {row}" for row in extra[:_SHOWN]]
    hidden = max(0, len(missing) - _SHOWN) + max(0, len(extra) - _SHOWN)
    raise FramesDiffer("\n".join(lines + ([f"  ... and {hidden} more"] if hidden else [])))


def _compare_columns(actual: DataFrame, expected: DataFrame, ignore_nullable: bool) -> None:
    def described(frame: DataFrame) -> list[str]:
        return [
            f"{f.name}: {f.dataType.simpleString()}" + ("" if ignore_nullable or f.nullable else " not null")
            for f in frame.schema.fields
        ]

    got, wanted = described(actual), described(expected)
    if got == wanted:
        return
    lines = ["columns differ"]
    lines += [f"  - {column}" for column in wanted if column not in got]
    lines += [f"  + {column}" for column in got if column not in wanted]
    if sorted(got) == sorted(wanted):
        lines.append(f"  order: {', '.join(actual.columns)} instead of {', '.join(expected.columns)}")
    raise FramesDiffer("\n".join(lines))


def _key(row: Sequence[Any]) -> tuple[tuple[bool, str], ...]:
    return tuple((value is not None, repr(value)) for value in row)


def _same(left: Any, right: Any, tolerance: float) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        both_nan = math.isnan(left) and math.isnan(right)
        return both_nan or left == right or abs(left - right) <= tolerance
    if isinstance(left, tuple | list) and isinstance(right, tuple | list):
        return len(left) == len(right) and all(_same(a, b, tolerance) for a, b in zip(left, right, strict=True))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[k], right[k], tolerance) for k in left)
    return bool(left == right)


def _without(rows: Sequence[Any], others: Sequence[Any], tolerance: float) -> list[Any]:
    left = list(others)
    alone = []
    for row in rows:
        at = next((i for i, other in enumerate(left) if _same(row, other, tolerance)), None)
        if at is None:
            alone.append(row)
        else:
            del left[at]
    return alone
