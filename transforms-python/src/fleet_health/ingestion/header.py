"""Which field of a line is which column of the profile, and of which device."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from fleet_health.profiles.source import IN_HEADER, ONE_COLUMN, Column, Source


@dataclass(frozen=True)
class Header:
    """Positions of the profile's columns, and how many fields a line has.

    ``devices`` holds the positions of the columns that belong to one device, where a line has several devices.
    ``problem`` names the columns that are missing or doubled, if any.
    """

    width: int
    positions: Mapping[str, int]
    problem: str | None = None
    devices: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def of_device(self, device: str) -> Header:
        """The header of one device's readings: its own columns, and those that all devices share."""
        return replace(self, positions={**self.positions, **self.devices[device]}, devices={})


def match_header(fields: Sequence[str], source: Source) -> Header:
    """Finds every declared column by its aliases; blanks at the ends of a spelling and order do not matter.

    Unknown columns are ignored: a new upstream column must not stop the pipeline.
    """
    found = [device_and_spelling(field.strip(), source) for field in fields]
    devices = list(dict.fromkeys(device for device, _ in found if device is not None))
    problems: list[str] = []
    shared = _positions(found, None, source, problems)
    own = {device: _positions(found, device, source, problems) for device in devices}
    for device, columns in [*own.items()] or [("", shared)]:
        known = {**shared, **columns}
        missing = [column for column in source.header if column.name not in known and not column.optional]
        problems += [f"column {column.name!r} ({column.aliases[0]!r}){_of(device)} is missing" for column in missing]
    if source.header_pattern and not devices:
        problems = [f"no column {nothing_found(source)}"]
    width = len(found)
    if source.trailing_delimiter and fields[-1].strip() != "":
        width += 1  # the header itself may or may not end with the delimiter
    return Header(width, shared, "header: " + "; ".join(problems) if problems else None, own)


def joined_names(lines: Sequence[Sequence[str]]) -> list[str]:
    """One spelling per field of a header of several lines: what stands above each other, joined by blanks.

    An empty field above another one belongs to the name at its left, as tables write cells that span columns.
    """
    width = max(map(len, lines))
    names, above = [], [""] * len(lines)
    for place in range(width):
        own = [line[place].strip() if place < len(line) else "" for line in lines]
        if not any(own):
            names.append("")
            continue
        for level, name in enumerate(own):
            if name:
                above[level:] = [name] + [""] * (len(lines) - level - 1)
        names.append(" ".join(filter(None, [*above[:-1], own[-1]])))
    return names


def nothing_found(source: Source) -> str:
    """What to say where the pattern of a header finds nothing."""
    if source.device == IN_HEADER:
        return "is one of a device, as `source.device_pattern` finds them"
    return "is one of a time, as `source.time.header_pattern` finds them"


def device_and_spelling(field: str, source: Source) -> tuple[str | None, str]:
    """Whose column it is (``None`` for one that all devices share), and what its aliases call it. Where times are in
    the header, a time takes the place of the device.
    """
    found = re.fullmatch(source.header_pattern, field) if source.header_pattern else None
    if found is None:
        return None, field
    whose = "device" if source.device == IN_HEADER else "time"
    return found[whose], found["column"].strip() if "column" in found.groupdict() else ONE_COLUMN


def _positions(
    found: Sequence[tuple[str | None, str]], device: str | None, source: Source, problems: list[str]
) -> dict[str, int]:
    positions: dict[str, int] = {}
    for column in source.header:
        places = [place for place, of in enumerate(found) if of[0] == device and of[1] in spellings(column)]
        if len(places) > 1:
            problems.append(f"column {column.name!r}{_of(device)} occurs {len(places)} times")
        elif places:
            positions[column.name] = places[0]
    return positions


def spellings(column: Column) -> set[str]:
    """How a column may be called, blanks at the ends aside."""
    return {alias.strip() for alias in column.aliases}


def _of(device: str | None) -> str:
    return "" if not device else f" of device {device!r}"


def declared_header(source: Source) -> Header:
    """For files that have none: every declared column, in the order of the profile."""
    positions = {column.name: place for place, column in enumerate(source.header)}
    return Header(len(positions) + source.trailing_delimiter, positions)
