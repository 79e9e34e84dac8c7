"""Every model version that comes along, or scores what changes, passed the criteria of its objective."""

from __future__ import annotations

from collections.abc import Iterator

from mirror.datasets import Workspace
from mirror.datasets.errors import WorkspaceNotFoundError
from mirror.errors import MirrorError
from mirror.models import Governance, Model, ModelVersion
from mirror.promotion.gates import GateCase, GateSettings
from mirror.promotion.verdict import GateResult, Outcome

SETTINGS: dict[str, str] = {}
OPTIONAL = {"required": "texts"}


def judge(case: GateCase, settings: GateSettings) -> GateResult:
    """``required``: checks of the objective that must pass even where the objective lets a person decide."""
    try:
        opened = Workspace.open(case.workspace, clock=case.clock)
    except WorkspaceNotFoundError as error:
        fix = "Name the workspace that builds the source: --workspace."
        return GateResult(settings.gate, Outcome.ERROR, f"no version can be judged: {error}", (), fix)
    with opened as workspace:
        governance = Governance(workspace)
        candidates = list(_candidates(case, governance))
        if not candidates:
            why = "no governed model has a version that this step would put to use."
            return GateResult(settings.gate, Outcome.NOT_APPLICABLE, why)
        evidence: list[str] = []
        gaps: list[str] = []
        for model, version, environment in candidates:
            lines, missing = _verdicts(governance, model, version, environment, settings.texts("required"))
            evidence += lines
            gaps += missing
    shown = ", ".join(f"{model.path} {version.semantic}" for model, version, _ in candidates)
    if gaps:
        fix = (
            f"`mirror models evaluate {candidates[0][0].name}` judges it again; release another version, or train anew."
        )
        return GateResult(settings.gate, Outcome.FAIL, f"{shown}: {'; '.join(gaps)}.", tuple(evidence), fix)
    return GateResult(settings.gate, Outcome.PASS, f"{shown}: every criterion holds.", tuple(evidence))


def _candidates(case: GateCase, governance: Governance) -> Iterator[tuple[Model, ModelVersion, str]]:
    """Model, version and environment: what would be released, and what the target's changed jobs would score with."""
    moves = {move.model: move for move in case.plan.models}
    affected = set(case.plan.jobs.affected)
    read = {
        governance.registry.canonical(str(param.alias))
        for spec in case.plan.declared.specs
        if affected.intersection(spec.output_paths)
        for param in spec.resources("input")
        if param.kind == "model_input"
    }
    for model in governance.registry.models():
        objective = governance.objectives.for_model(model.path)
        if objective is None:
            continue
        environment = objective.environment_of(case.plan.target)
        if (move := moves.get(model.path)) is not None:
            yield model, governance.registry.version(model, move.after), move.environment
        elif model.path in read and (release := governance.in_force(model, environment)) is not None:
            yield model, governance.registry.by_rid(release.version_rid)[1], environment


def _verdicts(
    governance: Governance, model: Model, version: ModelVersion, environment: str, required: tuple[str, ...]
) -> tuple[list[str], list[str]]:
    """One line per verdict, and what keeps the version out."""
    try:
        governance.registry.verify(model, version)
        submission, _ = governance.submitted(governance.governed(model.path), version.semantic)
    except MirrorError as error:
        return [], [str(error).rstrip(".")]
    verdicts = governance.verdicts(submission)
    lines = [f"{model.path} {version.semantic}: {v.outcome.value} {v.name}: {v.detail}" for v in verdicts]
    known = {v.name for v in verdicts}
    gaps = [f"{name!r} was never judged" for name in required if name not in known]
    gaps += [
        f"{v.name} is {v.outcome.value}: {v.detail}"
        for v in verdicts
        if v.outcome.value != "PASS" and (environment in v.blocks or v.name in required)
    ]
    return lines, gaps
