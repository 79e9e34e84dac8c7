"""The number of rows of another dataset of the same transform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mirror.checks.metrics.base import ForeignMetric


@dataclass(frozen=True)
class ReferenceRows(ForeignMetric):
    """State and value: the count; it comes from the reference's own footers where they say it."""

    kind: ClassVar[str] = "reference_row_count"

    @property
    def columns(self) -> tuple[str, ...]:
        return ()

    def value(self, state: int) -> int:
        return state
