"""The view is not cut into many small files."""

from __future__ import annotations

from typing import ClassVar

from mirror.health.case import HealthCase
from mirror.health.declaration import DatasetCheck, Graded
from mirror.health.finding import Finding, Status

FEW_FILES = 50
"""Fewer than this many are never too many."""
LARGE_FILE = 96 * 1024 * 1024
"""Bytes that a file must exceed."""
LARGE_SHARE = 0.9


class DatasetPartition(DatasetCheck, Graded):
    """Passes with fewer than 50 files, else where at least 90 % of them exceed 96 MB. The limits are Foundry's own."""

    kind: ClassVar[str] = "datasetPartition"
    api: ClassVar[bool] = False

    def evaluate(self, case: HealthCase) -> Finding:
        sizes = [file.size for file in case.subject.view.files if not file.hidden]
        large = sum(size > LARGE_FILE for size in sizes)
        measured: dict[str, object] = {"files": len(sizes), "large": large}
        good = len(sizes) < FEW_FILES or large >= LARGE_SHARE * len(sizes)
        text = f"{len(sizes)} files, {large} of them above 96 MB"
        return Finding(
            Status.PASSED if good else Status.FAILED,
            text if good or not self.reason else f"{text} ({self.reason})",
            value=float(len(sizes)),
            measured=measured,
            event=case.subject.newest.rid,
        )
