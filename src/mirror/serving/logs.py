"""One JSON document per line and event, on one stream. Headers and bodies are never among the facts."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from mirror.clock import Clock

LOGGERS = ("mirror.serving", "uvicorn.error")


class JsonLines(logging.Formatter):
    """``{"at", "level", "event", ...facts}``, with a traceback where there is one."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        document = {"at": self._clock().isoformat(), "level": record.levelname, "event": record.getMessage()}
        document |= getattr(record, "facts", {})
        if record.exc_info:
            document["traceback"] = self.formatException(record.exc_info)
        return json.dumps(document, default=str)


@contextmanager
def json_lines(stream: TextIO, clock: Clock) -> Iterator[None]:
    """The server's log goes to ``stream`` while this is open."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines(clock))
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
