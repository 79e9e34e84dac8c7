"""Every hand-over that production needs lies in the merged tree; a missing one names the role that owes it."""

from __future__ import annotations

from mirror.promotion.gates import GateCase, GateSettings
from mirror.promotion.gates._review_line import judge_line
from mirror.promotion.verdict import GateResult

SETTINGS: dict[str, str] = {}


def judge(case: GateCase, settings: GateSettings) -> GateResult:
    return judge_line(case, settings, "hand_overs")
