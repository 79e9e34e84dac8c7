"""Lines of delimited text to rows of cells."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import IO

from fleet_health.ingestion.batch import DESERIALIZATION_FAILURE, SCHEMA_MISMATCH, Batch
from fleet_health.ingestion.header import Header, declared_header, joined_names, match_header
from fleet_health.ingestion.lines import MAX_LINE_BYTES, Line, read_lines
from fleet_health.profiles.source import FIXED_WIDTH, LINE_ENDS, WHITESPACE, WORKBOOK, Source


def delimited(stream: IO[bytes], source: Source, most: int) -> Iterator[Batch]:
    """The lines of a file, at most so many at a time; nothing where there is no header or no line after it."""
    lines: Iterable[Line] = read_lines(stream, source.encoding, LINE_ENDS[source.line_ends])
    yield from table(_whole_records(lines) if source.quoted_line_breaks else lines, source, most)


def table(lines: Iterable[Line], source: Source, most: int) -> Iterator[Batch]:
    """Lines of one table, from whatever they were read."""
    batch = Batch(declared_header(source)) if source.without_header else None
    blanks: list[Line] = []
    heading: list[Line] = []
    header_text, data_after = None, 0
    for line in lines:
        if line.number <= source.lines_before_header or _no_data(line, source):
            continue
        if line.problem is None and not line.text.strip():
            blanks.append(line)  # only blank lines that something follows are lines that lost their content
            continue
        if batch is not None and line.number <= data_after:
            continue
        if source.repeated_headers == "ignore" and line.text.removeprefix("\ufeff").strip() == header_text:
            data_after = line.number + source.header_lines - 1 + source.lines_after_header
            continue
        if batch is not None:
            batch.failures += [(blank.number, blank.text, SCHEMA_MISMATCH, "the line is blank") for blank in blanks]
        blanks = []
        if batch is None:
            heading.append(line)
            if len(heading) == source.header_lines:
                header_text, data_after = heading[0].text.strip(), line.number + source.lines_after_header
                batch = Batch(_header(heading, source))
            continue
        if line.problem is not None:
            batch.failures.append((line.number, line.text, DESERIALIZATION_FAILURE, line.problem))
        else:
            _sort_in(line, batch, source)
        if len(batch) >= most:
            yield batch
            batch = Batch(batch.header)
    if batch is not None:
        yield batch


def _header(lines: list[Line], source: Source) -> Header:
    for line in lines:
        if line.problem is not None:
            return Header(0, {}, f"header: {line.problem}")
    names = [fields_of(line.text, source) for line in lines]
    return match_header(names[0] if len(names) == 1 else joined_names(names), source)


def _whole_records(lines: Iterable[Line]) -> Iterator[Line]:
    """Lines with those that follow them while a quote is open, as one line of the first one's number."""
    opened: Line | None = None
    for line in lines:
        whole = line if opened is None else replace(opened, text=f"{opened.text}\n{line.text}", problem=line.problem)
        opened = None
        if line.problem is None and whole.text.count('"') % 2 and len(whole.text) < MAX_LINE_BYTES:
            opened = whole
        else:
            yield whole
    if opened is not None:
        yield replace(opened, problem="a quote is opened here and never closed")


def _sort_in(line: Line, batch: Batch, source: Source) -> None:
    header = batch.header
    if header.problem is not None:
        batch.failures.append((line.number, line.text, SCHEMA_MISMATCH, header.problem))
        return
    fields = fields_of(line.text, source)
    if source.format == WORKBOOK:
        del fields[header.width :]  # a remark beside the table
    if (source.short_lines == "missing" or source.format == WORKBOOK) and len(fields) < header.width:
        fields += [""] * (header.width - len(fields))
    if source.delimiter == FIXED_WIDTH and source.short_lines != "missing" and _is_short(line, source):
        detail = f"the line ends at character {len(line.text)}, within or before its last column"
        detail += "; `source.short_lines: missing` reads what there is"
        batch.failures.append((line.number, line.text, SCHEMA_MISMATCH, detail))
    elif len(fields) != header.width:
        detail = f"{len(fields)} fields instead of {header.width}"
        if len(fields) == header.width + 1 and fields[-1] == "" and not source.trailing_delimiter:
            detail += "; lines that end with a delimiter are read with `source.trailing_delimiter: true`"
        batch.failures.append((line.number, line.text, SCHEMA_MISMATCH, detail))
    elif source.trailing_delimiter and fields[-1].strip():
        batch.failures.append((line.number, line.text, SCHEMA_MISMATCH, "the line does not end with a delimiter"))
    else:
        batch.rows.append((line.number, fields, line.text))


def _no_data(line: Line, source: Source) -> bool:
    """Whether the profile says of such lines that they hold nothing."""
    if source.comments and line.text.startswith(source.comments):
        return True
    if source.blank_lines != "ignore" or line.problem is not None:
        return False
    empty = " \t" if source.delimiter in (WHITESPACE, FIXED_WIDTH) else f" \t{source.delimiter}"
    return not line.text.strip(empty)


def fields_of(text: str, source: Source) -> list[str]:
    """The fields of one line of text."""
    if source.delimiter == WHITESPACE:
        return text.split()
    if source.delimiter == FIXED_WIDTH:
        return [text[column.place[0] - 1 : column.place[1]] for column in source.header if column.place is not None]
    if '"' not in text:
        return text.split(source.delimiter)
    # a blank before a quote is no part of the cell
    return next(
        csv.reader(text.splitlines(keepends=True), delimiter=source.delimiter, skipinitialspace=source.delimiter != " ")
    )


def _is_short(line: Line, source: Source) -> bool:
    return len(line.text) < max(column.place[1] for column in source.header if column.place is not None)
