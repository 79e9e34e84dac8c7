"""Sheets of Excel workbooks as lines of text, so that one set of rules reads every fleet."""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import IO
from xml.etree.ElementTree import ParseError

import openpyxl

from fleet_health.ingestion.lines import Line
from fleet_health.profiles.source import Source

DELIMITER = "\t"
"""Between the cells of a line; hardly a cell holds one."""

TORN_WORKBOOK = (zipfile.BadZipFile, zlib.error, KeyError, ValueError, ParseError, EOFError, OSError)
"""What a file raises that is no workbook, or only a part of one."""

_ENDINGS = (".xlsx", ".xlsm")


def sheets(stream: IO[bytes], path: str, source: Source) -> Iterator[tuple[str, Iterator[Line]]]:
    """Name and lines of every sheet that holds readings. The only one of a workbook is called as the file is, one of
    several ``file/sheet``; what another program stores beside workbooks is none.

    Raises:
        One of :data:`TORN_WORKBOOK`.
    """
    if source.files and not source.reads(path) and not path.lower().endswith(_ENDINGS):
        return
    with warnings.catch_warnings():
        # of styles and drawings that it does not know
        warnings.simplefilter("ignore", UserWarning)
        # the index comes last, and a stream from a dataset need not seek
        book = openpyxl.load_workbook(io.BytesIO(stream.read()), read_only=True, data_only=True)
        for sheet in book.worksheets:
            name = path if len(book.worksheets) == 1 else f"{path}/{sheet.title}"
            if source.reads(path) or source.reads(name):
                sheet.reset_dimensions()  # as written by others they are often wrong
                yield name, _lines(sheet.iter_rows(values_only=True), source)


def _lines(rows: Iterator[tuple[object, ...]], source: Source) -> Iterator[Line]:
    """A sheet that is damaged ends with one line that says so."""
    number = 0
    while True:
        number += 1
        try:
            row = next(rows, None)
        except TORN_WORKBOOK as error:
            yield Line(number, "", f"the sheet is torn or damaged here ({error}); what follows is lost")
            return
        if row is None:
            return
        cells = [cell_text(value, source.decimal) for value in row]
        while cells and not cells[-1]:
            cells.pop()  # formatted, and empty
        text = io.StringIO()
        csv.writer(text, delimiter=DELIMITER, lineterminator="").writerow(cells)
        yield Line(number, text.getvalue())


def cell_text(value: object, decimal: str = ".") -> str:
    """What a cell says: dates as ISO 8601, midnight as the day alone; numbers in full, with the profile's mark of
    decimals.
    """
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return (f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)).replace(".", decimal)
        case datetime():
            return f"{value:%Y-%m-%d}" if value.time() == time() else value.isoformat(" ")
        case date() | time():
            return value.isoformat()
        case timedelta():
            minutes, seconds = divmod(round(value.total_seconds()), 60)
            return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
        case _:
            return str(value)
