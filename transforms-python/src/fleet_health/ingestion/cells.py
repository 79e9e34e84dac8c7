"""Text of cells to values: numbers in stored units and booleans. Pure pandas, one column at a time."""

from __future__ import annotations

import math
import re
from typing import Any

import pandas as pd

from fleet_health.profiles.model import Sensor
from fleet_health.profiles.source import Column, Source
from fleet_health.profiles.units import conversion

_TRUTH = {"1": True, "0": False, "1.0": True, "0.0": False, "true": True, "false": False}
_NAN = ("nan", "NaN")
_SAME_SIGN = {" ": "\u00a0\u202f", "'": "\u2019"}
"""Typographic spellings of a separator of thousands."""


def read_sensor(
    text: pd.Series[Any], sensor: Sensor, column: Column, source: Source
) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """The values of one sensor and a mask of its unreadable cells.

    Returns:
        values in the sensor's unit (null where missing or unreadable, NaN where the sender says so and the profile does
        not call that missing); ``True`` where the cell held text that is neither a value nor one of the profile's words
        for "missing", nor empty. Infinite numbers count as unreadable.
    """
    declared = ("", *source.missing, *column.missing)
    words = {word.strip() if isinstance(word, str) else f"{word:g}" for word in declared}
    # columns repeat their cells, so each distinct text is understood once
    if sensor.type == "boolean":
        known = {**_TRUTH, **_words(column.true_words, True), **_words(column.false_words, False)}
        truths = {cell: None if (bare := cell.strip()) in words else known.get(bare.lower()) for cell in set(text)}
        truth = pd.Series([truths[cell] for cell in text], index=text.index, dtype="object").astype("boolean")
        wrong = {cell for cell, value in truths.items() if value is None and cell.strip() not in words}
        return truth, _among(text, wrong)
    numbers = {cell: _number(_bare(cell, column), source) for cell in set(text)}
    written = {_number(word, source) for word in words} | {w for w in declared if not isinstance(w, str)}
    sentinels = {value for value in written if not math.isnan(value)}  # `in` finds the same NaN by identity
    missing = {cell for cell, value in numbers.items() if cell.strip() in words or value in sentinels}
    odd = {cell for cell, value in numbers.items() if not math.isfinite(value) and cell not in missing}
    said = {cell for cell in odd if cell.strip() in _NAN}
    wrong = odd - said
    numbers.update(dict.fromkeys(missing | wrong, math.nan))
    values = pd.Series([numbers[cell] for cell in text], index=text.index, dtype="float64")
    if column.divided_by is not None:
        values = values / column.divided_by
    rule = conversion(column.unit or sensor.unit, sensor.unit)
    if rule is not None and not rule.is_identity:
        values = (values + rule.shift) * rule.factor
    return (_with_nan(values, _among(text, said)) if said else values), _among(text, wrong)


def _with_nan(values: pd.Series[Any], said: pd.Series[Any]) -> pd.Series[Any]:
    """NaN and null told apart, so that a check on raw can tell of a sender that began to send NaN."""
    null = (values.isna() & ~said).to_numpy()
    array: Any = pd.arrays.FloatingArray(values.to_numpy(dtype="float64"), null)  # type: ignore[attr-defined]  # no stub
    told: pd.Series[Any] = pd.Series(array, index=values.index)
    return told


def _bare(cell: str, column: Column) -> str:
    """The cell without the text that may follow its number."""
    text = cell.strip()
    for suffix in column.suffixes:
        if text.endswith(suffix):
            return text.removesuffix(suffix)
    return text


def _words(words: tuple[str, ...], truth: bool) -> dict[str, bool]:
    return {word.strip().lower(): truth for word in words}


def _among(text: pd.Series[Any], cells: set[str]) -> pd.Series[Any]:
    return text.isin(cells) if cells else pd.Series(False, index=text.index)


def _number(cell: str, source: Source) -> float:
    """The nearest double, NaN where the text is no number. pandas' own parser is off by one unit in the last place.

    A separator of thousands anywhere but between groups of three makes no number: ``1.2`` must not read as 12.
    """
    text = cell.strip().replace("\u2212", "-")
    sign = source.thousands
    if sign is not None:
        for same in _SAME_SIGN.get(sign, ""):
            text = text.replace(same, sign)
    if sign is not None and sign in text:
        groups = rf"[+-]?\d{{1,3}}(?:{re.escape(sign)}\d{{3}})+(?:{re.escape(source.decimal)}\d*)?"
        if re.fullmatch(groups, text) is None:
            return math.nan
        text = text.replace(sign, "")
    if source.decimal == ",":
        # a point that nobody declared may be somebody's separator of thousands
        text = "?" if "." in text else text.replace(",", ".")
    try:
        return float(text) if "_" not in text else math.nan
    except ValueError:
        return math.nan
