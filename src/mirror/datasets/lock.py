"""One build at a time per branch of a workspace. The kernel gives the lock back however its process ends."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from mirror.clock import Clock, system_clock
from mirror.datasets.errors import WorkspaceLockedError
from mirror.datasets.storage import translated


@dataclass(frozen=True)
class Held:
    """What the holder of the lock should tell its user: the process whose unfinished build it takes over, if any."""

    taken_over_from: int | None


@contextlib.contextmanager
def build_lock(folder: Path, branch: str, clock: Clock = system_clock) -> Iterator[Held]:
    """Holds the lock of one branch. Raises WorkspaceLockedError naming process and start."""
    path = folder / f"build-{quote(branch, safe='')}.lock"
    with translated(path):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = _read(descriptor)
            raise WorkspaceLockedError(branch, holder.get("pid", "?"), holder.get("since", "?")) from error
        left_behind = _read(descriptor)
        _write(descriptor, {"pid": os.getpid(), "since": clock().isoformat(timespec="seconds")})
        pid = left_behind.get("pid")
        try:
            yield Held(pid if isinstance(pid, int) else None)
        finally:
            # An emptied file says that the build ended by itself; a filled one that nobody holds was killed.
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def held_branches(folder: Path) -> tuple[str, ...]:
    """The branches that are being built now, by any process of this machine."""
    held = []
    for path in sorted(folder.glob("build-*.lock")):
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            held.append(unquote(path.name.removeprefix("build-").removesuffix(".lock")))
        finally:
            os.close(descriptor)
    return tuple(held)


def _read(descriptor: int) -> dict[str, object]:
    try:
        found = json.loads(os.pread(descriptor, 4096, 0) or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _write(descriptor: int, content: dict[str, object]) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(content).encode(), 0)
