"""The log is written beside the requests, never before them."""

from __future__ import annotations

import io
import json
import logging
import threading
from datetime import UTC, datetime

import pytest

from mirror.serving import logs

NOW = datetime(2026, 1, 5, 6, tzinfo=UTC)


class Slow(io.StringIO):
    """A stream whose reader stopped reading, until it reads again."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = threading.Event()

    def write(self, text: str) -> int:
        self.reads.wait(20)
        return super().write(text)


def test_a_reader_that_stops_reading_stops_nobody_and_learns_what_it_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "WAITING", 100)
    stream, log = Slow(), logging.getLogger("mirror.serving")
    with logs.json_lines(stream, lambda: NOW):
        for number in range(logs.WAITING + 50):
            log.info("request", extra={"facts": {"number": number}})
        stream.reads.set()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    missed = [line["lines"] for line in lines if line["event"] == "lines_dropped"]
    # the one that is being written does not wait
    assert 49 <= sum(missed) <= 50
    assert len(lines) == logs.WAITING + 50 - sum(missed) + len(missed)
    assert lines[0] == {"at": "2026-01-05T06:00:00+00:00", "level": "INFO", "event": "request", "number": 0}
    assert log.propagate


def test_a_traceback_is_one_line() -> None:
    stream = io.StringIO()
    with logs.json_lines(stream, lambda: NOW):
        try:
            raise ValueError("text\nwith a break")
        except ValueError:
            logging.getLogger("mirror.serving").exception("fault")
    document = json.loads(stream.getvalue())
    assert (document["event"], document["level"]) == ("fault", "ERROR")
    assert document["traceback"].startswith("Traceback")
