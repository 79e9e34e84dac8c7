"""The first rows of the sheets of an Excel workbook, as text."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator
from typing import IO
from xml.etree.ElementTree import ParseError

TORN_WORKBOOK = (zipfile.BadZipFile, KeyError, ValueError, ParseError)
"""What a file raises that is no workbook, or only a part of one."""

_ENDINGS = (".xlsx", ".xlsm")


def is_workbook(name: str) -> bool:
    """Whether a file is called like one."""
    return name.lower().endswith(_ENDINGS)


def sheets(content: IO[bytes], name: str) -> Iterator[tuple[str, Iterator[list[str]]]]:
    """Name and rows of each sheet; the only one is called as the file is. Raises one of :data:`TORN_WORKBOOK`."""
    import openpyxl

    with warnings.catch_warnings():
        # of styles and drawings that it does not know
        warnings.simplefilter("ignore", UserWarning)
        book = openpyxl.load_workbook(io.BytesIO(content.read()), read_only=True, data_only=True)
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # as written by others they are often wrong
            rows = ([("" if cell is None else str(cell)) for cell in row] for row in sheet.iter_rows(values_only=True))
            yield name if len(book.worksheets) == 1 else f"{name}/{sheet.title}", rows
