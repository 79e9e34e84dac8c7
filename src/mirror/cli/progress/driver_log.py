"""What transforms log while they run, one line per record as Foundry's driver log shows it: INFO and above."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Console

# It reports every connection to the JVM at INFO.
_NOISE = "py4j"


class _ToConsole(logging.Handler):
    def __init__(self, console: Console, as_json: bool) -> None:
        super().__init__(logging.INFO)
        self._console, self._as_json = console, as_json

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.partition(".")[0] == _NOISE and record.levelno < logging.WARNING:
            return
        at = datetime.fromtimestamp(record.created, UTC)
        try:
            text = self.format(record)
        except Exception:  # noqa: BLE001 - a bad format string of the author must not fail the job
            self.handleError(record)
            return
        if self._as_json:
            event = {
                "event": "log",
                "level": record.levelname,
                "at": at.isoformat(),
                "logger": record.name,
                "message": text,
            }
            print(json.dumps(event, ensure_ascii=False), file=self._console.file, flush=True)
        else:
            line = f"{record.levelname} [{at:%Y-%m-%dT%H:%M:%S}] {record.name}: {text}"
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def driver_log(console: Console, *, as_json: bool = False) -> Iterator[None]:
    """Shows the records of all loggers on ``console`` (as JSON lines when asked) until the block ends."""
    root, handler = logging.getLogger(), _ToConsole(console, as_json)
    before = root.level
    root.addHandler(handler)
    root.setLevel(min(before or logging.INFO, logging.INFO))
    try:
        yield
    finally:
        root.setLevel(before)
        root.removeHandler(handler)
