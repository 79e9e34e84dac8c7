"""Raw files to rows: each line becomes a raw reading, or a malformed message with its text and a reason."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.raw import MALFORMED_COLUMNS, parsed_schema, raw_columns
from fleet_health.ids import natural_key_id
from fleet_health.ingestion.archives import TORN, members
from fleet_health.ingestion.header import Header, declared_header, match_header
from fleet_health.ingestion.lines import Line, read_lines
from fleet_health.ingestion.parquet_rows import NotParquetError, read_rows
from fleet_health.ingestion.rows import DESERIALIZATION_FAILURE, Failure, File, Row, readings
from fleet_health.profiles.model import Profile
from fleet_health.profiles.source import WHITESPACE, Source

CHUNK_LINES = 20_000

SCHEMA_MISMATCH = "SCHEMA_MISMATCH"


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
    """The lines of one file, or of all files of an archive, as frames of :func:`parsed_schema`, at most
    :data:`CHUNK_LINES` lines each.
    """
    try:
        for name, content in members(stream, path):
            yield from _parse_member(content, File.of(name, profile, zones or {}), profile)
    except TORN as error:
        problem = f"the archive is torn or damaged here ({error}); what follows is lost"
        failure = (1, "", DESERIALIZATION_FAILURE, problem)
        yield from _frames([], [failure], Header(0, {}), File.of(path, profile, {}), profile)


def _parse_member(stream: IO[bytes], file: File, profile: Profile) -> Iterator[pd.DataFrame]:
    source = profile.source
    if source.format == "parquet":
        yield from _parse_table(stream, file, profile)
        return
    header = declared_header(source) if source.without_header else None
    rows: list[Row] = []
    failures: list[Failure] = []
    blanks: list[Line] = []
    data_after = 0
    for line in read_lines(stream, source.encoding):
        if line.number <= source.lines_before_header or _no_data(line, source):
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


def _parse_table(stream: IO[bytes], file: File, profile: Profile) -> Iterator[pd.DataFrame]:
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


def _sort_in(line: Line, header: Header, source: Source, rows: list[Row], failures: list[Failure]) -> None:
    if header.problem is not None:
        failures.append((line.number, line.text, SCHEMA_MISMATCH, header.problem))
        return
    fields = fields_of(line.text, source.delimiter)
    if source.short_lines == "missing" and len(fields) < header.width:
        fields += [""] * (header.width - len(fields))
    if len(fields) != header.width:
        detail = f"{len(fields)} fields instead of {header.width}"
        if len(fields) == header.width + 1 and fields[-1] == "" and not source.trailing_delimiter:
            detail += "; lines that end with a delimiter are read with `source.trailing_delimiter: true`"
        failures.append((line.number, line.text, SCHEMA_MISMATCH, detail))
    elif source.trailing_delimiter and fields[-1].strip():
        failures.append((line.number, line.text, SCHEMA_MISMATCH, "the line does not end with a delimiter"))
    else:
        rows.append((line.number, fields, line.text))


def _no_data(line: Line, source: Source) -> bool:
    """Whether the profile says of such lines that they hold nothing."""
    if source.comment is not None and line.text.startswith(source.comment):
        return True
    if source.blank_lines != "ignore" or line.problem is not None:
        return False
    empty = " \t" if source.delimiter == WHITESPACE else f" \t{source.delimiter}"
    return not line.text.strip(empty)


def fields_of(text: str, delimiter: str) -> list[str]:
    """The fields of one line of text."""
    if delimiter == WHITESPACE:
        return text.split()
    return next(csv.reader([text], delimiter=delimiter)) if '"' in text else text.split(delimiter)


def _frames(
    rows: list[Row],
    failures: list[Failure],
    header: Header,
    file: File,
    profile: Profile,
) -> Iterator[pd.DataFrame]:
    names = parsed_schema(profile).fieldNames()
    if rows:
        made, unreadable_identity = readings(rows, header, file, profile)
        failures = failures + unreadable_identity
        # Absent columns hold None, not NaN: Spark 4 takes no column of numbers for one of text.
        absent = {name: None for name in names if name not in made.columns}
        yield made.assign(**absent)[names]
    if failures:
        failures.sort()
        numbers, texts, reasons, details = zip(*failures, strict=True)
        bad = pd.DataFrame({"line_number": numbers, "payload": texts, "reason": reasons, "error_detail": details})
        bad = bad.assign(source_file=file.path, device_id=file.device, _partition_key=file.device)
        bad["_sequence_number"] = bad["line_number"]
        # an absent column would be one of float NaN, which Arrow turns into no timestamp and no list
        yield bad.reindex(columns=names).astype("object").where(lambda cells: cells.notna(), None)
