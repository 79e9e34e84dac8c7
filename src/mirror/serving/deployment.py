"""Which model a server answers for: an objective's model in one environment, under a stable identifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from mirror.datasets.ids import stable_uuid
from mirror.models import Governance, Model
from mirror.serving.errors import DeploymentChoiceError


@dataclass(frozen=True)
class Deployment:
    """A live deployment: bound to an environment, never to a version."""

    rid: str
    objective: str
    objective_rid: str
    model: Model
    environment: str

    @classmethod
    def choose(cls, governance: Governance, name: str | None, environment: str) -> Self:
        """The deployment of a model's path, RID, unique end of a path, or objective; of the only governed model by
        default.

        Raises ModelNotFoundError, AmbiguousModelError, NotGovernedError, DeploymentChoiceError.
        """
        if name is None:
            objectives = governance.objectives
            paths = [m.path for m in governance.registry.models() if objectives.for_model(m.path) is not None]
            if len(paths) != 1:
                raise DeploymentChoiceError(tuple(paths), objectives.file)
            name = paths[0]
        governed = governance.governed(name)
        objective = governed.objective.name
        key = stable_uuid("live-deployment", objective, governed.model.rid, environment)
        return cls(
            rid=f"ri.foundry-ml-live.main.live-deployment.{key}",
            objective=objective,
            objective_rid=f"ri.models.main.objective.{stable_uuid('objective', objective)}",
            model=governed.model,
            environment=environment,
        )
