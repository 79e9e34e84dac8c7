"""Errors of the report.

UsageError
`-- ReportError
    |-- ReportUnwritableError   the page cannot be written where it was asked for
    |-- AddressTakenError       the page cannot be served on the port asked for
    `-- NotThereError           a section lacks a dataset or column; the page says so in its place
"""

from __future__ import annotations

from mirror.errors import UsageError


class ReportError(UsageError):
    """Root of this room's errors."""


class AddressTakenError(ReportError):
    """``port`` cannot be listened on because of ``reason``."""

    def __init__(self, port: int, reason: str) -> None:
        super().__init__(port, reason)
        self.port, self.reason = port, reason

    def __str__(self) -> str:
        return f"port {self.port} cannot be listened on: {self.reason}; give another with --port, or 0 for a free one"


class NotThereError(ReportError):
    """``args``: one sentence on what a section needs and does not find."""

    def __str__(self) -> str:
        return str(self.args[0])


class ReportUnwritableError(ReportError):
    """``path`` cannot be written because of ``reason``."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return f"the report cannot be written to {self.path}: {self.reason}; give another folder with --out"
