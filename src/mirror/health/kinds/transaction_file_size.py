"""How many bytes the newest transaction brought."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import model_validator

from mirror.health.case import HealthCase
from mirror.health.declaration import DatasetCheck, Deviating, OneOrMore, some_part
from mirror.health.finding import Finding
from mirror.health.judging import Judgement
from mirror.health.thresholds import SizeBounds


class TransactionFileSize(DatasetCheck, Deviating):
    """The files of the transaction together; log files do not count."""

    kind: ClassVar[str] = "transactionFileSize"
    api: ClassVar[bool] = False

    bounds: Annotated[tuple[SizeBounds, ...], OneOrMore] = ()

    @model_validator(mode="after")
    def _limited(self) -> TransactionFileSize:
        some_part(self, "bounds", "median_deviation")
        return self

    def evaluate(self, case: HealthCase) -> Finding:
        subject = case.subject
        size = sum(file.size for file in subject.files_of(subject.newest))
        judgement = Judgement("size of the newest transaction", self.reason, in_bytes)
        judgement.bounds(self.bounds, size, size)
        if self.median_deviation is not None:
            past = [one for one, _, _ in subject.committed[:-1]][-self.median_deviation.data_points :]
            earlier = [float(sum(file.size for file in subject.files_of(one))) for one in past]
            judgement.deviation(self.median_deviation, earlier, size, size)
        return judgement.finding(size, event=subject.newest.rid)


def in_bytes(size: float) -> str:
    """In the largest unit that fits, of 1,024 each."""
    for unit, factor in (("MB", 1024 * 1024), ("KB", 1024)):
        if abs(size) >= factor:
            return f"{size / factor:,.4g} {unit}"
    return f"{size:,.4g} B"
