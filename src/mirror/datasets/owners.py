"""Who holds a lock: a process, told apart from a later process that happens to get the same number."""

from __future__ import annotations

import os
import socket
from pathlib import Path


def this_process() -> str:
    """``host:pid:start`` of the running process."""
    pid = os.getpid()
    return f"{socket.gethostname()}:{pid}:{_started(pid)}"


def pid_of(owner: str) -> str:
    """The process number in an owner, for messages."""
    return owner.split(":")[1] if owner.count(":") == 2 else owner


def is_dead(owner: str) -> bool:
    """Whether the owner certainly runs no more. Another host's process counts as alive: nobody here can tell."""
    host, _, rest = owner.partition(":")
    pid_text, _, start = rest.partition(":")
    if host != socket.gethostname() or not pid_text.isdigit():
        return False
    pid = int(pid_text)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return bool(start) and _started(pid) != start


def _started(pid: int) -> str:
    """Kernel ticks at which a process started, or an empty string where the system does not tell."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    fields = stat.rsplit(")", 1)[-1].split()
    # A zombie has ended; only its parent has not looked yet.
    return "zombie" if fields[0] == "Z" else fields[19]
