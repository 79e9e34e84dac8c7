"""No check that only warns began to fail, unless somebody knows of it: the staging build against the target.

Warnings stop no build, so a new one is seen here or by nobody. Compared are the newest verdicts of the checks that only
warn: of the workspace that ``staging_build`` made, where that gate stands before this one, else of the source's branch.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mirror.builds.journal import check_history, latest_of
from mirror.datasets import Workspace
from mirror.datasets.errors import WorkspaceNotFoundError
from mirror.promotion.data_moves import heads_of
from mirror.promotion.gates import GateCase, GateSettings
from mirror.promotion.gates.staging_build import workspace_of
from mirror.promotion.verdict import GateResult, Outcome

SETTINGS: dict[str, str] = {}
OPTIONAL = {"known": "lists"}


def judge(case: GateCase, settings: GateSettings) -> GateResult:
    """``known``: name of a check -> who knows, and under which ticket; such a check may warn anew."""
    try:
        before = _warnings(case.workspace, case, case.plan.target)
    except WorkspaceNotFoundError as error:
        fix = "Name the workspace that holds the target's data: --workspace."
        return GateResult(settings.gate, Outcome.ERROR, f"nothing can be compared: {error}", (), fix)
    built = workspace_of(case)
    if (built / "config.toml").is_file():
        where, after = "the staging build", _warnings(built, case, None)
    else:
        where, after = f"branch {case.plan.source!r}", _warnings(case.workspace, case, case.plan.source)
    if after is None:
        return GateResult(settings.gate, Outcome.NOT_APPLICABLE, f"{where} has judged no check that only warns.")
    told = {key: detail for key, detail in after.items() if detail is not None}
    evidence = tuple(f"{dataset}: {name}: {detail}" for (dataset, name), detail in told.items())
    if before is None:
        why = f"{case.plan.target!r} has no verdicts yet to compare with; {len(told)} checks warn in {where}."
        return GateResult(settings.gate, Outcome.NOT_APPLICABLE, why, evidence)
    known = settings.lists("known")
    new = [key for key in told if before.get(key) is None and key[1] not in known]
    counted = f"{len(after)} checks that only warn, {len(told)} do in {where}"
    if new:
        names = ", ".join(f"{name!r} of {dataset}" for dataset, name in new)
        fix = "Mend the data or the check; or open a ticket and name it: `known` of this gate, or an override."
        return GateResult(settings.gate, Outcome.FAIL, f"{counted}; new: {names}.", evidence, fix)
    return GateResult(settings.gate, Outcome.PASS, f"{counted}, none of them new.", evidence)


def _warnings(path: Path, case: GateCase, branch: str | None) -> Mapping[tuple[str, str], str | None] | None:
    """Dataset and name -> what a check that only warns said, ``None`` where it held; ``None`` where none was judged.

    A result that the branch took over was judged on the branch that computed it.
    """
    with Workspace.open(path, clock=case.clock) as workspace:
        recorded: list[dict[str, Any]] = list(check_history(workspace))
        if branch is not None:
            shown = {head for head in heads_of(workspace, branch).values() if head is not None}
            recorded = [one for one in recorded if one["transaction"] in shown]
    found = {
        (one["dataset"], one["name"]): None if one["outcome"] == "PASS" else str(one["result"].get("detail", ""))
        for one in latest_of({**one, "superseded": False} if branch else one for one in recorded)
        if one["on_error"] == "WARN"
    }
    return found or None
