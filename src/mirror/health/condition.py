"""How each dataset is, from the catalog alone: how old, how much, and how its last transaction ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from statistics import median

from mirror.datasets import Dataset, DatasetStore, Transaction, TransactionStatus, TransactionType

HISTORY = 10
"""How many earlier transactions the usual volume is taken from."""


@dataclass(frozen=True)
class Condition:
    """One dataset on one branch.

    Attributes:
        state: ``never`` (no transaction), ``open`` (being written), ``aborted`` (the newest transaction was),
            ``empty`` (the newest commit brought no rows, which would look fresh to anyone who watches clocks) or
            ``ok``.
        committed_at: end of the newest commit; ``None`` before the first.
        age_seconds: from then to now.
        rows: rows the newest commit brought (DELETEs apart); ``None`` where its files do not tell.
        usual_rows: median of up to ten commits before it; ``None`` without any.
        commits: committed transactions on the branch's history.
        aborted: aborted transactions since the newest commit.
    """

    dataset: str
    branch: str
    state: str
    committed_at: datetime | None
    age_seconds: float | None
    rows: int | None
    usual_rows: float | None
    commits: int
    aborted: int

    @property
    def volume_ratio(self) -> float | None:
        """Newest rows over usual rows."""
        return None if self.rows is None or not self.usual_rows else self.rows / self.usual_rows


def read_conditions(store: DatasetStore, branch: str, now: datetime, *, under: str = "") -> tuple[Condition, ...]:
    """The condition of every dataset below ``under``, ordered by path; ``never`` where the branch does not exist."""
    return tuple(
        _condition(store, dataset, branch, now) for dataset in store.datasets() if dataset.path.startswith(under)
    )


def _condition(store: DatasetStore, dataset: Dataset, branch: str, now: datetime) -> Condition:
    present = store.resolve_branch(dataset, branch) is not None
    history = store.history_with_counts(dataset, branch) if present else ()
    committed = [x for x, _ in history if x.status is TransactionStatus.COMMITTED]
    # A DELETE brings nothing by design; it says nothing about how much usually arrives.
    brought = [
        counts["rows"]
        for x, counts in history
        if x.status is TransactionStatus.COMMITTED and x.type is not TransactionType.DELETE
    ]
    earlier = [rows for rows in brought[:-1][-HISTORY:] if rows is not None]
    last = committed[-1] if committed else None
    rows = brought[-1] if brought else None
    after = [x for x, _ in history if last is None or x.sequence > last.sequence]
    closed = last.closed_at if last else None
    return Condition(
        dataset=dataset.path,
        branch=branch,
        state=_state(history[-1][0] if history else None, rows),
        committed_at=closed,
        age_seconds=(now - closed).total_seconds() if closed else None,
        rows=rows,
        usual_rows=float(median(earlier)) if earlier else None,
        commits=len(committed),
        aborted=sum(x.status is TransactionStatus.ABORTED for x in after),
    )


def _state(newest: Transaction | None, rows: int | None) -> str:
    if newest is None:
        return "never"
    if newest.status is TransactionStatus.OPEN:
        return "open"
    if newest.status is TransactionStatus.ABORTED:
        return "aborted"
    return "empty" if rows == 0 and newest.type is not TransactionType.DELETE else "ok"
