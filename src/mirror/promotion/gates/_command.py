"""How a gate that is a command of the policy is judged."""

from __future__ import annotations

import shlex
from pathlib import Path

from mirror.promotion.commands import run_command
from mirror.promotion.gates import GateCase, GateSettings
from mirror.promotion.verdict import GateResult, Outcome


def gate_workspace(case: GateCase, name: str) -> Path:
    """The fresh workspace that a command gets as ``{workspace}``."""
    return case.scratch / f"{name}-workspace"


def judge_command(case: GateCase, settings: GateSettings, fix: str) -> GateResult:
    """PASS on exit 0, FAIL on another code or at the time limit, ERROR when the command cannot start."""
    ended = run_command(
        settings.texts("command"),
        tree=case.tree,
        values={
            "workspace": str(gate_workspace(case, settings.gate)),
            "source": case.plan.source,
            "target": case.plan.target,
            "fallbacks": ",".join(case.plan.step.fallbacks),
        },
        python_path=case.python_path,
        limit_seconds=settings.number("limit_seconds"),
        clock=case.clock,
    )
    # The temporary folders differ from run to run; the evidence may not.
    shown = shlex.join(settings.texts("command"))
    evidence = tuple(
        line.replace(str(case.tree), "{tree}").replace(str(case.scratch), "{scratch}") for line in ended.tail
    )
    if ended.code == 0:
        return GateResult(settings.gate, Outcome.PASS, f"`{shown}` ended with 0.", evidence)
    if ended.code is not None:
        return GateResult(settings.gate, Outcome.FAIL, f"`{shown}` ended with {ended.code}.", evidence, fix)
    if ended.output or "limit" in ended.problem:
        fix = "Make it faster, or raise limit_seconds in the policy with a reason."
        return GateResult(settings.gate, Outcome.FAIL, f"`{shown}` {ended.problem}.", evidence, fix)
    fix = "Install the program, or correct the command in the policy."
    return GateResult(settings.gate, Outcome.ERROR, f"{ended.problem}.", (), fix)
