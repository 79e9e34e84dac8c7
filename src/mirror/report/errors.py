"""Errors of the report.

UsageError
`-- ReportError
    `-- ReportUnwritableError   the page cannot be written where it was asked for
"""

from __future__ import annotations

from mirror.errors import UsageError


class ReportError(UsageError):
    """Root of this room's errors."""


class ReportUnwritableError(ReportError):
    """``path`` cannot be written because of ``reason``."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return f"the report cannot be written to {self.path}: {self.reason}; give another folder with --out"
