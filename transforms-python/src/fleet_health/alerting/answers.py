"""What batch scores say about a streaming alert, and since when the two paths have seen the same anomaly.

The first score of a window that holds the alert's reading, or comes after it, answers: above ``confirmed_above`` the
anomaly goes on, below ``softened_below`` it was a transient. In between the alert stays open and the next window is
asked; after ``undecided_windows`` of them a person decides. Answers are new rows, no row is edited.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from fleet_health.profiles.serving import Streaming

Verdict = Literal["confirmed", "softened", "undecided"]


@dataclass(frozen=True)
class Answer:
    window_end: datetime
    score: float
    verdict: Verdict


@dataclass(frozen=True)
class Anomaly:
    """One path's view of an anomaly.

    Attributes:
        key: whatever its rows are found by.
        known: when it became known, and the first detection of its own path.
        begin: start of the time that its first row speaks of.
        end: when it was over as far as its own path tells; later than everything while it is open.
        streaming: which path.
    """

    key: object
    known: datetime
    begin: datetime
    end: datetime
    streaming: bool


def answer_of(at: datetime, scores: Sequence[tuple[datetime, float]], rules: Streaming) -> Answer | None:
    """The answer to one alert, ``None`` while it is still open.

    Args:
        at: time of the reading that fired. A window holds it when it ends later: windows exclude their end.
        scores: end and highest model score of each closed window of one length, oldest first.
        rules: limits, and how often to ask.
    """
    begin = bisect_right(scores, at, key=lambda pair: pair[0])
    asked = scores[begin : begin + rules.undecided_windows]
    for end, score in asked:
        if score > rules.confirmed_above:
            return Answer(end, score, "confirmed")
        if score < rules.softened_below:
            return Answer(end, score, "softened")
    return Answer(*asked[-1], "undecided") if len(asked) == rules.undecided_windows else None


def first_detections(anomalies: Sequence[Anomaly]) -> dict[object, datetime]:
    """First detection by key, over both paths.

    An anomaly that becomes known while one of the other path is open, or was within the time its own first row speaks
    of, takes over that one's first detection; so does one streaming rule from another. Nothing that becomes known later
    changes an earlier row.
    """
    first: dict[object, datetime] = {}
    earlier: dict[bool, list[Anomaly]] = {True: [], False: []}
    for new in sorted(anomalies, key=lambda a: (a.known, not a.streaming, str(a.key))):
        others = earlier[True] + earlier[False] if new.streaming else earlier[True]
        first[new.key] = min([new.known, *(first[a.key] for a in others if a.end >= new.begin)])
        earlier[new.streaming].append(new)
    return first
