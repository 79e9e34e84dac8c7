"""About how similar the values of a column are to those of a column of another dataset."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from mirror.checks.columns import Columns
from mirror.checks.errors import ColumnTypeError
from mirror.checks.metrics.approx_distinct_count import ApproxDistinctCount
from mirror.health.case import HealthCase
from mirror.health.declaration import ContentCheck, OneOrMore
from mirror.health.errors import NotApplicableError
from mirror.health.finding import Finding
from mirror.health.judging import Judgement
from mirror.health.thresholds import PercentageBounds, Text


class ColumnRelation(ContentCheck):
    """Values that both columns hold over values that either holds, from two sketches; off by several percent.

    Foundry says "estimated similarity" and no more. Of the two usual readings this is the smaller number, so a lower
    bound fails sooner. For an exact answer write the expectation ``is_in_foreign_col``.
    """

    kind: ClassVar[str] = "columnRelation"
    api: ClassVar[bool] = False

    column_name: Text
    other_dataset: Text
    other_column_name: Text
    bounds: Annotated[tuple[PercentageBounds, ...], OneOrMore] = Field(min_length=1)

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.dataset, self.other_dataset)

    def metrics(self, columns: Columns) -> tuple[ApproxDistinctCount, ...]:
        # asked once for each of the two datasets
        wanted = self.column_name if columns.dataset == self.dataset else self.other_column_name
        return (ApproxDistinctCount(columns[wanted].name),)

    def evaluate(self, case: HealthCase) -> Finding:
        other = case.others[self.other_dataset]
        own, theirs = case.content, other.content
        field, foreign = own.columns[self.column_name], theirs.columns[self.other_column_name]
        if field.dataType != foreign.dataType:
            asked = f"{foreign.name} of {self.other_dataset}, a {foreign.dataType.simpleString()}"
            way_out = "compare columns of one type, or cast one."
            raise ColumnTypeError(self.dataset, field.name, field.dataType.simpleString(), asked, way_out)
        mine = ApproxDistinctCount(field.name)
        (left,), (right,) = own.states(mine), theirs.states(ApproxDistinctCount(foreign.name))
        here, there, either = mine.value(left), mine.value(right), mine.value(mine.merge(left, right))
        if not either:
            raise NotApplicableError(f"neither {field.name} nor {foreign.name} of {self.other_dataset} holds a value")
        both = max(0, min(here, there, here + there - either))
        percent = both / either * 100
        what = f"{self.column_name} like {self.other_column_name} of {self.other_dataset}"
        judgement = Judgement(what, self.reason, lambda value: f"{value:.3g} %")
        judgement.bounds(self.bounds, percent, percent)
        event = f"{case.subject.newest.rid} {other.newest.rid}"
        return judgement.finding(percent, event=event, measured={"here": here, "there": there, "both": both})
