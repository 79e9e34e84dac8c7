"""Raw files to rows: each line becomes a raw reading, or a malformed message with its text and a reason."""

from __future__ import annotations

import csv
import fnmatch
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.raw import MALFORMED_COLUMNS, parsed_schema, raw_columns
from fleet_health.ids import natural_key_id, natural_key_id_of
from fleet_health.ingestion.cells import Seen, read_sensor, read_time
from fleet_health.ingestion.header import Header, declared_header, match_header
from fleet_health.ingestion.lines import Line, decompressed, read_lines
from fleet_health.ingestion.parquet_rows import NotParquetError, read_rows
from fleet_health.profiles.model import WHITESPACE, Profile, Source, SourceTime

CHUNK_LINES = 20_000

DESERIALIZATION_FAILURE = "DESERIALIZATION_FAILURE"
SCHEMA_MISMATCH = "SCHEMA_MISMATCH"

_BY_FILE = ("by_file", "file_name")

Failure = tuple[int, str, str, str]


@dataclass(frozen=True)
class _File:
    """What all parts of one file share."""

    path: str
    device: str | None
    zones: Mapping[str, str]
    seen: Seen = field(default_factory=set)


def deserialise(
    files: DataFrame,
    open_file: Callable[[str], IO[bytes]],
    profile: Profile,
    zones: Mapping[str, str] | None = None,
) -> DataFrame:
    """Every line of every file, read on the executors.

    Args:
        files: one row per file with its logical ``path``.
        open_file: opens a logical path for reading bytes; called in Python workers.
        profile: how the files are written.
        zones: time zone by device, from the registry, for profiles that say so.

    Returns:
        the columns of ``raw_sensor_readings`` (null in a malformed line) plus ``reason`` (null in a readable line),
        ``payload`` and ``error_detail``.
    """

    def parse(batches: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for batch in batches:
            for path in batch["path"]:
                with open_file(path) as stream:
                    yield from parse_file(stream, path, profile, zones)

    return files.select("path").mapInPandas(parse, parsed_schema(profile))


def readable(parsed: DataFrame, profile: Profile) -> DataFrame:
    """The rows of ``raw_sensor_readings``."""
    return parsed.where(F.col("reason").isNull()).select(*raw_columns(profile))


def malformed(parsed: DataFrame) -> DataFrame:
    """The rows of ``malformed_messages``: why, what, where."""
    identity: list[Column] = [
        F.col(name) for name in ("reason", "_partition_key", "_sequence_number", "payload", "source_file")
    ]
    bad = parsed.where(F.col("reason").isNotNull())
    return bad.withColumn("dead_letter_id", natural_key_id("dead_letter", *identity)).select(*MALFORMED_COLUMNS)


def parse_file(
    stream: IO[bytes], path: str, profile: Profile, zones: Mapping[str, str] | None = None
) -> Iterator[pd.DataFrame]:
    """The lines of one file as frames of :func:`parsed_schema`, at most :data:`CHUNK_LINES` lines each."""
    source = profile.source
    file = _File(path, _device_of(path, profile), {**(zones or {}), **_declared_zones(profile)})
    if source.format == "parquet":
        yield from _parse_table(stream, file, profile)
        return
    header = declared_header(source) if source.without_header else None
    rows: list[tuple[int, list[str], str]] = []
    failures: list[Failure] = []
    blanks: list[Line] = []
    data_after = 0
    for line in read_lines(decompressed(stream, path), source.encoding):
        if line.number <= source.lines_before_header:
            continue
        if line.problem is None and not line.text.strip():
            blanks.append(line)  # only blank lines that something follows are lines that lost their content
            continue
        if header is not None and line.number <= data_after:
            continue
        failures += [
            (blank.number, blank.text, SCHEMA_MISMATCH, "the line is blank") for blank in blanks if header is not None
        ]
        blanks = []
        if header is None:
            data_after = line.number + source.lines_after_header
            unreadable = Header(0, {}, f"header: {line.problem}")
            header = unreadable if line.problem else match_header(fields_of(line.text, source.delimiter), source)
            continue
        if line.problem is not None:
            failures.append((line.number, line.text, DESERIALIZATION_FAILURE, line.problem))
        else:
            _sort_in(line, header, source, rows, failures)
        if len(rows) + len(failures) >= CHUNK_LINES:
            yield from _frames(rows, failures, header, file, profile)
            rows, failures = [], []
    if header is not None:
        yield from _frames(rows, failures, header, file, profile)


def _parse_table(stream: IO[bytes], file: _File, profile: Profile) -> Iterator[pd.DataFrame]:
    """The rows of a Parquet file; the first has number 1. A file that is none is one dead letter."""
    try:
        names, batches = read_rows(stream, CHUNK_LINES)
    except NotParquetError as error:
        failure = (1, "", DESERIALIZATION_FAILURE, str(error))
        yield from _frames([], [failure], Header(0, {}), file, profile)
        return
    header = match_header(names, profile.source)
    number = 0
    for batch in batches:
        rows = [(number + place, fields, _row_text(fields)) for place, fields in enumerate(batch, start=1)]
        number += len(rows)
        if header.problem is None:
            yield from _frames(rows, [], header, file, profile)
        else:
            bad = [(place, text, SCHEMA_MISMATCH, header.problem) for place, _, text in rows]
            yield from _frames([], bad, header, file, profile)


def _row_text(fields: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(fields)
    return line.getvalue()


def _sort_in(
    line: Line, header: Header, source: Source, rows: list[tuple[int, list[str], str]], failures: list[Failure]
) -> None:
    if header.problem is not None:
        failures.append((line.number, line.text, SCHEMA_MISMATCH, header.problem))
        return
    fields = fields_of(line.text, source.delimiter)
    if len(fields) != header.width:
        detail = f"{len(fields)} fields instead of {header.width}"
        if len(fields) == header.width + 1 and fields[-1] == "" and not source.trailing_delimiter:
            detail += "; lines that end with a delimiter are read with `source.trailing_delimiter: true`"
        failures.append((line.number, line.text, SCHEMA_MISMATCH, detail))
    elif source.trailing_delimiter and fields[-1].strip():
        failures.append((line.number, line.text, SCHEMA_MISMATCH, "the line does not end with a delimiter"))
    else:
        rows.append((line.number, fields, line.text))


def fields_of(text: str, delimiter: str) -> list[str]:
    """The fields of one line of text."""
    if delimiter == WHITESPACE:
        return text.split()
    return next(csv.reader([text], delimiter=delimiter)) if '"' in text else text.split(delimiter)


def _device_of(path: str, profile: Profile) -> str | None:
    """The device a file is assigned to; with ``None`` every line fails with a reason."""
    name = path.rsplit("/", 1)[-1]
    if profile.source.device == "file_name":
        return name.partition(".")[0] or None
    return next((d.device_id for d in profile.source.devices if fnmatch.fnmatchcase(name, d.file)), None)


def _frames(
    rows: list[tuple[int, list[str], str]],
    failures: list[Failure],
    header: Header,
    file: _File,
    profile: Profile,
) -> Iterator[pd.DataFrame]:
    names = parsed_schema(profile).fieldNames()
    if rows:
        readings, unreadable_identity = _readings(rows, header, file, profile)
        failures = failures + unreadable_identity
        # Absent columns hold None, not NaN: Spark 4 takes no column of numbers for one of text.
        absent = {name: None for name in names if name not in readings.columns}
        yield readings.assign(**absent)[names]
    if failures:
        failures.sort()
        numbers, texts, reasons, details = zip(*failures, strict=True)
        bad = pd.DataFrame({"line_number": numbers, "payload": texts, "reason": reasons, "error_detail": details})
        bad = bad.assign(source_file=file.path, device_id=file.device, _partition_key=file.device)
        bad["_sequence_number"] = bad["line_number"]
        # an absent column would be one of float NaN, which Arrow turns into no timestamp and no list
        yield bad.reindex(columns=names).astype("object").where(lambda cells: cells.notna(), None)


def _readings(
    rows: list[tuple[int, list[str], str]], header: Header, file: _File, profile: Profile
) -> tuple[pd.DataFrame, list[Failure]]:
    source = profile.source
    numbers, fields, texts = zip(*rows, strict=True)
    columns = list(zip(*fields, strict=True))

    def text_of(name: str) -> pd.Series[Any]:
        return pd.Series(columns[header.positions[name]], dtype="object")

    frame = pd.DataFrame({"line_number": numbers, "source_file": file.path})
    frame["device_id"] = file.device if source.device in _BY_FILE else text_of(source.device).str.strip()
    time = text_of(source.time.columns[0])
    for name in source.time.columns[1:]:
        time = time + " " + text_of(name)
    frame["timestamp_device"] = _within(_local_times(time, frame["device_id"], file, profile), source.time)
    frame["timestamp_ingested"] = (
        frame["timestamp_device"]
        if source.ingested == "same_as_time"
        else read_time(text_of(source.ingested), source.time.formats, None, counts_from=source.time.counts_from)
    )
    if source.event_id == "device_and_time":
        frame["event_id"] = _made_ids(frame)
    elif source.event_id == "device_and_text":
        pairs = zip(frame["device_id"], texts, strict=True)
        frame["event_id"] = [natural_key_id_of("reading", device, text) for device, text in pairs]
    else:
        frame["event_id"] = text_of(source.event_id).str.strip()
    frame["_partition_key"] = frame["device_id"]
    frame["_sequence_number"] = (
        frame["line_number"]
        if source.sequence == "line_number"
        else pd.to_numeric(text_of(source.sequence), errors="coerce").astype("Int64")
    )
    masks: dict[str, pd.Series[Any]] = {}
    for column in source.header:
        if column.name in profile.sensor_names and column.name in header.positions:
            sensor = profile.sensor(column.name)
            frame[sensor.name], masks[sensor.name] = read_sensor(text_of(column.name), sensor, column, source)
    frame["unreadable"] = _unreadable_names(masks, len(frame))
    problem = _identity_problem(frame, time, file.path, profile)
    if source.unreadable_cells == "dead_letter":
        problem = problem.fillna(_cell_problem(frame["unreadable"]))
    bad = problem.notna()
    failures = [
        (numbers[i], texts[i], DESERIALIZATION_FAILURE, str(problem.iloc[i])) for i in bad.to_numpy().nonzero()[0]
    ]
    return frame[~bad], failures


def _declared_zones(profile: Profile) -> dict[str, str]:
    return {device.device_id: device.timezone for device in profile.registry.devices}


def _local_times(text: pd.Series[Any], devices: pd.Series[Any], file: _File, profile: Profile) -> pd.Series[Any]:
    """Instants in UTC, text without offset read in the zone of the row's device, else in that of the fleet."""
    zone_of_row = devices.map(file.zones).fillna(profile.zone or "")
    rule = profile.source.time
    parts = []
    for zone in zone_of_row.unique():
        rows = zone_of_row == zone
        parts.append(read_time(text[rows], rule.formats, zone or None, devices[rows], file.seen, rule.counts_from))
    return pd.concat(parts).sort_index() if len(parts) > 1 else parts[0]


def _within(times: pd.Series[Any], rule: SourceTime) -> pd.Series[Any]:
    """``NaT`` where a time lies outside the days in which the profile says the fleet was measured."""
    for day, beyond in ((rule.earliest, pd.Series.lt), (rule.latest, pd.Series.ge)):
        if day is not None:
            times = times.where(~beyond(times, pd.Timestamp(day, tz="UTC")))
    return times


def _made_ids(frame: pd.DataFrame) -> list[str]:
    """A feed without message ids: device and instant identify a reading, so a file sent twice brings no new one."""
    micros = frame["timestamp_device"].dt.tz_localize(None).to_numpy("datetime64[us]").astype("int64")
    pairs = zip(frame["device_id"], micros.tolist(), strict=True)
    return [natural_key_id_of("reading", device, instant) for device, instant in pairs]


def _unreadable_names(masks: dict[str, pd.Series[Any]], rows: int) -> pd.Series[Any]:
    names = pd.Series([[] for _ in range(rows)], dtype="object")
    for sensor, mask in masks.items():
        for place in mask.to_numpy().nonzero()[0]:
            names.iloc[place] = [*names.iloc[place], sensor]
    return names


def _cell_problem(unreadable: pd.Series[Any]) -> pd.Series[Any]:
    """What to say of rows with text where a sensor's value should be; null for the others."""
    told = [f"column {names[0]!r} holds text that is no value" if names else None for names in unreadable]
    return pd.Series(told, index=unreadable.index, dtype="object")


def _identity_problem(frame: pd.DataFrame, time: pd.Series[Any], path: str, profile: Profile) -> pd.Series[Any]:
    """Why a row has no identity, or null. Later rules need device, both clocks, an id and an order."""
    problem = pd.Series([None] * len(frame), dtype="object")
    problem[frame["_sequence_number"].isna()] = f"no number in column {profile.source.sequence!r}"
    if profile.source.event_id not in ("device_and_time", "device_and_text"):
        problem[frame["event_id"].fillna("") == ""] = f"nothing in column {profile.source.event_id!r}"
    problem[frame["timestamp_ingested"].isna()] = f"no time in column {profile.source.ingested!r}"
    unreadable = frame["timestamp_device"].isna()
    rule = profile.source.time
    wanted = " or ".join(map(repr, rule.formats))
    wanted += f", from {rule.earliest} on" if rule.earliest else ""
    wanted += f", before {rule.latest}" if rule.latest else ""
    problem[unreadable] = "time " + time[unreadable].map(repr) + f" does not read as {wanted}"
    empty = frame["device_id"].isna() | (frame["device_id"] == "")
    missing = (
        f"file {path!r} belongs to no device of the profile" if profile.source.device in _BY_FILE else "no device id"
    )
    problem[empty] = missing
    return problem
