"""Time text made such that strptime reads it: words of other languages, zeros a table lost, hour 24, zone names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import pandas as pd

_AT_MIDNIGHT = {"M": "0{1,2}", "S": "0{1,2}", "f": "0+"}
_DIRECTIVE = {"Y": r"\d{4}", "j": r"\d{1,3}", "z": r"\S+"}
_DIGITS = {"Y": 4, "m": 2, "d": 2, "H": 2, "I": 2, "M": 2, "S": 2, "y": 2, "j": 3}
_LETTER = r"[^\W\d_]"


def part_of(cells: pd.Series[Any], pattern: str | None) -> pd.Series[Any]:
    """What the group ``time`` of the pattern finds in a text; nothing where it does not match."""
    if pattern is None:
        return cells
    found = re.compile(pattern)
    return cells.map(lambda text: (match["time"] or "") if (match := found.search(text)) else "")


def with_words(cells: pd.Series[Any], words: Mapping[str, str]) -> pd.Series[Any]:
    """Each of the words as what it stands for, in any case; ``Mai`` is not found in ``Maison``, nor 0:00 in 10:00."""
    if not words:
        return cells
    meant = {word.lower(): other for word, other in words.items()}
    longest = sorted(meant, key=len, reverse=True)
    found = "|".join(f"{_apart(word[0], '(?<!{})')}{re.escape(word)}{_apart(word[-1], '(?!{})')}" for word in longest)
    return cells.str.replace(found, lambda match: meant[match[0].lower()], regex=True, flags=re.IGNORECASE)


def _apart(edge: str, rule: str) -> str:
    """What keeps a word that ends in a letter from being part of a longer one, and a number of another number."""
    return rule.format(_LETTER) if edge.isalpha() else rule.format(r"\d") if edge.isdecimal() else ""


def with_leading_zeros(cells: pd.Series[Any], pattern: str) -> pd.Series[Any]:
    """Numbers as wide as directives that stand side by side: ``915`` for ``%H%M`` is 09:15, which strptime would
    read too, but it takes ``15`` for 01:05.
    """
    compiled = _side_by_side(pattern)
    if compiled is None:
        return cells
    expression, widths = compiled

    def filled(match: re.Match[str]) -> str:
        made = [text.zfill(widths[name]) if name in widths else text for name, text in match.groupdict().items()]
        return "".join(made)

    return cells.str.replace(expression, filled, regex=True)


@cache
def _side_by_side(pattern: str) -> tuple[str, dict[str, int]] | None:
    """What matches a time in groups, and the width of those that are numbers without anything between them."""
    parts: list[str] = []
    widths: dict[str, int] = {}
    for run in re.findall(r"(?:%[YmdHIMSyj])+|%.|[^%]+", pattern):
        letters = re.findall(r"%([YmdHIMSyj])", run)
        if len(letters) > 1:
            name = f"run{len(widths)}"
            widths[name] = sum(_DIGITS[letter] for letter in letters)
            parts.append(rf"(?P<{name}>\d{{1,{widths[name]}}})")
        else:
            parts.append(f"(?P<part{len(parts)}>{_part(run)})")
    # a fraction has no width, so what stands before it has none either
    return (f"^{''.join(parts)}$", widths) if widths and "%f" not in pattern else None


def without_hour_24(cells: pd.Series[Any], pattern: str) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """24:00 as 00:00, and the days to add. Only hour 24 itself is one: 24:01 stays as it is, and is no time."""
    midnight = _midnight(pattern)
    if midnight is None or not cells.str.contains("24", regex=False).any():
        return cells, pd.Series(0, index=cells.index)
    found = cells.str.fullmatch(midnight)
    begun = cells.str.replace(f"^{midnight}$", r"\g<before>00\g<after>", regex=True)
    return cells.where(~found, begun), found.astype("int64")


@cache
def _midnight(pattern: str) -> str | None:
    """What matches hour 24 in a format; ``None`` when the format has no hour."""
    if pattern == "iso8601":
        return r"(?P<before>\d{4}-?\d\d-?\d\d[T ])24(?P<after>(?::?00){0,2}(?:[.,]0+)?(?:[zZ]|[+-]\S+)?)"
    if "%H" not in pattern:
        return None
    made = [
        "(?P<hour>24)" if part == "%H" else _AT_MIDNIGHT.get(part[1:]) if part.startswith("%") else None
        for part in _parts(pattern)
    ]
    whole = "".join(own or _part(part) for own, part in zip(made, _parts(pattern), strict=True))
    before, after = whole.split("(?P<hour>24)")
    return f"(?P<before>{before})24(?P<after>{after})"


def without_zone_name(cells: pd.Series[Any], pattern: str) -> tuple[pd.Series[Any], str, pd.Series[Any]]:
    """The text and the format without the name of a zone (``%Z``), and that name; the text stays where it has none."""
    made = ["(?P<zone>[A-Za-z]+)" if part == "%Z" else _part(part) for part in _parts(pattern)]
    before, after = "".join(made).split("(?P<zone>[A-Za-z]+)")
    whole = f"^(?P<before>{before})(?P<zone>[A-Za-z]+)(?P<after>{after})$"
    names = cells.str.extract(whole)["zone"]
    left = cells.str.replace(whole, r"\g<before>\g<after>", regex=True)
    return left.str.strip(), pattern.replace("%Z", "").strip(), names


def _parts(pattern: str) -> list[str]:
    return re.findall(r"%.|[^%]+", pattern)


def _part(part: str) -> str:
    """What matches one directive, or the text between two."""
    if part.startswith("%"):
        return _DIRECTIVE.get(part[1:], r"\w+")
    return r"\s+".join(map(re.escape, re.split(r"\s+", part)))
