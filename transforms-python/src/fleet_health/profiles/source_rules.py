"""Whether a profile's ``source`` agrees with itself and with the sensors: what would fail only on the first file."""

from __future__ import annotations

import re
from typing import Protocol

from fleet_health.profiles.learning_rules import Check, Path
from fleet_health.profiles.source import (
    BY_FILE,
    EPOCHS,
    FIXED_WIDTH,
    FROM_REGISTRY,
    IN_HEADER,
    IN_PATH,
    JSON,
    WORKBOOK,
    Column,
)
from fleet_health.profiles.units import conversion, sources_for


class SourceCheck(Check, Protocol):
    """What else a source is checked with."""

    @property
    def units(self) -> frozenset[str]: ...

    def unit(self, path: Path, unit: str, of: str) -> None: ...

    def zone(self, path: Path, name: str) -> None: ...


_NO_COLUMN = {
    "ingested": ("same_as_time",),
    "device": ("by_file", "file_name", "in_path", IN_HEADER),
    "event_id": ("device_and_time", "device_and_text"),
    "sequence": ("line_number",),
}
_DIRECTIVES = frozenset("aAbBcdfGHIjmMpSuUVwWxXyYzZ%")


def check_source(check: SourceCheck) -> None:
    source = check.profile.source
    names = [column.name for column in source.header]
    check.unique(("source", "header"), names, "column")
    aliases = [alias for column in source.header for alias in column.aliases]
    _narrow(check)
    for index, column in enumerate(source.header):
        if column.required and column.optional:
            fix = "Keep `required`, which refuses its lines, or `optional`, which takes files without it."
            check.fail(("source", "header", index, "required"), f"column {column.name!r} is required and optional", fix)
        repeated = [alias for alias in column.aliases if aliases.count(alias) > 1]
        if repeated:
            check.fail(
                ("source", "header", index), f"header {repeated[0]!r} belongs to two columns", "Keep one of them."
            )
    place = ("source", "header") if source.narrow is None else ("source", "narrow", "sensors")
    for index, column in enumerate(source.readable):
        if column.name in check.profile.sensor_names:
            _sensor_column(check, column, (*place, index))
    for sensor in check.profile.sensor_names:
        if sensor not in [column.name for column in source.readable]:
            check.fail(place, f"sensor {sensor!r} has no column", f"Add `- {{name: {sensor}, aliases: [...]}}`.")
    for key in ("ingested", "device", "event_id", "sequence"):
        value = getattr(source, key)
        columns = source.device_parts[source.device_parts[0] in BY_FILE[1:] :] if key == "device" else value
        for name in () if value in _NO_COLUMN[key] else (columns,) if isinstance(columns, str) else columns:
            check.known(("source", key), name, names, "column")
    for name in source.time.columns:
        if name not in (IN_PATH, IN_HEADER):
            check.known(("source", "time", "column"), name, names, "column")
    fix = r"For KNYC_2024-01-31.csv write path_pattern: '(?P<time>\d{4}-\d\d-\d\d)\.csv'."
    time = ("source", "time", "column")
    if source.time.text_pattern is not None:
        where = r"For '01.01.2024 00:00 - 01.01.2024 01:00' write text_pattern: '(?P<time>.+) - '."
        _groups(check, ("source", "time", "text_pattern"), source.time.text_pattern, ("time",), where)
    _path_pattern(check, time, "path_pattern", IN_PATH in source.time.columns, source.time.path_pattern, "time", fix)
    _spelling(check)
    if source.device == "by_file" and not source.devices:
        check.fail(
            ("source", "device"), "device is `by_file` but no file is assigned", "List `devices: [{file, device_id}]`."
        )
    _device_pattern(check)


def _sensor_column(check: SourceCheck, column: Column, path: Path) -> None:
    sensor = check.profile.sensor(column.name)
    always = [other.name for other in check.profile.source.header if not other.optional]
    _unit(check, column.unit or sensor.unit, column.name, (*path, "unit"))
    if column.unit_by is not None:
        check.known((*path, "unit_by", "column"), column.unit_by.column, always, "column that is not optional")
        for word, unit in column.unit_by.words.items():
            _unit(check, unit, column.name, (*path, "unit_by", "words", word))
    for key in ("suffixes", "divided_by", "unit_by"):
        if sensor.type == "boolean" and getattr(column, key):
            check.fail((*path, key), f"`{key}` of {column.name!r}, which is true or false", "Remove it.")
    if column.valid_when is not None:
        check.known((*path, "valid_when", "column"), column.valid_when.column, always, "column that is not optional")


