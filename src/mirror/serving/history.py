"""Inference history: every request that reached the model, as JSON lines that `mirror ingest` can make a dataset of.

Best effort, as in Foundry: a thread of its own writes, requests never wait for it, and what it cannot keep up with is
dropped and counted. Each start writes a file of its own, so two servers never share one and nothing is overwritten.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

from mirror.serving.deployment import Deployment
from mirror.serving.errors import HistoryFolderError
from mirror.serving.metrics import Metrics

log = logging.getLogger("mirror.serving")

COLUMNS = (
    "timestamp", "user_id", "request_uuid", "live_rid", "objective_rid", "model_rid", "model_version_rid", "input",
    "output", "error",
)  # fmt: skip
HELD_BYTES = 32_000_000
"""Of entries that wait to be written."""


@dataclass(frozen=True)
class Entry:
    """One request. ``request`` and ``answer`` are the bodies as they travelled."""

    at: datetime
    user: str | None
    id: str
    version_rid: str
    request: bytes
    answer: bytes | None
    error: str | None


class History:
    """Writes entries of one deployment into a new file of a folder."""

    def __init__(self, folder: Path, deployment: Deployment, started: datetime, metrics: Metrics) -> None:
        """Raises HistoryFolderError."""
        self._deployment, self._metrics = deployment, metrics
        self.file = folder / f"{deployment.model.name}-{started:%Y%m%dT%H%M%S}-{os.getpid()}.jsonl"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # inputs may be confidential: the file is its owner's alone, and never one that was there before
            self._stream = open(self.file, "x", encoding="utf-8", opener=_private)  # noqa: SIM115 - closed by close()
        except OSError as error:
            raise HistoryFolderError(str(folder), error.strerror or str(error)) from error
        self._entries: queue.SimpleQueue[Entry | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._held = 0
        self._thread = threading.Thread(target=self._write_all, name="live-history", daemon=True)
        self._thread.start()

    def record(self, entry: Entry) -> None:
        """Hands an entry over; drops it when too much waits already. Never blocks, never raises."""
        size = _size(entry)
        with self._lock:
            fits = self._held + size <= HELD_BYTES
            self._held += size if fits else 0
        if fits:
            self._entries.put(entry)
        else:
            self._metrics.count("history_dropped_total")

    def close(self) -> None:
        """Writes what waits and closes the file."""
        self._entries.put(None)
        self._thread.join(timeout=10)
        self._stream.close()

    def _write_all(self) -> None:
        while (entry := self._entries.get()) is not None:
            try:
                _write(self._stream, self._row(entry), flush=self._entries.empty())
            except (OSError, ValueError) as error:
                self._metrics.count("history_dropped_total")
                log.warning("history_not_written", extra={"facts": {"reason": str(error)}})
            with self._lock:
                self._held -= _size(entry)

    def _row(self, entry: Entry) -> dict[str, str | None]:
        values = (
            entry.at.isoformat(), entry.user, entry.id, self._deployment.rid, self._deployment.objective_rid,
            self._deployment.model.rid, entry.version_rid, entry.request.decode("utf-8", "replace"),
            None if entry.answer is None else entry.answer.decode(), entry.error,
        )  # fmt: skip
        return dict(zip(COLUMNS, values, strict=True))


def _write(stream: TextIO, row: dict[str, str | None], *, flush: bool) -> None:
    stream.write(json.dumps(row) + "\n")
    if flush:
        stream.flush()


def _size(entry: Entry) -> int:
    return len(entry.request) + len(entry.answer or b"") + 500


_private: Callable[[str, int], int] = lambda path, flags: os.open(path, flags, 0o600)  # noqa: E731 - an opener
