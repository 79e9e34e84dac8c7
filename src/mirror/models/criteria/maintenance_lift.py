"""Flagged devices fail or are serviced more often than others: how much more often, and no less than by the champion.

Labels are no training data, so this is the only criterion that asks whether the model is right. Where a fleet has
none, or too few for a figure to mean anything, nothing is claimed and nothing is blocked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from mirror.models.criteria.base import Candidate, Criterion, Finding, only
from mirror.models.records import Outcome
from mirror.models.scoring import SETTINGS, CannotJudgeError, Sample, stored_rows

if TYPE_CHECKING:
    import pandas as pd

    from mirror.located import Located

SIGNIFICANT = 1.645
"""Standard deviations below which a loss is chance: five percent, one side."""


@dataclass(frozen=True)
class Hits:
    """Of the flagged rows and of all, those that an event followed."""

    flagged: int
    flagged_hits: int
    share: float

    @property
    def lift(self) -> float:
        """How many times as often an event follows a flagged row as any row."""
        return self.flagged_hits / self.flagged / self.share if self.flagged and self.share else math.nan


@dataclass(frozen=True)
class MaintenanceLift(Criterion):
    """``labels``: dataset of events with ``device_id`` and a time; ``min``: smallest lift; ``min_events``: fewer are
    not judged; ``hours``: how long after a row an event counts; ``types``: the events that count.
    """

    kind = "maintenance_lift"
    sample: Sample
    labels: str
    min: float
    min_events: int = 200
    hours: float = 168.0
    time: str = "event_timestamp"
    types: tuple[str, ...] = ()

    @classmethod
    def read(cls, item: Located, settings: Mapping[str, Located]) -> Self:
        own = ("labels", "min", "min_events", "hours", "types", "time")
        only(item, settings, (*SETTINGS, *own), required=("dataset", "labels", "min"))
        given: dict[str, object] = {}
        if "min_events" in settings:
            given["min_events"] = settings["min_events"].count("min_events")
        if "hours" in settings:
            given["hours"] = settings["hours"].number("hours")
        if "time" in settings:
            given["time"] = settings["time"].text("time")
        if "types" in settings:
            given["types"] = tuple(one.text("an entry of types") for one in settings["types"].items("types"))
        labels, least = settings["labels"].text("labels"), settings["min"].number("min")
        return cls(Sample.read(settings), labels, least, **given)  # type: ignore[arg-type]

    def judge(self, candidate: Candidate) -> Finding:
        try:
            events = stored_rows(candidate, Sample(self.labels).path(candidate))
        except CannotJudgeError as error:
            return Finding(Outcome.PASS, f"no labels to judge by: {error}")
        if self.types:
            events = events[events["label_type"].isin(self.types)]
        try:
            scored = self.sample.scored(candidate)
            champion = self.sample.scored(candidate, candidate.champion) if candidate.champion else None
        except CannotJudgeError as error:
            return Finding(Outcome.PENDING, str(error))
        followed, found = self._followed(scored, events)
        if found < self.min_events:
            return Finding(Outcome.PASS, f"{found} events follow scored rows, {self.min_events} are needed to judge")
        mine = _hits(scored[self.sample.flag], followed)
        text = f"an event follows a flagged row {mine.lift:.2f} times as often as any, at least {self.min:g}"
        wrong = not mine.lift >= self.min
        if champion is not None:
            theirs = _hits(champion[self.sample.flag], followed)
            worse = _is_worse(mine, theirs)
            text += f"; {theirs.lift:.2f} in production{', which is better by more than chance' if worse else ''}"
            wrong = wrong or worse
        return Finding(Outcome.REJECT if wrong else Outcome.PASS, text)

    def _followed(
        self, scored: pd.DataFrame, events: pd.DataFrame
    ) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], int]:
        """Whether an event of its device begins within ``hours`` of each row's window, and how many events do."""
        followed = np.zeros(len(scored), dtype=bool)
        seen = 0
        ends = scored["window_end"].to_numpy("datetime64[ns]")
        span = np.timedelta64(round(self.hours * 3600), "s")
        by_device = dict(scored.reset_index(drop=True).groupby("device_id").groups.items())
        for device, own in events.groupby("device_id"):
            rows = np.asarray(by_device.get(device, []), dtype=np.int64)
            for begin in own[self.time].to_numpy("datetime64[ns]"):
                inside = (ends[rows] <= begin) & (begin <= ends[rows] + span)
                followed[rows[inside]] = True
                seen += bool(inside.any())
        return followed, seen


def _hits(flags: pd.Series[bool], followed: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Hits:
    told = flags.to_numpy(dtype=bool)
    return Hits(int(told.sum()), int((told & followed).sum()), float(followed.mean()))


def _is_worse(mine: Hits, theirs: Hits) -> bool:
    """Two shares, one side: whether fewer of the candidate's flagged rows were followed than chance explains."""
    if not mine.flagged or not theirs.flagged:
        return bool(theirs.flagged)
    both = (mine.flagged_hits + theirs.flagged_hits) / (mine.flagged + theirs.flagged)
    spread = math.sqrt(both * (1 - both) * (1 / mine.flagged + 1 / theirs.flagged))
    gap = theirs.flagged_hits / theirs.flagged - mine.flagged_hits / mine.flagged
    return spread > 0 and gap / spread > SIGNIFICANT
