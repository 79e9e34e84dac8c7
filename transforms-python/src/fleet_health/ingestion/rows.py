"""Fields of lines to raw readings: who measured, when, under which id, and what; rows without identity are failures."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from fleet_health.contracts.raw import NAMED_SENSOR
from fleet_health.ids import natural_key_id_of
from fleet_health.ingestion.batch import DESERIALIZATION_FAILURE, Batch, Failure, Row
from fleet_health.ingestion.cells import read_sensor
from fleet_health.ingestion.header import Header
from fleet_health.ingestion.times import DoubledHour, read_time
from fleet_health.profiles.model import Profile
from fleet_health.profiles.source import BY_FILE, FROM_REGISTRY, IN_HEADER, IN_PATH, JSON, Column, Source, SourceTime

_HOUR_24 = r"(?<!\d)24[:.]?00(?!\d)"

Cells = Callable[[str], "pd.Series[Any]"]
"""The text of a column of the profile, row by row."""


@dataclass(frozen=True)
class File:
    """What all parts of one file share."""

    path: str
    device: str | None
    zones: Mapping[str, str]
    sensor: str | None = None
    time: str | None = None
    header_time: str | None = None
    seen: DoubledHour = field(default_factory=DoubledHour)

    def of_one(self, named: str, profile: Profile) -> File:
        """The file as that of one device, or of one time, that its header names."""
        if profile.source.device == IN_HEADER:
            return replace(self, device=named)
        return replace(self, header_time=named)

    @classmethod
    def of(cls, path: str, profile: Profile, zones: Mapping[str, str]) -> File:
        """Zones declared in the profile win over those of the registry."""
        declared = {device.device_id: device.timezone for device in profile.registry.devices}
        pattern = profile.source.time.path_pattern
        time = None if pattern is None else _in_path(path, pattern, "time")
        return cls(
            path, _device_of(path, profile.source), {**zones, **declared}, _sensor_of(path, profile.source), time
        )


def _device_of(path: str, source: Source) -> str | None:
    """The device a file is assigned to; with ``None`` every line fails with a reason."""
    name = path.rsplit("/", 1)[-1]
    if "in_path" in source.device_parts and source.device_pattern is not None:
        return _in_path(path, source.device_pattern, "device")
    if "file_name" in source.device_parts:
        return _file_name(path)
    return next((d.device_id for d in source.devices if fnmatch.fnmatchcase(name, d.file)), None)


def _sensor_of(path: str, source: Source) -> str | None:
    """What the lines of a file call their sensor, where all are of one."""
    if source.narrow is None or not source.narrow.by_file:
        return None
    pattern = source.narrow.sensor_pattern
    return _file_name(path) if pattern is None else _in_path(path, pattern, "sensor")


def _in_path(path: str, pattern: str, group: str) -> str | None:
    found = re.search(pattern, path)
    return found[group] if found else None


def _file_name(path: str) -> str | None:
    return path.rsplit("/", 1)[-1].partition(".")[0] or None


def rows_of_device(batch: Batch, device: str) -> list[Row]:
    """The rows that speak of a device: all lines of a table, and the records that have a key of it."""
    own = tuple(batch.header.devices[device].values())
    return [row for row in batch.rows if any(row[1][place] is not None for place in own)]


def _names(columns: str | tuple[str, ...]) -> tuple[str, ...]:
    return (columns,) if isinstance(columns, str) else columns


def readings(rows: list[Row], header: Header, file: File, profile: Profile) -> tuple[pd.DataFrame, list[Failure]]:
    """The rows that have an identity, in the columns of ``raw_sensor_readings`` that the file fills, and the others.

    Args:
        rows: lines with as many fields as the header.
        header: where each column of the profile stands.
        file: what all parts of the file share.
        profile: how its cells are written.
    """
    source = profile.source
    numbers, fields, texts = zip(*rows, strict=True)
    columns = list(zip(*fields, strict=True))

    def of_all(text: str | None) -> pd.Series[Any]:
        return pd.Series([text or ""] * len(rows), dtype="object")

    def text_of(name: str) -> pd.Series[Any]:
        if source.narrow is not None and source.narrow.by_file and name == source.narrow.sensor:
            return of_all(file.sensor)
        place = header.positions.get(name)
        cells = pd.Series([""] * len(rows) if place is None else columns[place], dtype="object")
        return cells.fillna("") if source.format in JSON else cells

    def joined(parts: Sequence[pd.Series[Any]], between: str) -> pd.Series[Any]:
        made = parts[0].str.strip()
        for part in parts[1:]:
            made = made + between + part.str.strip()
        return made

    frame = pd.DataFrame({"line_number": numbers, "source_file": file.path})
    if source.device in (*BY_FILE, IN_HEADER):
        frame["device_id"] = file.device
    else:
        by_file = BY_FILE[1:] if file.device is not None else ()
        parts = [text_of(name) for name in source.device_parts if name not in by_file]
        whole = pd.concat([part.str.strip() != "" for part in parts], axis=1).all(axis=1)
        before = f"{file.device}-" if len(parts) < len(source.device_parts) else ""
        frame["device_id"] = (before + joined(parts, "-")).where(whole, "")
    elsewhere = {IN_PATH: file.time, IN_HEADER: file.header_time}
    times = [of_all(elsewhere[name]) if name in elsewhere else text_of(name) for name in source.time.columns]
    time = times[0] if len(times) == 1 else joined(times, " ")
    frame["timestamp_device"] = _within(_local_times(time, frame["device_id"], file, profile), source.time)
    frame["timestamp_ingested"] = (
        frame["timestamp_device"]
        if source.ingested == "same_as_time"
        else read_time(text_of(source.ingested), source.time, None, decimal=source.decimal)
    )
    frame["event_id"] = _event_ids(frame, texts, text_of, source)
    frame["_partition_key"] = frame["device_id"]
    frame["_sequence_number"] = (
        frame["line_number"] if source.sequence == "line_number" else _whole_numbers(text_of(source.sequence))
    )
    values, masks = _values(text_of, header, profile)
    frame = frame.assign(**values)
    frame["unreadable"] = _unreadable_names(masks, len(frame))
    problem = _identity_problem(frame, time, file, profile)
    of_device = f" of device {file.device!r}" if source.device == IN_HEADER else ""
    for column in source.header:
        if column.required:
            empty = _no_value(frame[column.name]) if column.name in masks else text_of(column.name).str.strip() == ""
            told = f"no value in the required column {column.name!r}{of_device}"
            problem = problem.where(problem.notna() | ~empty, told)
    if source.unreadable_cells == "dead_letter":
        problem = problem.fillna(_cell_problem(frame["unreadable"], of_device))
    if source.narrow is not None:
        named = text_of(source.narrow.sensor).str.strip()
        frame[NAMED_SENSOR] = named.map(source.narrow.sensor_by_word)
        other = ~named.isin([*source.narrow.sensor_by_word])
        if source.narrow.other_sensors == "dead_letter":
            problem = problem.where(problem.notna() | ~other, "sensor " + named.map(repr) + " is not in the profile")
        else:
            frame, problem = frame[~other], problem[~other]
    bad = problem.notna()
    failures = [(numbers[i], texts[i], DESERIALIZATION_FAILURE, str(problem[i])) for i in problem.index[bad]]
    return frame[~bad], failures


def _event_ids(frame: pd.DataFrame, texts: Sequence[str], text_of: Cells, source: Source) -> Sequence[str]:
    """The id of each row, empty where the file gives none."""
    if source.event_id == "device_and_time":
        return _made_ids(frame, None if source.narrow is None else text_of(source.narrow.sensor).str.strip())
    if source.event_id == "device_and_text":
        pairs = zip(frame["device_id"], texts, strict=True)
        return [natural_key_id_of("reading", device, text) for device, text in pairs]
    if isinstance(source.event_id, tuple):
        keys = zip(frame["device_id"], *(text_of(name).str.strip() for name in source.event_id), strict=True)
        return [natural_key_id_of("reading", *key) if all(key[1:]) else "" for key in keys]
    return text_of(source.event_id).str.strip().tolist()


def _values(
    text_of: Cells, header: Header, profile: Profile
) -> tuple[dict[str, pd.Series[Any]], dict[str, pd.Series[Any]]]:
    """Values of the sensors that the file has, and masks of their unreadable cells."""
    source = profile.source
    named = None if source.narrow is None else text_of(source.narrow.sensor).str.strip()
    found: dict[str, pd.Series[Any]] = {}
    masks: dict[str, pd.Series[Any]] = {}
    for column in source.readable:
        if column.name not in profile.sensor_names or (source.narrow is None and column.name not in header.positions):
            continue
        text = text_of(column.name if source.narrow is None else source.narrow.value)
        values, unreadable = _read(text, text_of, column, profile)
        counts = pd.Series(True, index=text.index) if named is None else named.isin(column.aliases)
        if source.narrow is not None and pd.api.types.is_float_dtype(values):
            values = values.astype("float64")  # of the lines of one step the first with a value speaks, and NaN is none
        if column.valid_when is not None:
            counts &= text_of(column.valid_when.column).str.strip().isin(column.valid_when.words)
        found[column.name], masks[column.name] = values.where(counts), unreadable & counts
    return found, masks


def _no_value(values: pd.Series[Any]) -> pd.Series[Any]:
    """Whether a row holds null or NaN."""
    return values.isna() | (values != values).fillna(True).astype("bool")


def _read(
    text: pd.Series[Any], text_of: Cells, column: Column, profile: Profile
) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Values and unreadable cells of one sensor, row by row in the unit that another column says, if it does."""
    sensor, source = profile.sensor(column.name), profile.source
    values, unreadable = read_sensor(text, sensor, column, source)
    if column.unit_by is None:
        return values, unreadable
    said = text_of(column.unit_by.column).str.strip()
    known = said.isin(column.unit_by.words)
    unreadable = unreadable | (values.notna() & ~known)
    values = values.where(known)
    for word in set(said[known]):
        of_word = column.model_copy(update={"unit": column.unit_by.words[word]})
        values = values.where(said != word, read_sensor(text, sensor, of_word, source)[0])
    return values, unreadable