def _unit(check: SourceCheck, unit: str, name: str, path: Path) -> None:
    stored = check.profile.sensor(name).unit
    if unit not in check.units:
        check.unit(path, unit, name)
    if conversion(unit, stored) is None:
        fix = f"Use one of: {', '.join(sources_for(stored, check.units))}."
        check.fail(path, f"{unit!r} cannot be converted to {stored!r}", fix)


def _narrow(check: SourceCheck) -> None:
    source = check.profile.source
    if source.narrow is None:
        return
    path, columns = ("source", "narrow"), [column.name for column in source.header]
    check.known((*path, "value"), source.narrow.value, columns, "column")
    if not source.narrow.by_file:
        check.known((*path, "sensor"), source.narrow.sensor, columns, "column")
    named = source.narrow.sensor == IN_PATH
    _path_pattern(
        check, (*path, "sensor"), "sensor_pattern", named, source.narrow.sensor_pattern, "sensor", _SENSOR_PATTERN
    )
    for index, column in enumerate(source.narrow.sensors):
        check.known((*path, "sensors", index, "name"), column.name, check.profile.sensor_names, "sensor")
        for key in ("optional", "required"):
            if getattr(column, key):
                fix = "Remove it; a narrow line has the one sensor that it names."
                check.fail((*path, "sensors", index, key), f"`{key}` of a sensor that has no column", fix)
    words = [word for column in source.narrow.sensors for word in column.aliases]
    for index, column in enumerate(source.narrow.sensors):
        twice = [word for word in column.aliases if words.count(word) > 1]
        if twice:
            check.fail((*path, "sensors", index), f"word {twice[0]!r} belongs to two sensors", "Keep one of them.")
    if source.narrow.merge is not None:
        _merge(check, source.narrow.merge.every_seconds)


def _merge(check: SourceCheck, seconds: int) -> None:
    path = ("source", "narrow", "merge", "every_seconds")
    for minutes in check.profile.windows_minutes:
        if minutes * 60 % seconds:
            fix = "Let it divide every one of windows_minutes, such as 60."
            check.fail(path, f"a step of {seconds} seconds would lie in two windows of {minutes} minutes", fix)
    if check.profile.source.event_id != "device_and_time":
        fix = "Write `event_id: device_and_time`: a reading is known by its device, its step and the sensors it tells."
        check.fail(("source", "event_id"), "no line of a merged reading has the reading's event_id", fix)


_GROUPS = {"in_path": ("device",), IN_HEADER: ("device",)}
_SENSOR_PATTERN = r"For TI-7_2024.csv write sensor_pattern: '(?P<sensor>[A-Z]+-\d+)_\d{4}\.csv'."
_PATTERNS = {
    "in_path": r"For unit_12_2024.csv write device_pattern: '(?P<device>unit_\d+)_\d{4}\.csv'.",
    IN_HEADER: r"For pump1_temp and pump2_temp write device_pattern: '(?P<device>pump\d+)_(?P<column>.+)'.",
}


def _path_pattern(
    check: SourceCheck, place: Path, key: str, wanted: bool, pattern: str | None, group: str, fix: str
) -> None:
    """Something that stands ``in_path``, and the pattern that finds it there."""
    if wanted != (pattern is not None):
        check.fail(place, f"`{place[-1]}: in_path` and `{key}` belong together", fix)
    if pattern is not None:
        _groups(check, (*place[:-1], key), pattern, (group,), fix)


def _groups(check: SourceCheck, path: Path, pattern: str, wanted: tuple[str, ...], fix: str) -> None:
    try:
        groups = re.compile(pattern).groupindex
    except re.error as error:
        check.fail(path, f"{path[-1]} is no regular expression ({error})", fix)
    else:
        for group in wanted:
            if group not in groups:
                check.fail(path, f"{path[-1]} has no group named `{group}`", fix)


def _device_pattern(check: SourceCheck) -> None:
    source, key = check.profile.source, ("source", "device_pattern")
    named = source.device_parts[0]
    fix = _PATTERNS.get(named, _PATTERNS["in_path"])
    if (named in _GROUPS) != (source.device_pattern is not None):
        problem = f"`device: {named}` and `device_pattern` belong together"
        if named not in _GROUPS:
            problem = "`device_pattern` belongs to `device: in_path` or `device: in_header`"
        check.fail(("source", "device"), problem, fix)
    if source.device_pattern is not None:
        _groups(check, key, source.device_pattern, _GROUPS.get(named, ()), fix)
    if source.device == IN_HEADER:
        _several_devices(check)
    _several_times(check)


