"""The devices of a live canary do not alert far more often than the others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from mirror.models.criteria.base import Candidate, Criterion, Finding, only
from mirror.models.decisions import names_of
from mirror.models.records import CANARY_LIVE, ModelVersion, Outcome
from mirror.models.scoring import CannotJudgeError, Sample, sample_rows, verdict

if TYPE_CHECKING:
    import pandas as pd

    from mirror.located import Located

ROWS = 500_000


@dataclass(frozen=True)
class CanaryAlerts(Criterion):
    """Alerts per device of those that the candidate serves, over that of those that the champion serves.

    Attributes:
        scores: ``model_scores``, which tells whose device is whose; ``{fleet}`` as in
            :class:`~mirror.models.scoring.Sample`.
        alerts: ``device_alerts``; what is suppressed or resolves an alert does not count.
        max: the largest quotient.
        least: fewer alerts of the canary's devices are not judged: a single one may be the first in either group.
    """

    kind = "canary_alerts"
    scores: str
    alerts: str
    max: float
    least: int = 5

    @classmethod
    def read(cls, item: Located, settings: Mapping[str, Located]) -> Self:
        names = ("scores", "alerts", "max")
        only(item, settings, (*names, "least"), required=names)
        least = settings["least"].count("least") if "least" in settings else 5
        scores, alerts = settings["scores"].text("scores"), settings["alerts"].text("alerts")
        return cls(scores, alerts, settings["max"].number("max"), least)

    def judge(self, candidate: Candidate) -> Finding:
        if candidate.trial is None or candidate.trial.role != CANARY_LIVE or candidate.champion is None:
            return Finding(Outcome.PASS, "no live canary serves devices with it")
        try:
            mine = self._scored(candidate, candidate.version)
            begin, end = mine["window_end"].min(), mine["window_end"].max()
            theirs = self._scored(candidate, candidate.champion, (("window_end", begin, end),))
        except CannotJudgeError as error:
            return Finding(Outcome.PASS, f"nothing to compare yet: {error}")
        try:
            told = sample_rows(candidate, Sample(self.alerts).path(candidate), ROWS, (("window_end", begin, end),))
        except CannotJudgeError:
            return Finding(Outcome.PASS, "no device has alerted since it serves some")
        # both versions scored a device that changed sides; it is the candidate's
        canary = set(mine["device_id"])
        control = set(theirs["device_id"]) - canary
        raised = told[~told["suppressed"] & (told["alert_type"] != "ANOMALY_RESOLVED")]["device_id"]
        counts = [int(raised.isin(group).sum()) for group in (canary, control)]
        text = f"{counts[0]} alerts of {len(canary)} devices beside {counts[1]} of {len(control)}"
        if counts[0] < self.least or not control:
            return Finding(Outcome.PASS, f"{text}, {self.least} are needed to judge")
        rates = (counts[0] / len(canary), counts[1] / len(control))
        quotient = rates[0] / rates[1] if rates[1] else math.inf
        return verdict(quotient, self.max, f"{text}: {quotient:.2f} times as many per device, at most {self.max:g}")

    def _scored(self, candidate: Candidate, version: ModelVersion, where: tuple[Any, ...] = ()) -> pd.DataFrame:
        """Rows of ``model_scores`` by a version. Raises CannotJudgeError when there are none."""
        name, number = names_of(candidate.model, version)
        own = (("model_id", name, name), ("model_version", number, number))
        return sample_rows(candidate, Sample(self.scores).path(candidate), ROWS, (*own, *where))
