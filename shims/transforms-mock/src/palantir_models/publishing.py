"""The runtime object of a model output: publishes adapters as versions of one model."""

from __future__ import annotations

import re
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palantir_models.adapter import ModelAdapter
from palantir_models.declarations.resolve import declared_api
from palantir_models.errors import PublishError
from palantir_models.ports import AdapterReference, PublishedState
from palantir_models.state import ModelStateReader, ModelStateWriter
from palantir_models.version import load_state
from transforms._names import Named

if TYPE_CHECKING:
    from palantir_models.experiments import ErrorHandlerType, Experiment
    from palantir_models.ports import ModelWritePort


class ModelVersionChangeType(StrEnum):
    """How an author rates a new version. Foundry ignores it; here it is recorded and shown."""

    MAJOR = "MAJOR"
    MINOR = "MINOR"
    PATCH = "PATCH"


class WritableModel(Named):
    """What a compute function receives for a ``ModelOutput``."""

    def __init__(self, port: ModelWritePort) -> None:
        self._port, self._label = port, "ModelOutput"
        self._experiments: set[str] = set()

    @property
    def rid(self) -> str:
        """The rid of the model."""
        return self._port.model_rid

    @property
    def path(self) -> str:
        """The path of the model."""
        return self._port.model_path

    @property
    def branch(self) -> str:
        """The branch its versions are published on."""
        return self._port.branch

    def publish(
        self,
        model_adapter: ModelAdapter,
        experiment: Experiment | None = None,
        change_type: ModelVersionChangeType | str | None = None,
        **unknown: Any,
    ) -> str:
        """Stores the adapter as a new version on this branch and returns the version's rid.

        The stored state is loaded back once before it counts, so a version that cannot be loaded is never published.
        Nothing is visible to others before the job commits.

        Raises:
            PublishError: not an adapter, an adapter class defined in a script or function, or a state that cannot be
            stored.
        """
        if unknown:
            raise PublishError(
                "publish",
                f"has no argument {sorted(unknown)[0]!r}.",
                "It takes model_adapter, experiment, change_type.",
            )
        if experiment is not None and not callable(getattr(experiment, "to_json", None)):
            raise PublishError(
                "publish", f"was given {experiment!r} for an experiment.", "Make one with create_experiment(name)."
            )
        if change_type is not None and change_type not in tuple(ModelVersionChangeType):
            known = ", ".join(ModelVersionChangeType)
            raise PublishError("publish", f"has no change_type {change_type!r}.", f"It is one of {known}.")
        if not isinstance(model_adapter, ModelAdapter):
            raise PublishError(
                "publish", f"was given {type(model_adapter).__name__}.",
                "Wrap the trained model in your adapter: publish(MyAdapter(model)).",
            )  # fmt: skip
        cls = type(model_adapter)
        if cls.__module__ == "__main__" or "<locals>" in cls.__qualname__:
            raise PublishError(
                cls.__qualname__, "is defined in a script, a cell or a function, where no later run finds it.",
                "Move the adapter to its own module.",
            )  # fmt: skip
        api = declared_api(model_adapter)
        with tempfile.TemporaryDirectory(prefix="model-state-") as folder:
            model_adapter.save(ModelStateWriter(folder))
            load_state(cls, ModelStateReader(folder))
            return self._port.publish(
                PublishedState(
                    adapter=AdapterReference(cls.__module__, cls.__qualname__),
                    state=Path(folder),
                    api=api.wire(),
                    change_type=ModelVersionChangeType(change_type).value if change_type is not None else None,
                    experiment=experiment.to_json() if experiment is not None else None,
                    metadata={**described(cls), **model_adapter.version_metadata()},
                )
            )

    def create_experiment(self, name: str, error_handler_type: ErrorHandlerType | None = None) -> Experiment:
        """A new experiment; a name already used in this job gets a number. Visible once attached to a published
        version.
        """
        from palantir_models.experiments import Experiment

        experiment = Experiment(self._unique(name), error_handler_type)
        self._experiments.add(experiment.name)
        return experiment

    def _unique(self, name: str) -> str:
        if name not in self._experiments:
            return name
        return next(
            f"{name}-{n}" for n in range(2, len(self._experiments) + 3) if f"{name}-{n}" not in self._experiments
        )


def described(cls: type) -> dict[str, str]:
    """``:display-name:`` and ``:description:`` of an adapter's docstring, where it has them."""
    found = re.findall(r":(display-name|description):\s*((?:(?!\n\s*(?::|\n)).)*)", cls.__doc__ or "", re.DOTALL)
    return {name.replace("-", "_"): " ".join(text.split()) for name, text in found}
