"""The repository's own test command ends with 0 on the merged tree, within its time limit."""

from __future__ import annotations

from mirror.promotion.gates import GateCase, GateSettings
from mirror.promotion.gates._command import judge_command
from mirror.promotion.verdict import GateResult

SETTINGS = {"command": "command", "limit_seconds": "number"}


def judge(case: GateCase, settings: GateSettings) -> GateResult:
    return judge_command(case, settings, fix="Run it on the branch, mend the failing tests, commit, promote again.")
