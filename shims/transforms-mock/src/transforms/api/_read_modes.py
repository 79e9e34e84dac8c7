"""Read modes: which there are, and what they mean for an output."""

from __future__ import annotations

from typing import Any

from transforms.errors import ReadModeError
from transforms.ports import READ_MODES, WritePort


def checked_mode(dataset: str, mode: Any) -> str:
    """A read mode that exists.

    Raises:
        ReadModeError: it does not.
    """
    if mode not in READ_MODES:
        raise ReadModeError(dataset, mode, READ_MODES)
    return str(mode)


def seen_mode(port: WritePort, mode: Any, is_incremental: bool) -> str:
    """The mode in which an output's port is read. A run that starts over replaces what the job found, so ``current`` is
    only what this run wrote: a state file of the run before must not outlive its rows.

    Raises:
        ReadModeError: there is no such mode.
    """
    mode = checked_mode(port.path, mode)
    starts_over = not is_incremental and port.mode == "replace"
    return "added" if mode == "current" and starts_over else mode