def _several_devices(check: SourceCheck) -> None:
    """A line of several devices is a reading of each, so nothing may be said of the line alone."""
    source = check.profile.source
    if source.narrow is not None and not source.narrow.by_file:
        fix = "Name the column that holds the device instead, or leave `narrow` out."
        check.fail(("source", "narrow"), "`narrow` in files whose header names the devices", fix)
    if source.without_header:
        check.fail(("source", "without_header"), "no header could name the devices", "Remove one of the two keys.")
    if isinstance(source.event_id, str) and source.event_id not in _NO_COLUMN["event_id"]:
        fix = f"Write `event_id: [{source.event_id}]`, which is the device and that column, or `device_and_time`."
        check.fail(("source", "event_id"), "all devices of a line would have the same event_id", fix)


def _several_times(check: SourceCheck) -> None:
    """A line of several times is a reading of each, and only its time tells it from the others."""
    source = check.profile.source
    fix = r"For columns called 0:30, 1:00, ... write header_pattern: '(?P<time>\d+:\d\d)'."
    place, wanted = ("source", "time", "column"), IN_HEADER in source.time.columns
    named = "`column: in_header` and `header_pattern` belong together"
    if wanted != (source.time.header_pattern is not None):
        check.fail(place, named, fix)
    if source.time.header_pattern is not None:
        _groups(check, ("source", "time", "header_pattern"), source.time.header_pattern, ("time",), fix)
    if wanted and (source.device == IN_HEADER or source.narrow is not None or source.without_header):
        fix = "Let the device be a column or the file, and leave `narrow` and `without_header` out."
        check.fail(place, "times in a header that names the devices too, or that is not there", fix)
    if wanted and source.event_id != "device_and_time":
        fix = "Write `event_id: device_and_time`."
        check.fail(("source", "event_id"), "all times of a line would have the same event_id", fix)


def _spelling(check: SourceCheck) -> None:
    """What would otherwise fail only when the first file is read."""
    source = check.profile.source
    fleet = f"/Fleet/{check.profile.profile}/"
    if source.dataset.startswith("/Fleet/") and not source.dataset.startswith(fleet):
        fix = f"Let it begin with {fleet}"
        check.fail(("source", "dataset"), f"{source.dataset!r} is the landing dataset of another fleet", fix)
    try:
        "".encode(source.encoding)
    except LookupError:
        fix = "Use a name that Python knows, such as utf-8 or latin-1."
        check.fail(("source", "encoding"), f"encoding {source.encoding!r} does not exist", fix)
    _table_format(check)
    _fixed_width(check)
    if source.delimiter == source.decimal and not source.quoted and source.format == "csv":
        fix = "Mostly it is ';' that separates fields then. Where numbers stand in quotes instead, add `quoted: true`."
        check.fail(("source", "delimiter"), f"{source.delimiter!r} is delimiter and decimal mark", fix)
    cut = source.thousands == source.delimiter and not source.quoted and source.format == "csv"
    if source.thousands == source.decimal or cut:
        fix = 'Name the character between groups of three digits, leave the key out, or add `quoted: true` for "1,234".'
        check.fail(("source", "thousands"), f"thousands separator {source.thousands!r} has a meaning already", fix)
    for pattern in source.time.formats:
        _format(check, pattern)
    clocks = [pattern for pattern in source.time.formats if pattern == "iso8601" or "%H" in pattern]
    if source.time.hour_24 and not clocks:
        fix = "Give `format` a pattern with %H, or remove the key."
        check.fail(("source", "time", "hour_24"), "hour_24 without a format that has hours", fix)
    if source.without_header and source.lines_after_header:
        fix = "Lines above the data are counted by `lines_before_header`."
        check.fail(("source", "lines_after_header"), "lines after a header that the files do not have", fix)
    if source.without_header and source.header_lines > 1:
        check.fail(("source", "header_lines"), "several lines of a header that the files do not have", "Remove it.")
    optional = [index for index, column in enumerate(source.header) if column.optional]
    if source.without_header and optional:
        fix = "Remove `optional`; without a header a column is known by its place alone."
        check.fail(("source", "header", optional[0]), "an optional column in files without a header", fix)
    if source.time.zone == FROM_REGISTRY and check.profile.registry.dataset is None:
        fix = "Name the zone itself here, or give the registry a `dataset`."
        check.fail(("source", "time", "zone"), "zones from a registry need a registry dataset", fix)
    elif source.time.zone not in (None, FROM_REGISTRY):
        check.zone(("source", "time", "zone"), str(source.time.zone))
    if source.time.counts_from and not any(pattern in EPOCHS for pattern in source.time.formats):
        fix = f"Give `format` one of {', '.join(EPOCHS)}."
        check.fail(("source", "time", "counts_from"), "counts_from without a format that counts", fix)
    if source.time.earliest and source.time.latest and source.time.earliest >= source.time.latest:
        check.fail(("source", "time", "earliest"), "earliest is not before latest", "Swap them.")