def _whole_numbers(text: pd.Series[Any]) -> pd.Series[Any]:
    """Null where a cell is no whole number."""
    numbers = pd.to_numeric(text, errors="coerce")
    return numbers.where(numbers % 1 == 0).astype("Int64")


def _local_times(text: pd.Series[Any], devices: pd.Series[Any], file: File, profile: Profile) -> pd.Series[Any]:
    """Instants in UTC, text without offset read in the zone of all text, else of the device, else of the fleet."""
    rule = profile.source.time
    own = devices.map(file.zones) if rule.zone in (None, FROM_REGISTRY) else pd.Series(rule.zone, index=devices.index)
    zone_of_row = own.fillna(profile.zone or "")
    parts = []
    for zone in zone_of_row.unique():
        rows = zone_of_row == zone
        parts.append(read_time(text[rows], rule, zone or None, devices[rows], file.seen, profile.source.decimal))
    return pd.concat(parts).sort_index() if len(parts) > 1 else parts[0]


def _within(times: pd.Series[Any], rule: SourceTime) -> pd.Series[Any]:
    """``NaT`` where a time lies outside the days in which the profile says the fleet was measured."""
    for day, beyond in ((rule.earliest, pd.Series.lt), (rule.latest, pd.Series.ge)):
        if day is not None:
            times = times.where(~beyond(times, pd.Timestamp(day, tz="UTC")))
    return times


