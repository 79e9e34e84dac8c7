"""How many bytes the newest transaction brought."""

from __future__ import annotations

from typing import Annotated, ClassVar

from mirror.health.case import HealthCase
from mirror.health.declaration import Bounded, DatasetCheck, OneOrMore
from mirror.health.finding import Finding
from mirror.health.judging import Judgement
from mirror.health.thresholds import SizeBounds


class TransactionFileSize(DatasetCheck, Bounded):
    """The files of the transaction together; log files do not count."""

    kind: ClassVar[str] = "transactionFileSize"
    api: ClassVar[bool] = False

    bounds: Annotated[tuple[SizeBounds, ...], OneOrMore] = ()

    def evaluate(self, case: HealthCase) -> Finding:
        subject = case.subject
        size = sum(file.size for file in subject.files_of(subject.newest))
        judgement = Judgement("size of the newest transaction", self.reason, in_bytes)
        judgement.bounds(self.bounds, size, size)
        past = subject.before_newest(self.median_deviation)
        earlier = [float(sum(file.size for file in subject.files_of(one))) for one in past]
        judgement.deviation(self.median_deviation, earlier, size, size)
        return judgement.finding(size, event=subject.newest.rid)


def in_bytes(size: float) -> str:
    """In the largest unit that fits, of 1,024 each."""
    for unit, factor in (("MB", 1024 * 1024), ("KB", 1024)):
        if abs(size) >= factor:
            return f"{size / factor:,.4g} {unit}"
    return f"{size:,.4g} B"
