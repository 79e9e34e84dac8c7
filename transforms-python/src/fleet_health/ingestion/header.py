"""Which field of a line is which column of the profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fleet_health.profiles.source import Source


@dataclass(frozen=True)
class Header:
    """Positions of the profile's columns, and how many fields a line has.

    ``problem`` names the columns that are missing or doubled, if any.
    """

    width: int
    positions: Mapping[str, int]
    problem: str | None = None


def match_header(fields: Sequence[str], source: Source) -> Header:
    """Finds every declared column by its aliases; blanks at the ends of a spelling and order do not matter.

    Unknown columns are ignored: a new upstream column must not stop the pipeline.
    """
    found = [field.strip() for field in fields]
    positions: dict[str, int] = {}
    problems: list[str] = []
    for column in source.header:
        places = [place for place, field in enumerate(found) if field in {alias.strip() for alias in column.aliases}]
        if len(places) > 1:
            problems.append(f"column {column.name!r} occurs {len(places)} times")
        elif places:
            positions[column.name] = places[0]
        elif not column.optional:
            problems.append(f"column {column.name!r} ({column.aliases[0]!r}) is missing")
    width = len(found)
    if source.trailing_delimiter and found[-1] != "":
        width += 1  # the header itself may or may not end with the delimiter
    return Header(width, positions, "header: " + "; ".join(problems) if problems else None)


def declared_header(source: Source) -> Header:
    """For files that have none: every declared column, in the order of the profile."""
    positions = {column.name: place for place, column in enumerate(source.header)}
    return Header(len(positions) + source.trailing_delimiter, positions)