def _made_ids(frame: pd.DataFrame, sensors: pd.Series[Any] | None) -> list[str]:
    """A feed without message ids: device and instant (and the sensor of a narrow line) identify a reading, so a file
    sent twice brings no new one.
    """
    micros = frame["timestamp_device"].dt.tz_localize(None).to_numpy("datetime64[us]").astype("int64")
    pairs = zip(frame["device_id"], micros.tolist(), strict=True)
    if sensors is not None:
        keys = zip(pairs, sensors, strict=True)
        return [natural_key_id_of("reading", device, instant, sensor) for (device, instant), sensor in keys]
    return [natural_key_id_of("reading", device, instant) for device, instant in pairs]


def _unreadable_names(masks: dict[str, pd.Series[Any]], rows: int) -> pd.Series[Any]:
    names = pd.Series([[] for _ in range(rows)], dtype="object")
    for sensor, mask in masks.items():
        for place in mask.to_numpy().nonzero()[0]:
            names.iloc[place] = [*names.iloc[place], sensor]
    return names


def _cell_problem(unreadable: pd.Series[Any], of_device: str) -> pd.Series[Any]:
    """What to say of rows with text where a sensor's value should be; null for the others."""
    told = [f"column {names[0]!r}{of_device} holds text that is no value" if names else None for names in unreadable]
    return pd.Series(told, index=unreadable.index, dtype="object")


def _identity_problem(frame: pd.DataFrame, time: pd.Series[Any], file: File, profile: Profile) -> pd.Series[Any]:
    """Why a row has no identity, or null. Later rules need device, both clocks, an id and an order."""
    problem = pd.Series([None] * len(frame), dtype="object")
    problem[frame["_sequence_number"].isna()] = f"no number in column {profile.source.sequence!r}"
    if profile.source.event_id not in ("device_and_time", "device_and_text"):
        named = " or ".join(map(repr, _names(profile.source.event_id)))
        problem[frame["event_id"].fillna("") == ""] = f"nothing in column {named}"
    problem[frame["timestamp_ingested"].isna()] = f"no time in column {profile.source.ingested!r}"
    unreadable = frame["timestamp_device"].isna()
    rule = profile.source.time
    wanted = " or ".join(map(repr, rule.formats))
    wanted += f", from {rule.earliest} on" if rule.earliest else ""
    wanted += f", before {rule.latest}" if rule.latest else ""
    problem[unreadable] = "time " + time[unreadable].map(repr) + f" does not read as {wanted}"
    if not rule.hour_24:
        late = unreadable & time.str.contains(_HOUR_24, regex=True)
        problem[late] = problem[late] + "; hour 24 reads with `source.time.hour_24: true`"
    empty = frame["device_id"].isna() | (frame["device_id"] == "")
    missing = (
        f"file {file.path!r} belongs to no device of the profile"
        if profile.source.device in BY_FILE or (file.device is None and {*profile.source.device_parts} & {*BY_FILE})
        else "no device id"
    )
    problem[empty] = missing
    return problem
