"""How many rows the dataset holds."""

from __future__ import annotations

from typing import Annotated, ClassVar

from mirror.checks.metrics.row_count import RowCount
from mirror.health.case import HealthCase
from mirror.health.declaration import Bounded, ContentCheck, OneOrMore
from mirror.health.finding import Finding
from mirror.health.judging import Judgement
from mirror.health.thresholds import CountBounds, ShareBounds


class RowCountCheck(ContentCheck, Bounded):
    """``relativeBounds`` are in percent of the last count that passed; the first count becomes that baseline."""

    kind: ClassVar[str] = "rowCount"
    api: ClassVar[bool] = False
    limits: ClassVar[tuple[str, ...]] = ("bounds", "relative_bounds", "median_deviation")

    bounds: Annotated[tuple[CountBounds, ...], OneOrMore] = ()
    relative_bounds: Annotated[tuple[ShareBounds, ...], OneOrMore] = ()

    def evaluate(self, case: HealthCase) -> Finding:
        event = case.subject.newest.rid
        rows = case.subject.view.rows
        if rows is None:
            # columns.fields() refuses raw files, whose rows nobody can count
            case.content.columns.fields()
            (rows,) = case.content.values(RowCount())
        judgement = Judgement("rows", self.reason)
        judgement.bounds(self.bounds, rows, rows)
        if self.relative_bounds:
            self._relative(judgement, rows, case.last_passing(event))
        judgement.deviation(self.median_deviation, self._earlier(case), rows, rows)
        return judgement.finding(rows, event=event)

    def _relative(self, judgement: Judgement, rows: int, baseline: float | None) -> None:
        if baseline is None:
            judgement.note("no count has passed before, so this one is the baseline", judged=True)
            return
        judgement.note(f"of the last count that passed, {baseline:,.0f}")
        # growth from nothing has no percentage: any row is more than every bound allows
        share = rows / baseline * 100 if baseline else 100.0 if rows == 0 else float("inf")
        relative = Judgement("", self.reason, lambda percent: f"{percent:.4g} %")
        relative.bounds(self.relative_bounds, share, share)
        judgement.absorb(relative)

    def _earlier(self, case: HealthCase) -> list[float]:
        """The counts after earlier commits, from the catalog: a new check need not wait for its own reports."""
        counts = [case.subject.view_at(one).rows for one in case.subject.before_newest(self.median_deviation)]
        return [float(count) for count in counts if count is not None]
