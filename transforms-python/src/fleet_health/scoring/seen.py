"""What earlier looks have found, so that the next one reads what came since and not the history.

Receipt times, the newest ``computed_at`` and ``scored_at`` only go forward while datasets grow. So the newest of what
came since the last look is the newest of all, unless nothing as new as what was known is there any more: then a dataset
was rolled back or made anew, and everything is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts import runs
from fleet_health.features.days import ending_between
from fleet_health.profiles.families import FurtherModel, ModelSpec
from fleet_health.profiles.model import Profile


@dataclass(frozen=True)
class Seen:
    """What the log knows; ``None`` where it knows nothing.

    Attributes:
        receipt: a receipt time that was there.
        features_at: the newest ``computed_at``.
        scored_at: the newest run that was logged.
        through: end of the newest window that was scored until then.
        length: of the model's windows.
        reach: how long before its ``computed_at`` a window may have ended at most, by its lateness.
    """

    receipt: datetime | None
    features_at: datetime | None
    scored_at: datetime | None
    through: datetime | None
    length: timedelta
    reach: timedelta

    @classmethod
    def of(cls, log: DataFrame | None, profile: Profile, model: ModelSpec | FurtherModel) -> Seen:
        """Of what ``scoring_run_metrics`` says of a model so far."""
        minutes = model.window_duration_minutes
        late = profile.lateness_of(minutes)
        length = timedelta(minutes=minutes)
        reach = length + timedelta(minutes=late.close_after.minutes, hours=late.horizon.hours)
        if log is None:
            return cls(None, None, None, None, length, reach)
        scored = F.col("outcome") == runs.SUCCEEDED
        # without features the log repeats the time of the look
        told = F.col("features_age_minutes").isNotNull()
        found = only_row(
            log.where(F.col("model_id") == model.model_id).agg(
                F.max("scheduled_at").alias("receipt"),
                F.max(F.when(told, F.col("features_available_at"))).alias("features_at"),
                F.max(F.when(scored, F.col("scheduled_at"))).alias("scored_at"),
                F.max(F.when(scored, F.col("scored_through"))).alias("through"),
            )
        )
        return cls(**found, length=length, reach=reach)

    def newest_receipt(self, raw: DataFrame) -> datetime | None:
        """The newest ``timestamp_ingested``."""
        asked = [F.max("timestamp_ingested").alias("at")]
        found: datetime | None = self._newest(raw, _since(raw, "timestamp_ingested", self.receipt), asked)["at"]
        return found

    def newest_windows(self, windows: DataFrame) -> dict[str, Any]:
        """``at``: the newest ``computed_at`` of windows of the model's length; ``through``: the newest end of one."""
        asked = [F.max("computed_at").alias("at"), F.max("window_end").alias("through")]
        near = None
        if self.features_at is not None:
            near = ending_between(windows, self.features_at - self.reach, None, self.length)
        return self._newest(windows, near, asked, self.features_at)

    def newest_scores(self, mine: DataFrame) -> dict[str, Any]:
        """The newest ``scored_at`` of the model, its ``model_version``, and ``through``: the newest end of a window."""
        last = F.max(F.struct("scored_at", "model_version")).alias("last")
        asked = [F.max("scored_at").alias("at"), last, F.max("window_end").alias("through")]
        near = _since(mine, "scored_at", self.scored_at)
        found = self._newest(mine, near, asked, self.scored_at)
        of_run = found["last"] or {"scored_at": None, "model_version": None}
        known = near is not None and _reached(found["at"], self.scored_at) and self.through is not None
        return {**of_run, "through": max(found["through"], self.through) if known else found["through"]}

    def _newest(
        self, rows: DataFrame, near: DataFrame | None, asked: list[Any], known: datetime | None = None
    ) -> dict[str, Any]:
        """The aggregates of the rows nearby, or of all where nothing as new as what is known is among those."""
        if near is not None:
            found = only_row(near.agg(*asked))
            if _reached(found["at"], known):
                return found
        return only_row(rows.agg(*asked))


def _reached(found: datetime | None, known: datetime | None) -> bool:
    return found is not None and (known is None or found >= known)


def _since(rows: DataFrame, column: str, known: datetime | None) -> DataFrame | None:
    return None if known is None else rows.where(F.col(column) >= F.lit(known))


def only_row(frame: DataFrame) -> dict[str, Any]:
    """The only row of an aggregate."""
    # one row, as the name says
    return frame.collect()[0].asDict(recursive=True)
