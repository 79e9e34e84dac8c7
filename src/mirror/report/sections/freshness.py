"""When each dataset was last written, period by period."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from mirror.datasets import Transaction, TransactionStatus
from mirror.report.fleet_data import FleetData
from mirror.report.parts import Cell, HeatMap, HeatRow

AUDIENCE, ORDER = "operations", 10
TITLE = "Freshness"
LEAD = "Periods since the newest commit of each dataset. A row that darkens from some column on has stopped there."

COLUMNS = 14
NOT_YET = 5
_SPANS = (timedelta(minutes=5), timedelta(hours=1), timedelta(hours=6), timedelta(days=1), timedelta(days=7))
_LEGEND = ((0, "written"), (1, "1 period old"), (2, "2 to 3"), (3, "4 to 7"), (4, "older"), (NOT_YET, "not there yet"))


def read(fleet: FleetData) -> Iterator[HeatMap]:
    """One row per dataset; the periods end at the newest commit and are as long as the history asks for."""
    history = {name: _closed(fleet, name) for name in sorted(fleet.views)}
    first = min((at for moments in history.values() for at, _ in moments), default=fleet.as_of)
    span = next((one for one in _SPANS if fleet.as_of - first <= one * COLUMNS), _SPANS[-1])
    ends = [fleet.as_of - span * back for back in range(COLUMNS - 1, -1, -1)]
    yield HeatMap(
        caption=f"Commits of the datasets of {fleet.prefix}, {COLUMNS} periods of {_words(span)} up to the newest",
        columns=tuple(f"{end:%m-%d}" if span >= timedelta(days=1) else f"{end:%H:%M}" for end in ends),
        rows=tuple(
            HeatRow(name, tuple(_cell(name, moments, end, span) for end in ends)) for name, moments in history.items()
        ),
        legend=_LEGEND,
    )


def _closed(fleet: FleetData, name: str) -> list[tuple[datetime, bool]]:
    """(when, whether it was committed) of every transaction that ended."""
    transactions: Sequence[Transaction] = fleet.workspace.store.history(fleet.views[name].dataset, fleet.branch)
    return [(one.closed_at, one.status is TransactionStatus.COMMITTED) for one in transactions if one.closed_at]


def _cell(name: str, moments: Sequence[tuple[datetime, bool]], end: datetime, span: timedelta) -> Cell:
    inside = [good for at, good in moments if end - span < at <= end]
    written, aborted = sum(inside), len(inside) - sum(inside)
    newest = max((at for at, good in moments if good and at <= end), default=None)
    said = f"{name}, period up to {end:%Y-%m-%d %H:%M}: {written} committed, {aborted} aborted"
    if aborted and not written:
        return Cell(f"✗{aborted}", 4, said)
    if written:
        return Cell(str(written), 0, said)
    if newest is None:
        return Cell("", NOT_YET, f"{said}; never before")
    age = int((end - newest) / span)
    return Cell("", 1 if age < 2 else 2 if age < 4 else 3 if age < 8 else 4, f"{said}; newest {newest:%Y-%m-%d %H:%M}")


def _words(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    for size, noun in ((10080, "week"), (1440, "day"), (60, "hour")):
        if minutes % size == 0:
            return f"{minutes // size} {noun}{'s' if minutes != size else ''}"
    return f"{minutes} minutes"
