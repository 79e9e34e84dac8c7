"""What a trial showed: the candidate's scores of production windows beside those of the version in production.

Other criteria score rows for themselves; this one reads what a canary or a shadow run wrote, so it also sees what the
pipeline around the model makes of it. Judge again with ``mirror models evaluate`` when a trial went on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from mirror.models.criteria.base import Candidate, Criterion, Finding, only
from mirror.models.decisions import names_of
from mirror.models.records import Outcome
from mirror.models.scoring import CannotJudgeError, Sample, sample_rows, verdict
from mirror.models.trial_measures import MEASURES

if TYPE_CHECKING:
    from mirror.located import Located

ROWS = 500_000
_AFTER = "\uffff"  # sorts behind every run of a pair of versions


@dataclass(frozen=True)
class BesideProduction(Criterion):
    """One of :data:`~mirror.models.trial_measures.MEASURES` over the windows that both versions scored.

    Attributes:
        dataset: ``canary_comparison``; ``{fleet}`` and ``{model}`` as in :class:`~mirror.models.scoring.Sample`.
        measure: what is measured.
        max, min: the limit; exactly one of them.
        untried: the outcome while no window was scored by both: ``PASS`` (a trial is optional) or ``PENDING``.
        min_devices: in a smaller fleet, where one failing unit moves every mean, the outcome is that of ``untried``.
    """

    kind = "beside_production"
    dataset: str
    measure: str
    max: float | None = None
    min: float | None = None
    untried: Outcome = Outcome.PENDING
    min_devices: int = 0

    @classmethod
    def read(cls, item: Located, settings: Mapping[str, Located]) -> Self:
        known = ("dataset", "measure", "max", "min", "untried", "min_devices")
        only(item, settings, known, required=("dataset", "measure"))
        measure = settings["measure"].text("measure")
        if measure not in MEASURES:
            settings["measure"].wrong(f"nothing is measured as {measure!r}. Known: {', '.join(MEASURES)}.")
        limits = {name: settings[name].number(name) for name in ("max", "min") if name in settings}
        if len(limits) != 1:
            item.wrong("this kind of check needs either 'max' or 'min'.")
        untried = settings["untried"].text("untried") if "untried" in settings else "pending"
        if untried not in ("pass", "pending"):
            settings["untried"].wrong(f"untried is pass or pending, not {untried!r}.")
        least = settings["min_devices"].count("min_devices") if "min_devices" in settings else 0
        outcome = Outcome(untried.upper())
        return cls(settings["dataset"].text("dataset"), measure, **limits, untried=outcome, min_devices=least)

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
        if small := Sample(self.dataset, min_devices=self.min_devices).too_small(found):
            return Finding(self.untried, small)
        measure, text = MEASURES[self.measure]
        try:
            value = measure(found)
        except CannotJudgeError as error:
            return Finding(self.untried, str(error))
        at_most = self.max is not None
        limit = self.max if self.max is not None else self.min or 0.0
        told = f"{text} is {value:.3f} over {len(found)} windows of {found['device_id'].nunique()} devices"
        return verdict(value, limit, f"{told}, at {'most' if at_most else 'least'} {limit:g}", at_most=at_most)
