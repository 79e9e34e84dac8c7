"""One promotion at a time, and the notes that let an interrupted one be finished.

Everything up to the first moved reference can be repeated from the start, so only what comes after is written down:
``publish`` (the objects exist, the references are about to move), ``data`` (they have moved; models and taken-over
results are next), ``rebuild`` (a command is about to run), and for a rollback ``publish`` and ``restore``.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mirror.promotion.errors import PromotionLockedError


@dataclass(frozen=True)
class JournalEntry:
    """What is left to do.

    Attributes:
        references: full name -> (new object, expected old object or ``None``).
        source: branch that is promoted; of a rollback, what is undone.
        approvals: who approved, for the models that come along.
        models: model, environment, version before, version after.
        reused: dataset -> transaction that the target takes over, or goes back to.
        heads: dataset -> transaction on the target's data branch before anything was moved, ``None`` where it had none.
    """

    step: str
    source: str
    target: str
    merge: str
    tag: str | None
    references: Mapping[str, tuple[str, str | None]]
    kind: str = "promotion"
    approvals: tuple[str, ...] = ()
    models: tuple[tuple[str, str, str | None, str], ...] = ()
    reused: Mapping[str, str] = field(default_factory=dict)
    heads: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What people call it: the branch that is promoted, or the promotion that is rolled back."""
        return self.source if self.kind == "promotion" else str(self.tag)


class Journal:
    """The journal and lock of one repository, in its git directory, shared by all its work trees."""

    def __init__(self, common_directory: Path) -> None:
        self._folder = common_directory / "mirror"
        self._file = self._folder / "promotion.json"

    @contextmanager
    def locked(self, who: str) -> Iterator[None]:
        """Holds the lock; the kernel lets go of it when the process ends, however it ends.

        Raises:
            PromotionLockedError: somebody else holds it.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with open(self._folder / "promote.lock", "a+", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                lock.seek(0)
                raise PromotionLockedError(lock.read().strip() or "by an unknown process") from error
            lock.truncate(0)
            lock.write(f"{who}, process {os.getpid()}")
            lock.flush()
            yield

    def read(self) -> JournalEntry | None:
        if not self._file.exists():
            return None
        document: dict[str, Any] = json.loads(self._file.read_text(encoding="utf-8"))
        document["references"] = {name: (new, old) for name, (new, old) in document["references"].items()}
        document["approvals"] = tuple(document.get("approvals", ()))
        document["models"] = tuple((m, e, b, a) for m, e, b, a in document.get("models", ()))
        return JournalEntry(**document)

    def write(self, entry: JournalEntry) -> None:
        """Replaces the note as a whole, on disk before this returns."""
        temporary = self._file.with_suffix(".new")
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(asdict(entry), file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._file)

    def clear(self) -> None:
        self._file.unlink(missing_ok=True)
