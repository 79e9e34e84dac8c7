"""Records of JSON text as cells of text, so that one set of rules reads every fleet.

A cell is called by the keys that lead to it, joined by points: ``{"payload": {"temp": 21.5}}`` has ``payload.temp``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

from fleet_health.ingestion.batch import DESERIALIZATION_FAILURE, SCHEMA_MISMATCH, Batch, Failure, Row
from fleet_health.ingestion.header import Header, device_and_spelling, nothing_found, spellings
from fleet_health.ingestion.lines import MAX_LINE_BYTES, Line, read_lines
from fleet_health.profiles.source import Source

Record = Mapping[str, str]
"""Cells by the path of their keys."""


class NoRecordsError(ValueError):
    """A text that is no JSON, or does not hold records where the profile says so; ``reason`` is that of its line."""

    def __init__(self, problem: str, reason: str = SCHEMA_MISMATCH) -> None:
        super().__init__(problem, reason)
        self.problem, self.reason = problem, reason

    def __str__(self) -> str:
        return self.problem


def read_document(text: str, source: Source) -> Any:
    """What the text says; numbers stay as they are written, with the profile's mark of decimals.

    Raises:
        NoRecordsError: the text is no JSON.
    """

    def number(written: str) -> str:
        return written.replace(".", source.decimal)

    try:
        return json.loads(text, parse_float=number, parse_int=str)
    except (json.JSONDecodeError, RecursionError) as error:
        raise NoRecordsError(f"the text is no JSON ({error})", DESERIALIZATION_FAILURE) from error


def one_record(document: Any) -> Record:
    """The cells of a document that is a record itself.

    Raises:
        NoRecordsError: the document is neither an object nor a list of values.
    """
    if not isinstance(document, dict) and not _is_flat(document):
        raise NoRecordsError(f"{json.dumps(document)[:40]} stands where a record should be")
    return dict(_cells(document, ""))


def records(document: Any, source: Source) -> Iterator[Record]:
    """Every record of a document: the document itself, the elements of a list, or of the lists that ``source.records``
    leads to, each with the cells of the objects around it. A key of a record hides the same one around it.

    Raises:
        NoRecordsError: there is something else than objects, or nothing, where records should be.
    """
    keys = source.records.split(".") if source.records else []
    yield from _below(document, keys, {}, source)


def _is_flat(value: Any) -> bool:
    """Whether it is a list of values, which is a record without names."""
    return isinstance(value, list) and bool(value) and not any(isinstance(element, dict | list) for element in value)


def _below(value: Any, keys: Sequence[str], around: Record, source: Source) -> Iterator[Record]:
    if isinstance(value, list) and not (_is_flat(value) and not keys):
        for element in value:
            yield from _below(element, keys, around, source)
    elif isinstance(value, list):
        yield {**around, **dict(_cells(value, ""))}
    elif not isinstance(value, dict):
        raise NoRecordsError(f"{json.dumps(value)[:40]} stands where a record should be")
    elif not keys and source.record_columns:
        yield from _of_columns(value, around)
    elif not keys:
        yield {**around, **dict(_cells(value, ""))}
    elif keys[0] not in value:
        raise NoRecordsError(
            f"no key {keys[0]!r} of `source.records: {source.records}`; the keys are {', '.join(value)[:200]}"
        )
    else:
        others = {key: other for key, other in value.items() if key != keys[0]}
        yield from _below(value[keys[0]], keys[1:], {**around, **dict(_cells(others, ""))}, source)


def _of_columns(value: Mapping[str, Any], around: Record) -> Iterator[Record]:
    """A record for each place in the lists, or each key in the objects; one that ends early has no value there."""
    columns = {
        name: cells if isinstance(cells, dict) else {str(place): cell for place, cell in enumerate(cells)}
        for name, cells in value.items()
        if isinstance(cells, dict | list)
    }
    shared = {**around, **dict(_cells({name: cell for name, cell in value.items() if name not in columns}, ""))}
    for place in dict.fromkeys(place for cells in columns.values() for place in cells):
        own = {name: cells.get(place) for name, cells in columns.items()}
        yield {**shared, "index": place, **dict(_cells(own, ""))}


def _cells(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, below in pairs:
            yield from _cells(below, f"{path}.{key}" if path else str(key))
    elif value is None:
        yield path, ""
    else:
        yield path, value if isinstance(value, str) else json.dumps(value)


def json_lines(stream: IO[bytes], source: Source, most: int) -> Iterator[Batch]:
    """A document in each line, at most about so many records at a time.

    Without ``source.records`` a line is a record and has its number; with it, records and the lines that hold none are
    numbered through the file.
    """
    found: list[tuple[int, str, Record]] = []
    failures: list[Failure] = []
    blanks: list[Line] = []
    by_line = source.records is None and not source.record_columns
    number = 0

    def number_of(line: Line) -> int:
        nonlocal number
        number = line.number if by_line else number + 1
        return number

    for line in read_lines(stream, source.encoding):
        if line.problem is None and not line.text.strip():
            blanks += [] if source.blank_lines == "ignore" else [line]
            continue
        failures += [(number_of(blank), blank.text, SCHEMA_MISMATCH, "the line is blank") for blank in blanks]
        blanks = []
        if line.problem is not None:
            failures.append((number_of(line), line.text, DESERIALIZATION_FAILURE, line.problem))
            continue
        try:
            document = read_document(line.text, source)
            if by_line:
                found.append((number_of(line), line.text, one_record(document)))
            else:
                for record in records(document, source):
                    found.append((number_of(line), json.dumps(record, ensure_ascii=False), record))
        except NoRecordsError as error:
            failures.append((number_of(line), line.text, error.reason, error.problem))
        if len(found) + len(failures) >= most:
            yield _batch(found, failures, source)
            found, failures = [], []
    yield _batch(found, failures, source)


def json_document(stream: IO[bytes], source: Source, most: int) -> Iterator[Batch]:
    """One document that is the whole file, so read at once; its records are numbered from 1. A file that is no JSON is
    one dead letter.
    """
    text = stream.read().decode(source.encoding, errors="backslashreplace").removeprefix("\ufeff")
    found: list[tuple[int, str, Record]] = []
    try:
        for number, record in enumerate(records(read_document(text, source), source), start=1):
            found.append((number, json.dumps(record, ensure_ascii=False), record))
            if len(found) >= most:
                yield _batch(found, [], source)
                found = []
        yield _batch(found, [], source)
    except NoRecordsError as error:
        yield _batch(found, [(1 + len(found), text[:MAX_LINE_BYTES], error.reason, error.problem)], source)


def _batch(found: Sequence[tuple[int, str, Record]], failures: Sequence[Failure], source: Source) -> Batch:
    """The cells of each record in the order of the profile's columns, of one device after the other; ``None`` where a
    record lacks the key.
    """
    columns: dict[tuple[str | None, str], list[str]] = {}
    for key in dict.fromkeys(key for _, _, record in found for key in record):
        device, spelling = device_and_spelling(key, source)
        for column in source.header:
            if spelling in spellings(column):
                columns.setdefault((device, column.name), []).append(key)
    places = {of: place for place, of in enumerate(columns)}
    own = {device: {n: p for (d, n), p in places.items() if d == device} for device, _ in columns if device is not None}
    header = Header(len(places), {name: place for (device, name), place in places.items() if device is None}, None, own)
    rows: list[Row] = [
        (number, [next((record[key] for key in keys if key in record), None) for keys in columns.values()], text)
        for number, text, record in found
    ]
    if source.header_pattern and not own:
        problem = f"no key {nothing_found(source)}"
        failures = [*failures, *((number, text, SCHEMA_MISMATCH, problem) for number, _, text in rows)]
        rows = []
    return Batch(header, rows, list(failures))
