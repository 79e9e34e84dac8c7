"""One JSON document per line and event, on one stream. Headers and bodies are never among the facts.

A thread of its own writes: whoever reads the stream may be slow or stop reading, and no request waits for that. Lines
beyond what may wait are dropped, and the next one that is written says how many.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from mirror.clock import Clock

LOGGERS = ("mirror.serving", "uvicorn.error")
WAITING = 10_000
"""Lines that may wait to be written."""


class JsonLines(logging.Handler):
    """Writes ``{"at", "level", "event", ...facts}``, with a traceback where there is one."""

    def __init__(self, stream: TextIO, clock: Clock) -> None:
        super().__init__()
        self._stream, self._clock = stream, clock
        self._lines: queue.Queue[str | None] = queue.Queue(WAITING)
        self._dropped = 0
        self._thread = threading.Thread(target=self._write_all, name="live-log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Hands a line over; never blocks."""
        document = {"level": record.levelname, "event": record.getMessage(), **getattr(record, "facts", {})}
        if record.exc_info:
            document["traceback"] = logging.Formatter().formatException(record.exc_info)
        try:
            self._lines.put_nowait(self._line(document))
        except queue.Full:
            # under the handler's own lock
            self._dropped += 1

    def close(self) -> None:
        """Writes what waits, as far as somebody reads it."""
        with suppress(queue.Full):
            self._lines.put(None, timeout=5)
        self._thread.join(timeout=5)
        super().close()

    def _line(self, document: dict[str, object]) -> str:
        return json.dumps({"at": self._clock().isoformat(), **document}, default=str) + "\n"

    def _missed(self) -> int:
        self.acquire()
        try:
            missed, self._dropped = self._dropped, 0
            return missed
        finally:
            self.release()

    def _write_all(self) -> None:
        while (line := self._lines.get()) is not None:
            dropped = self._missed()
            if dropped:
                line += self._line({"level": "WARNING", "event": "lines_dropped", "lines": dropped})
            # a closed stream must not end the thread, nor anything else
            with suppress(OSError, ValueError):
                self._stream.write(line)
                if self._lines.empty():
                    self._stream.flush()


@contextmanager
def json_lines(stream: TextIO, clock: Clock) -> Iterator[None]:
    """The server's log goes to ``stream`` while this is open."""
    handler = JsonLines(stream, clock)
    before = []
    for name in LOGGERS:
        logger = logging.getLogger(name)
        before.append((logger, logger.level, logger.propagate))
        logger.addHandler(handler)
        # uvicorn tells of its own starting and stopping at INFO; the server tells that itself
        logger.setLevel(logging.INFO if name == "mirror.serving" else logging.WARNING)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, level, propagate in before:
            logger.removeHandler(handler)
            logger.setLevel(level)
            logger.propagate = propagate
        handler.close()