_ABOUT_LINES = frozenset(
    {
        "line_ends",
        "header_lines",
        "delimiter",
        "trailing_delimiter",
        "without_header",
        "lines_before_header",
        "lines_after_header",
        "short_lines",
    }
    | {"comment", "quoted", "quoted_line_breaks", "repeated_headers"}
)
_NOT_FOR = {
    WORKBOOK: (
        {"line_ends", "delimiter", "trailing_delimiter", "short_lines", "quoted", "quoted_line_breaks", "encoding"},
        "a workbook has cells",
    ),
    "parquet": (_ABOUT_LINES | {"encoding", "decimal", "thousands", "blank_lines"}, "a Parquet file has columns"),
    "json_lines": (_ABOUT_LINES, "JSON has keys"),
    "json": (_ABOUT_LINES | {"blank_lines"}, "JSON has keys"),
}


def _table_format(check: SourceCheck) -> None:
    """Keys about text, said of files that have none."""
    source = check.profile.source
    keys, has = _NOT_FOR.get(source.format, (frozenset[str](), ""))
    for key in sorted(source.model_fields_set & keys):
        check.fail(("source", key), f"`{key}` is about text, and {has}", "Remove it.")
    for key in ("records", "record_columns"):
        if getattr(source, key) and source.format not in JSON:
            fix = f"Remove it, or write `format: {JSON[0]}`."
            check.fail(("source", key), f"`{key}` is about JSON, not {source.format}", fix)


def _fixed_width(check: SourceCheck) -> None:
    """Columns have places, and nothing else, or none has."""
    source = check.profile.source
    fixed = source.delimiter == FIXED_WIDTH
    for index, column in enumerate(source.header):
        path = ("source", "header", index)
        if fixed and column.place is None:
            fix = "Write its first and last character, counted from 1, such as `place: [14, 19]`."
            check.fail(path, f"column {column.name!r} of files of fixed width has no place", fix)
        if column.place is not None and not fixed:
            check.fail((*path, "place"), "a place in files with a delimiter", "Write `delimiter: fixed_width`.")
        if column.place is not None and column.place[0] > column.place[1]:
            check.fail((*path, "place"), f"column {column.name!r} ends before it begins", "Swap the two numbers.")
    if fixed and not source.without_header:
        fix = "Add `without_header: true`; lines above the data are counted by `lines_before_header`."
        check.fail(("source", "delimiter"), "columns of fixed width are known by their places, not by a header", fix)
    for key in ("trailing_delimiter", "quoted", "quoted_line_breaks"):
        if fixed and getattr(source, key):
            check.fail(("source", key), f"`{key}` in files without a delimiter", "Remove it.")


_YEAR = frozenset("YyGcx")


def _format(check: SourceCheck, pattern: str) -> None:
    unknown = [d for d in re.findall(r"%(.?)", pattern) if d not in _DIRECTIVES]
    if pattern != "iso8601" and pattern not in EPOCHS and (unknown or "%" not in pattern):
        problem = f"'%{unknown[0]}' is no directive" if unknown else "no directive"
        fix = f"Use strptime directives such as %Y-%m-%d %H:%M:%S, or iso8601, {', '.join(EPOCHS)}."
        check.fail(("source", "time", "format"), f"{problem} in time format {pattern!r}", fix)
    elif pattern != "iso8601" and pattern not in EPOCHS and not _YEAR & {*re.findall(r"%(.)", pattern)}:
        fix = "Add the column with the date, or `in_path` and `path_pattern` where the name of the file has it."
        check.fail(("source", "time", "format"), f"no year in time format {pattern!r}", fix)
