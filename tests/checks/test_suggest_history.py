"""What a history of commits proposes, and when it is too short to say anything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

from mirror.checks.stored import commits_of
from mirror.checks.suggest_history import Commit, from_history
from mirror.datasets import TransactionType, Workspace
from transforms import expectations as E
from transforms.api import Check

START = datetime(2024, 5, 1, tzinfo=UTC)


def commits(*minutes: float, rows: int | None = None) -> list[Commit]:
    return [Commit(START + timedelta(minutes=m), rows) for m in minutes]


def test_freshness_follows_the_rhythm_and_not_one_late_commit() -> None:
    # Gaps of 60, 58, 62, 60 and once 300 minutes: median 60, MAD 2.
    past = commits(0, 60, 118, 180, 240, 540)
    newest = {"at": past[-1].at - timedelta(minutes=5), "planned": past[-1].at + timedelta(days=9), "old": START}
    (made,) = from_history(past, newest)
    # 300 s of lag, one gap of 3,600 s and three times 1.4826 x 120 s.
    assert made.expectation == E.col("at").max_value().timestamp_offset_to_current_time().lte(4434)
    assert made.name == "at fresh"
    assert made.reason == (
        "committed every 3600 s (median of 5 gaps, spread 178 s); the newest value was 300 s old at the last commit,"
        " and one gap and 3 spreads more are allowed"
    )
    # what is printed is code that makes the same check, its reason included
    (pasted,) = eval(f"[{made.code()}]", {"Check": Check, "E": E})  # noqa: S307 - our own text
    assert (pasted.expectation, pasted.on_error, pasted.description) == (made.expectation, "WARN", made.reason)
    assert from_history(past, {}) == []
    assert from_history(past[:4], newest) == []


def test_volume_takes_the_smallest_snapshot() -> None:
    past = [Commit(c.at, rows) for c, rows in zip(commits(0, 1, 2, 3, 4, 5), [90, 81, 99, None, 120, 95], strict=True)]
    (made,) = from_history(past, {})
    assert (made.name, made.expectation) == ("rows", E.count().gte(40))
    assert made.reason == "the smallest of its last 5 snapshots held 81 rows; half of that is allowed"
    assert from_history(commits(0, 1, 2, 3, 4, rows=0), {}) == []
    assert from_history(commits(0, 1, 2, 3, 4), {}) == []


def test_commits_are_those_that_brought_data(tmp_path: Path) -> None:
    source = tmp_path / "part.parquet"
    pd.DataFrame({"x": [1, 2, 3]}).to_parquet(source)
    with Workspace.create(tmp_path / ".mirror", repository=tmp_path) as workspace:
        store = workspace.store
        dataset = store.create("/d")
        for kind, files in (("SNAPSHOT", 1), ("APPEND", 1), ("APPEND", 0), ("SNAPSHOT", 2), ("DELETE", 0)):
            with store.transaction(dataset, "master", TransactionType(kind)) as opened:
                for number in range(files):
                    opened.add(source, f"{opened.rid}-{number}.parquet", rows=3)
        assert [commit.rows for commit in commits_of(store, dataset, "master")] == [3, None, 6]
