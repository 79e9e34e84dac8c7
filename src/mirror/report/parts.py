"""What a section of the report is made of: frozen values, each drawn by the template of its kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

GOOD, NEUTRAL, WATCH, BAD = "good", "neutral", "watch", "bad"
"""Levels; the page never tells them by colour alone."""


@dataclass(frozen=True)
class Tile:
    """One large number. ``note`` says over what it was counted."""

    name: str
    value: str
    note: str = ""
    level: str = NEUTRAL


@dataclass(frozen=True)
class Tiles:
    """Large numbers side by side."""

    tiles: tuple[Tile, ...]
    kind: ClassVar[str] = "tiles"


@dataclass(frozen=True)
class Cell:
    """A square of a heat map: ``step`` from 0 (as it should be) to 4, 5 for nothing to judge; ``says`` in words."""

    text: str
    step: int
    says: str


@dataclass(frozen=True)
class HeatRow:
    """One line of a heat map."""

    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class HeatMap:
    """Squares with a text each, so that it also reads as a table."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[HeatRow, ...]
    legend: tuple[tuple[int, str], ...]
    kind: ClassVar[str] = "heatmap"


@dataclass(frozen=True)
class Bar:
    """A value with its length; ``text`` is the value as people read it."""

    name: str
    value: float
    text: str
    note: str = ""
    level: str = NEUTRAL


@dataclass(frozen=True)
class Bars:
    """A ranking. ``limits`` are marked across all bars, each with what it means."""

    caption: str
    bars: tuple[Bar, ...]
    limits: tuple[tuple[float, str], ...] = ()
    total: int = 0
    kind: ClassVar[str] = "bars"

    @property
    def largest(self) -> float:
        """What the longest bar stands for; never 0."""
        return max([*(bar.value for bar in self.bars), *(limit for limit, _ in self.limits)], default=0) or 1.0


@dataclass(frozen=True)
class Histogram:
    """Shares per bin, now and in the reference (empty without one). ``summary`` says in words what is to be seen."""

    title: str
    note: str
    labels: tuple[str, ...]
    shares: tuple[float, ...]
    reference: tuple[float, ...] = ()
    summary: str = ""
    marked: int | None = None

    @property
    def largest(self) -> float:
        """The share of the highest bar; never 0."""
        return max((*self.shares, *self.reference), default=0.0) or 1.0


@dataclass(frozen=True)
class Histograms:
    """Small histograms side by side."""

    histograms: tuple[Histogram, ...]
    now: str
    then: str = ""
    total: int = 0
    kind: ClassVar[str] = "histograms"


@dataclass(frozen=True)
class Stack:
    """Counts per period and part, stacked. ``parts`` are drawn from the bottom up."""

    caption: str
    periods: tuple[str, ...]
    parts: tuple[tuple[str, tuple[int, ...]], ...]
    kind: ClassVar[str] = "stack"

    @property
    def largest(self) -> int:
        """The highest pile; never 0."""
        return max((sum(counts) for counts in zip(*(counts for _, counts in self.parts), strict=True)), default=0) or 1


@dataclass(frozen=True)
class Rows:
    """A table. ``total`` counts all rows, ``rows`` those shown; ``levels`` colours a row's first cell.

    ``folded`` tables open on demand.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int
    levels: tuple[str, ...] = ()
    folded: bool = False
    kind: ClassVar[str] = "rows"


Part = Tiles | HeatMap | Bars | Histograms | Stack | Rows


@dataclass(frozen=True)
class Panel:
    """One section of one fleet. ``missing`` says why there is nothing to show; then it has no ``parts``."""

    name: str
    audience: str
    title: str
    fleet: str
    lead: str = ""
    parts: tuple[Part, ...] = ()
    missing: str = ""
