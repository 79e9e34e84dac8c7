"""The pipeline runs in Foundry as it is: only provided imports, no clock, no environment, nothing evaluated."""

from __future__ import annotations

from mirror.porting.check import check_guest
from mirror.promotion.review import Answer, ReviewCase, Verdict
from mirror.promotion.review._wording import some


def examine(case: ReviewCase) -> Answer:
    findings, looked_at = check_guest(case.repository)
    link = "mirror port --check"
    if findings:
        places = [f"{finding.file}:{finding.line} ({finding.rule})" for finding in findings]
        return Answer(Verdict.NOT_MET, f"{len(findings)} findings: {some(places)}", link, "Each finding names its fix.")
    return Answer(Verdict.MET, f"no finding in {looked_at} files", link)
