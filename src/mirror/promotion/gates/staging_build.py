"""The merged tree builds on a sample in a workspace of its own, with all checks on."""

from __future__ import annotations

from pathlib import Path

from mirror.promotion.gates import GateCase, GateSettings
from mirror.promotion.gates._command import gate_workspace, judge_command
from mirror.promotion.verdict import GateResult

SETTINGS = {"command": "command", "limit_seconds": "number"}


def workspace_of(case: GateCase) -> Path:
    """Where the build's workspace lies; gates after this one may read it."""
    return gate_workspace(case, "staging_build")


def judge(case: GateCase, settings: GateSettings) -> GateResult:
    fix = "Run it on the branch with a workspace of its own, mend the job or check it names, commit, promote again."
    return judge_command(case, settings, fix=fix)
