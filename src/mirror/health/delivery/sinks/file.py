"""Appends to a file: one JSON document a line, on disk before it counts as delivered."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from mirror.health.delivery.messages import Message
from mirror.health.delivery.sinks.sink import NotDeliveredError, Surroundings


class FileSink:
    """``path``, relative to the workspace."""

    type: ClassVar[str] = "file"
    keys: ClassVar[frozenset[str]] = frozenset({"path"})

    def __init__(self, settings: Mapping[str, object], surroundings: Surroundings) -> None:
        path = settings.get("path")
        if not isinstance(path, str) or not path:
            raise ValueError('path is missing: say path = "alerts.jsonl"')
        self._path = surroundings.folder / Path(path).expanduser()

    def send(self, message: Message) -> None:
        """One write, so that lines of two processes do not mix; a line that a crash cut short is closed first."""
        line = json.dumps(message.to_json(), ensure_ascii=False, sort_keys=True).encode() + b"\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                size = os.fstat(descriptor).st_size
                torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
                os.write(descriptor, b"\n" + line if torn else line)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise NotDeliveredError(f"{self._path} cannot be written: {error.strerror}", True) from error
