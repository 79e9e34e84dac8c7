"""Lines of a raw file, one by one and with bounded memory; what cannot be read is told, never skipped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from fleet_health.ingestion.archives import TORN

MAX_LINE_BYTES = 65_536
"""Longer lines are cut and refused; the contract of ``dead_letter`` keeps 64 kB of a message."""


@dataclass(frozen=True)
class Line:
    """One line without its line end. ``problem`` says why its text cannot be trusted; the text is kept either way."""

    number: int
    text: str
    problem: str | None = None


def read_lines(stream: IO[bytes], encoding: str) -> Iterator[Line]:
    """Every line of ``stream``, numbered from 1. A damaged compressed stream ends with one line that says so."""
    number = 0
    while True:
        number += 1
        try:
            raw = stream.readline(MAX_LINE_BYTES + 1)
            cut = len(raw) > MAX_LINE_BYTES and not raw.endswith(b"\n")
            if cut:
                _skip_rest(stream)
        except TORN as error:
            yield Line(number, "", f"the compressed file is torn or damaged here ({error}); what follows is lost")
            return
        if not raw:
            return
        raw = raw[:MAX_LINE_BYTES] if cut else raw.rstrip(b"\r\n")
        yield _decoded(number, raw, encoding, cut)


def _skip_rest(stream: IO[bytes]) -> None:
    while (rest := stream.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
        pass


def _decoded(number: int, raw: bytes, encoding: str, cut: bool) -> Line:
    if cut:
        return Line(
            number, _printable(raw, encoding), f"the line is longer than {MAX_LINE_BYTES} bytes; only its start is kept"
        )
    if b"\x00" in raw:
        return Line(number, _printable(raw, encoding), "the line holds NUL bytes, so it is binary")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        return Line(number, _printable(raw, encoding), f"the line is not {encoding} text (byte {error.start})")
    return Line(number, text.removeprefix("\ufeff") if number == 1 else text)


def _printable(raw: bytes, encoding: str) -> str:
    return raw.decode(encoding, errors="backslashreplace").replace("\x00", "\\x00")
