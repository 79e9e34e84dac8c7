"""The conda recipe and the lock file of the merged tree pin the same exact versions."""

from __future__ import annotations

from mirror.promotion.gates import GateCase, GateSettings
from mirror.promotion.gates._review_line import judge_line
from mirror.promotion.verdict import GateResult

SETTINGS: dict[str, str] = {}


def judge(case: GateCase, settings: GateSettings) -> GateResult:
    return judge_line(case, settings, "recipe_and_lock")
