"""What a trial showed: the candidate's scores of production windows beside those of the version in production.

Other criteria score rows for themselves; this one reads what a canary or a shadow run wrote, so it also sees what the
pipeline around the model makes of it. Judge again with ``mirror models evaluate`` when a trial went on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from mirror.models.criteria.base import Candidate, Criterion, Finding, only
from mirror.models.criteria.score_divergence import divergence
from mirror.models.criteria.top_overlap import top
from mirror.models.decisions import names_of
from mirror.models.records import Outcome
from mirror.models.scoring import CannotJudgeError, Sample, sample_rows, verdict

if TYPE_CHECKING:
    import pandas as pd

    from mirror.located import Located

ROWS = 500_000
TOP_SHARE = 0.05
_AFTER = "\uffff"  # sorts behind every run of a pair of versions


def _divergence(rows: pd.DataFrame) -> float:
    return divergence(rows["candidate_score"].to_numpy("float64"), rows["champion_score"].to_numpy("float64"))


def _flagged_points(rows: pd.DataFrame) -> float:
    return 100.0 * abs(float(rows["candidate_flag"].mean()) - float(rows["champion_flag"].mean()))


def _mean_difference(rows: pd.DataFrame) -> float:
    return float((rows["candidate_score"] - rows["champion_score"]).abs().mean())


def _top_overlap(rows: pd.DataFrame) -> float:
    mine, theirs = (top(rows, f"{who}_score", TOP_SHARE, most=len(rows)) for who in ("candidate", "champion"))
    return len(mine & theirs) / len(theirs)


def _daily_spread(rows: pd.DataFrame) -> float:
    days = rows.groupby(rows["window_end"].dt.floor("D"))["candidate_score"].mean()
    if len(days) < 2:
        raise CannotJudgeError("the trial has not lasted two days")
    return float(days.std(ddof=0))


def _flag_agreement(rows: pd.DataFrame) -> float:
    return float((rows["candidate_flag"] == rows["champion_flag"]).mean())


def _flagged_in_common(rows: pd.DataFrame) -> float:
    either = int((rows["candidate_flag"] | rows["champion_flag"]).sum())
    return int((rows["candidate_flag"] & rows["champion_flag"]).sum()) / either if either else 1.0


MEASURES: dict[str, tuple[Callable[[pd.DataFrame], float], str]] = {
    "divergence": (_divergence, "KL divergence of scores"),
    "flagged_points": (_flagged_points, "points between the flagged shares"),
    "mean_difference": (_mean_difference, "mean absolute difference of scores"),
    "top_overlap": (_top_overlap, "overlap of the top 5 percent of devices"),
    "daily_spread": (_daily_spread, "standard deviation of the daily mean score"),
    "flag_agreement": (_flag_agreement, "share of windows that both flag or neither"),
    "flagged_in_common": (_flagged_in_common, "share of the windows flagged by either that both flag"),
}


@dataclass(frozen=True)
class BesideProduction(Criterion):
    """One of :data:`MEASURES` over the windows that both versions scored.

    Attributes:
        dataset: ``canary_comparison``; ``{fleet}`` and ``{model}`` as in :class:`~mirror.models.scoring.Sample`.
        measure: what is measured.
        max, min: the limit; exactly one of them.
        untried: the outcome while no window was scored by both: ``PASS`` (a trial is optional) or ``PENDING``.
    """

    kind = "beside_production"
    dataset: str
    measure: str
    max: float | None = None
    min: float | None = None
    untried: Outcome = Outcome.PENDING

    @classmethod
    def read(cls, item: Located, settings: Mapping[str, Located]) -> Self:
        only(item, settings, ("dataset", "measure", "max", "min", "untried"), required=("dataset", "measure"))
        measure = settings["measure"].text("measure")
        if measure not in MEASURES:
            settings["measure"].wrong(f"nothing is measured as {measure!r}. Known: {', '.join(MEASURES)}.")
        limits = {name: settings[name].number(name) for name in ("max", "min") if name in settings}
        if len(limits) != 1:
            item.wrong("this kind of check needs either 'max' or 'min'.")
        untried = settings["untried"].text("untried") if "untried" in settings else "pending"
        if untried not in ("pass", "pending"):
            settings["untried"].wrong(f"untried is pass or pending, not {untried!r}.")
        return cls(settings["dataset"].text("dataset"), measure, **limits, untried=Outcome(untried.upper()))

    def judge(self, candidate: Candidate) -> Finding:
        """The verdict over every run of the two versions, at most about :data:`ROWS` windows."""
        if candidate.champion is None:
            return Finding(Outcome.PASS, "there is no version in production to compare with")
        pair = [" ".join(names_of(candidate.model, one)) for one in (candidate.version, candidate.champion)]
        runs = f"{pair[0]} vs {pair[1]} "
        try:
            found = sample_rows(
                candidate, Sample(self.dataset).path(candidate), ROWS, (("comparison_id", runs, runs + _AFTER),)
            )
        except CannotJudgeError:
            return Finding(self.untried, f"no window was scored by both {pair[0]} and {pair[1]} yet")
        measure, text = MEASURES[self.measure]
        try:
            value = measure(found)
        except CannotJudgeError as error:
            return Finding(self.untried, str(error))
        at_most = self.max is not None
        limit = self.max if self.max is not None else self.min or 0.0
        told = f"{text} is {value:.3f} over {len(found)} windows of {found['device_id'].nunique()} devices"
        return verdict(value, limit, f"{told}, at {'most' if at_most else 'least'} {limit:g}", at_most=at_most)
