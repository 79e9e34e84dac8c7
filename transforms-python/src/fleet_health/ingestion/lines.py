"""Lines of a raw file, one by one and with bounded memory; what cannot be read is told, never skipped."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from fleet_health.ingestion.archives import TORN

MAX_LINE_BYTES = 65_536
"""Longer lines are cut and refused; the contract of ``dead_letter`` keeps 64 kB of a message."""

_MARKED = (
    (codecs.BOM_UTF16_LE, "utf-16", "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16", "utf-16-be"),
    (codecs.BOM_UTF32_LE, "utf-32", "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32", "utf-32-be"),
)
_UNMARKED = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}
"""Without a byte order mark: what Windows writes."""


@dataclass(frozen=True)
class Line:
    """One line without its line end. ``problem`` says why its text cannot be trusted; the text is kept either way."""

    number: int
    text: str
    problem: str | None = None


def read_lines(stream: IO[bytes], encoding: str, end: str = "\n") -> Iterator[Line]:
    """Every line of ``stream``, numbered from 1. A damaged compressed stream ends with one line that says so.

    ``end`` is the last character of a line end.
    """
    number = 0
    reading: Callable[[], tuple[bytes, bool]] | None = None
    while True:
        number += 1
        try:
            if reading is None:
                reading, encoding = _by_line(stream, encoding, end)
            raw, cut = reading()
        except TORN as error:
            yield Line(number, "", f"the compressed file is torn or damaged here ({error}); what follows is lost")
            return
        if not raw:
            return
        yield _decoded(number, raw, encoding, cut)


def _by_line(stream: IO[bytes], encoding: str, end: str) -> tuple[Callable[[], tuple[bytes, bool]], str]:
    """What gives the bytes of the next line with its end (nothing after the last one) and whether they were cut off;
    and the encoding of a line that has no byte order mark before it.
    """
    if _bytes_of(end, encoding) == b"\n":
        return lambda: _short_line(stream), encoding
    wide = _SearchedLines(stream, encoding, end)
    return wide.next, wide.encoding


def _short_line(stream: IO[bytes]) -> tuple[bytes, bool]:
    raw = stream.readline(MAX_LINE_BYTES + 1)
    cut = len(raw) > MAX_LINE_BYTES and not raw.endswith(b"\n")
    if cut:
        while (rest := stream.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
            pass
    return (raw[:MAX_LINE_BYTES], True) if cut else (raw, False)


class _SearchedLines:
    """Lines whose end is not the byte 10: UTF-16 and UTF-32 in either order of bytes, EBCDIC, carriage returns."""

    def __init__(self, stream: IO[bytes], encoding: str, end: str) -> None:
        self._stream = stream
        self._left = bytearray(_block(stream))
        self.encoding = encoding
        name = codecs.lookup(encoding).name
        for bom, of, ordered in _MARKED:
            if name == of and self._left.startswith(bom):
                self.encoding = ordered
                del self._left[: len(bom)]
                break
        else:
            self.encoding = _UNMARKED.get(name, encoding)
        self._end = _bytes_of(end, self.encoding)

    def next(self) -> tuple[bytes, bool]:
        kept, cut, searched = b"", False, 0
        while (place := self._place_of_end(searched)) < 0:
            searched = max(len(self._left) - len(self._left) % len(self._end), 0)
            if cut or len(self._left) > MAX_LINE_BYTES:
                kept, cut, searched = kept or bytes(self._left[:MAX_LINE_BYTES]), True, 0
                del self._left[: len(self._left) - len(self._left) % len(self._end)]
            block = _block(self._stream)
            if not block:
                place = len(self._left) - len(self._end)
                break
            self._left += block
        line = bytes(self._left[: place + len(self._end)])
        del self._left[: place + len(self._end)]
        return (kept, True) if cut else (line, False)

    def _place_of_end(self, start: int) -> int:
        """Where the line ends, -1 where that is not read yet; the bytes of two characters are no line end."""
        place = self._left.find(self._end, start)
        while place % len(self._end) and place >= 0:
            place = self._left.find(self._end, place + 1)
        return place


def _bytes_of(end: str, encoding: str) -> bytes:
    return end.encode(encoding).removeprefix(codecs.BOM_UTF8)


def _block(stream: IO[bytes]) -> bytes:
    return stream.read(MAX_LINE_BYTES)


def _decoded(number: int, raw: bytes, encoding: str, cut: bool) -> Line:
    if cut:
        return Line(
            number, _printable(raw, encoding), f"the line is longer than {MAX_LINE_BYTES} bytes; only its start is kept"
        )
    try:
        text = raw.decode(encoding).rstrip("\r\n")
    except UnicodeDecodeError as error:
        if b"\x00" in raw and len("\n".encode(encoding)) == 1:
            return Line(number, _printable(raw, encoding), "the line holds NUL bytes, so it is binary")
        return Line(number, _printable(raw, encoding), f"the line is not {encoding} text (byte {error.start})")
    if "\x00" in text:
        return Line(number, _printable(raw, encoding), "the line holds NUL bytes, so it is binary")
    return Line(number, text.removeprefix("\ufeff") if number == 1 else text)


def _printable(raw: bytes, encoding: str) -> str:
    return raw.decode(encoding, errors="backslashreplace").rstrip("\r\n").replace("\x00", "\\x00")
