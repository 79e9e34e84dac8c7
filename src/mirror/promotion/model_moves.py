"""The model releases that come along with a promotion: what is in force for the source, taken to the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mirror.models import Governance

if TYPE_CHECKING:
    from mirror.datasets import Workspace
    from mirror.models import Model


@dataclass(frozen=True)
class ModelMove:
    """One governed model whose version in the target's environment is not the one in the source's.

    ``before`` and ``after`` are semantic versions; ``before`` is ``None`` where nothing is in force yet.
    """

    model: str
    environment: str
    before: str | None
    after: str

    def __str__(self) -> str:
        return f"{self.model}: {self.before or 'none'} -> {self.after} in {self.environment}"


def model_moves(workspace: Workspace, source: str, target: str) -> tuple[ModelMove, ...]:
    """What would be released; nothing where both branches score with the same environment."""
    governance = Governance(workspace)
    moves = []
    for model in governance.registry.models():
        objective = governance.objectives.for_model(model.path)
        if objective is None:
            continue
        here, there = objective.environment_of(source), objective.environment_of(target)
        wanted = _version(governance, model, here)
        present = _version(governance, model, there)
        if here != there and wanted is not None and wanted != present:
            moves.append(ModelMove(model.path, there, present, wanted))
    return tuple(moves)


def release_models(
    workspace: Workspace, moves: Sequence[ModelMove], actor: str, approved_by: Sequence[str], reason: str
) -> None:
    """Releases them; one that is in force already stays so, which makes this safe to repeat.

    Raises:
        ReleaseRefusedError: a criterion, the card or the approvals of the model's objective say no.
    """
    governance = Governance(workspace)
    for move in moves:
        governance.release(
            move.model,
            to=move.environment,
            actor=actor,
            approved_by=approved_by,
            reason=reason,
            version=move.after,
        )


def restore_models(
    workspace: Workspace, moves: Sequence[ModelMove], actor: str, approved_by: Sequence[str], reason: str
) -> tuple[str, ...]:
    """Puts back what was in force before the moves; gives the models that had nothing to go back to."""
    governance = Governance(workspace)
    left = []
    for move in moves:
        model = governance.registry.model(move.model)
        if move.before is None:
            left.append(move.model)
        elif _version(governance, model, move.environment) != move.before:
            governance.rollback(
                move.model,
                environment=move.environment,
                actor=actor,
                approved_by=approved_by,
                reason=reason,
                version=move.before,
            )
    return tuple(left)


def _version(governance: Governance, model: Model, environment: str) -> str | None:
    release = governance.in_force(model, environment)
    return None if release is None else governance.registry.by_rid(release.version_rid)[1].semantic
