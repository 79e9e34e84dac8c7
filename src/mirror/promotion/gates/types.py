"""The repository's own type checker ends with 0 on the merged tree."""

from __future__ import annotations

from mirror.promotion.gates import GateCase, GateSettings
from mirror.promotion.gates._command import judge_command
from mirror.promotion.verdict import GateResult

SETTINGS = {"command": "command", "limit_seconds": "number"}


def judge(case: GateCase, settings: GateSettings) -> GateResult:
    fix = "Run it on the branch, mend the types it prints, commit, promote again."
    return judge_command(case, settings, fix=fix)
