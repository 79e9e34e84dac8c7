"""What a transform itself logs while it runs: its own words about what it did not do."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class _Heard(logging.Handler):
    """Keeps the texts of one thread that come from files below a folder, so that jobs side by side are told apart."""

    def __init__(self, source_root: Path) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []
        self._root, self._thread = f"{source_root}/", threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread != self._thread or not record.pathname.startswith(self._root):
            return
        try:
            self.texts.append(record.getMessage())
        except Exception:  # noqa: BLE001 - a bad format string of the author must not fail the job
            self.handleError(record)


@contextmanager
def warnings_of(source_root: Path) -> Iterator[list[str]]:
    """The warnings and errors that code below ``source_root`` logs on this thread until the block ends."""
    root, handler = logging.getLogger(), _Heard(source_root)
    root.addHandler(handler)
    try:
        yield handler.texts
    finally:
        root.removeHandler(handler)
