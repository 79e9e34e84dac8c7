"""Raw files to rows: each line becomes a raw reading, or a malformed message with its text and a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.raw import MALFORMED_COLUMNS, parsed_schema, raw_columns
from fleet_health.ids import natural_key_id
from fleet_health.ingestion.archives import TORN, members
from fleet_health.ingestion.batch import Batch, Failure, unread
from fleet_health.ingestion.delimited_rows import delimited, table
from fleet_health.ingestion.json_rows import json_document, json_lines
from fleet_health.ingestion.merged_lines import merged_lines
from fleet_health.ingestion.parquet_rows import parquet
from fleet_health.ingestion.rows import File, readings, rows_of_device
from fleet_health.ingestion.sheets import DELIMITER, TORN_WORKBOOK, sheets
from fleet_health.profiles.model import Profile
from fleet_health.profiles.source import IN_HEADER, WORKBOOK, Source

CHUNK_LINES = 20_000

_FORMATS: Mapping[str, Callable[[IO[bytes], Source, int], Iterator[Batch]]] = {
    "csv": delimited,
    "parquet": parquet,
    "json_lines": json_lines,
    "json": json_document,
}


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
        the columns of ``raw_sensor_readings`` that a line has (null in a malformed one) plus ``reason`` (null in a
        readable one), ``payload`` and ``error_detail``.
    """

    def parse(batches: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for batch in batches:
            for path in batch["path"]:
                with open_file(path) as stream:
                    yield from parse_file(stream, path, profile, zones)

    return files.select("path").mapInPandas(parse, parsed_schema(profile))


def readable(parsed: DataFrame, profile: Profile) -> DataFrame:
    """The rows of ``raw_sensor_readings``."""
    rows = parsed.where(F.col("reason").isNull())
    merge = profile.source.merge
    return (rows if merge is None else merged_lines(rows, profile, merge)).select(*raw_columns(profile))


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
        for whole, content in members(stream, path):
            for name, batches in _tables(content, whole, profile.source):
                file = File.of(name, profile, zones or {})
                for batch in batches:
                    yield from _frames(batch, file, profile)
    except TORN as error:
        problem = f"the archive is torn or damaged here ({error}); what follows is lost"
        yield from _frames(unread(problem), File.of(path, profile, {}), profile)


def _tables(content: IO[bytes], path: str, source: Source) -> Iterator[tuple[str, Iterator[Batch]]]:
    """Name and rows of a file that holds readings, or of each sheet of a workbook."""
    if source.format != WORKBOOK:
        if source.reads(path):
            yield path, _FORMATS[source.format](content, source, CHUNK_LINES)
        return
    cells = source.model_copy(update={"delimiter": DELIMITER})
    try:
        for name, lines in sheets(content, path, source):
            yield name, table(lines, cells, CHUNK_LINES)
    except TORN_WORKBOOK as error:
        problem = f"the file is no whole Excel workbook ({error}); what it held is lost. Write it again."
        yield path, iter([unread(problem)])


def _frames(batch: Batch, file: File, profile: Profile) -> Iterator[pd.DataFrame]:
    if not batch.header.devices:
        made, failures = readings(batch.rows, batch.header, file, profile) if batch.rows else (None, [])
        yield from _frame(made, [*batch.failures, *failures], file, profile)
        return
    read = {}
    for device in batch.header.devices:
        rows = rows_of_device(batch, device)
        if rows:
            read[device] = readings(rows, batch.header.of_device(device), file.of_one(device, profile), profile)
    told = [failures for _, failures in read.values()]

    def same(failure: Failure) -> object:
        """What an unreadable line says of every device in the same words, or in any words at every time."""
        return failure if profile.source.device == IN_HEADER else failure[0]

    # is one line, not a reading of each
    everywhere = set.intersection(*({same(one) for one in failures} for failures in told)) if len(told) > 1 else set()
    shared = [one for one in told[0] if same(one) in everywhere] if everywhere else []
    yield from _frame(None, [*batch.failures, *shared], file, profile)
    for device, (made, failures) in read.items():
        own = [one for one in failures if same(one) not in everywhere]
        yield from _frame(made, own, file.of_one(device, profile), profile)


def _frame(
    made: pd.DataFrame | None, failures: Sequence[Failure], file: File, profile: Profile
) -> Iterator[pd.DataFrame]:
    names = parsed_schema(profile).fieldNames()
    if made is not None:
        # Absent columns hold None, not NaN: Spark 4 takes no column of numbers for one of text.
        absent = {name: None for name in names if name not in made.columns}
        yield made.assign(**absent)[names]
    if failures:
        numbers, texts, reasons, details = zip(*sorted(failures), strict=True)
        bad = pd.DataFrame({"line_number": numbers, "payload": texts, "reason": reasons, "error_detail": details})
        bad = bad.assign(source_file=file.path, device_id=file.device, _partition_key=file.device)
        bad["_sequence_number"] = bad["line_number"]
        # an absent column would be one of float NaN, which Arrow turns into no timestamp and no list
        yield bad.reindex(columns=names).astype("object").where(lambda cells: cells.notna(), None)
