"""Expectations that the past commits of a dataset propose: how much it holds, and how fresh its newest row is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import ceil, floor

from mirror.checks.spread import median_and_sigma
from mirror.checks.suggestion import Suggestion
from transforms import expectations as E

FEWEST_COMMITS = 5
"""Fewer commits show no rhythm."""

KEPT_SHARE = 0.5
"""A view is expected to hold at least this share of the smallest one seen: half is missing data, not a quiet day."""

SIGMAS = 3
"""How far from the usual gap a commit may come: three robust standard deviations."""


@dataclass(frozen=True)
class Commit:
    """One committed transaction that brought data.

    Attributes:
        at: when it was committed.
        rows: of the whole view if it replaced the dataset; ``None`` where it only changed it, or nobody counted.
    """

    at: datetime
    rows: int | None


def from_history(commits: Sequence[Commit], newest: Mapping[str, datetime]) -> list[Suggestion]:
    """What a history of at least :data:`FEWEST_COMMITS` commits, oldest first, speaks for.

    Args:
        commits: of one branch.
        newest: timestamp column -> its largest value in the current view. Of several, the one closest to the last
            commit tells freshness.
    """
    if len(commits) < FEWEST_COMMITS:
        return []
    return [*_volume(commits), *_freshness(commits, newest)]


def _volume(commits: Sequence[Commit]) -> list[Suggestion]:
    whole = [commit.rows for commit in commits if commit.rows is not None]
    if len(whole) < FEWEST_COMMITS or not min(whole):
        return []
    reason = f"the smallest of its last {len(whole)} snapshots held {min(whole)} rows; half of that is allowed"
    return [Suggestion("rows", E.count().gte(floor(min(whole) * KEPT_SHARE)), reason)]


def _freshness(commits: Sequence[Commit], newest: Mapping[str, datetime]) -> list[Suggestion]:
    gaps = [(after.at - before.at).total_seconds() for before, after in pairwise(commits)]
    usual, spread = median_and_sigma(gaps)
    # A value from after the commit is a plan or a wrong clock: it tells nothing about when data arrived.
    lags = {name: (commits[-1].at - at).total_seconds() for name, at in newest.items() if at <= commits[-1].at}
    if not lags or usual <= 0:
        return []
    column = min(lags, key=lambda name: (lags[name], name))
    limit = ceil(lags[column] + usual + SIGMAS * spread)
    reason = (
        f"committed every {usual:.0f} s (median of {len(gaps)} gaps, spread {spread:.0f} s); the newest value was"
        f" {lags[column]:.0f} s old at the last commit, and one gap and {SIGMAS} spreads more are allowed"
    )
    expectation = E.col(column).max_value().timestamp_offset_to_current_time().lte(limit)
    return [Suggestion(f"{column} fresh", expectation, reason)]
