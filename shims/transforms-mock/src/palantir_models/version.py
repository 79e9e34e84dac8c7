"""An adapter that came from a published version, and how it is loaded."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from palantir_models.errors import ExperimentError, ModelStateError, nearest
from palantir_models.state import ModelStateReader

if TYPE_CHECKING:
    from palantir_models.adapter import ModelAdapter
    from palantir_models.evaluations.evaluation import Evaluation
    from palantir_models.ports import AdapterReference, ModelReadPort


@dataclass
class LoadedVersion:
    """Which version an adapter is, and the evaluation of it inside one transform.

    Attributes:
        evaluation_set: named by ``@pm.transforms.evaluation``, or ``None`` outside such a transform.
    """

    rid: str
    model_rid: str
    branch: str
    evaluation_set: str | None = None
    port: ModelReadPort | None = field(default=None, repr=False)
    evaluation: Evaluation | None = field(default=None, repr=False)

    def create_evaluation(self, name: str | None = None) -> Evaluation:
        """The one evaluation of this version in this transform.

        Raises:
            ExperimentError: the transform carries no ``@pm.transforms.evaluation``, or the adapter runs in a Spark
            worker.
        """
        from palantir_models.evaluations.evaluation import Evaluation

        if self.evaluation_set is None or self.port is None:
            raise ExperimentError(
                "create_evaluation", "works only in the transform itself, decorated as an evaluation.",
                'Put @pm.transforms.evaluation("set name") above its @transform decorator.',
            )  # fmt: skip
        if self.evaluation is None:
            self.evaluation = Evaluation(
                name=name or self.evaluation_set, evaluation_set=self.evaluation_set, model_version_rid=self.rid
            )
            self.port.attach_evaluation(self.evaluation.to_json)
        return self.evaluation

    def __getstate__(self) -> dict[str, Any]:
        # a port may hold a database handle, and an evaluation belongs to the driver
        return {**self.__dict__, "port": None, "evaluation": None}


def adapter_class(reference: AdapterReference) -> type[ModelAdapter]:
    """The class a version was published with, imported now.

    Raises:
        ModelStateError: the module or the class is gone; the nearest class of that module is named.
    """
    from palantir_models.adapter import ModelAdapter

    try:
        found: Any = importlib.import_module(reference.module)
    except ImportError as error:
        raise ModelStateError(
            str(reference), f"the adapter's module cannot be imported: {error}.",
            "Adapter and training code live in different modules; is its source folder on the path?",
        ) from error  # fmt: skip
    module = found
    for part in reference.qualname.split("."):
        if not hasattr(found, part):
            classes = [n for n, v in vars(module).items() if isinstance(v, type)]
            raise ModelStateError(
                str(reference),
                "the adapter class is gone.",
                f"A version keeps module and name.{nearest(part, classes)}",
            )
        found = getattr(found, part)
    if not (isinstance(found, type) and issubclass(found, ModelAdapter)):
        raise ModelStateError(str(reference), "is no ModelAdapter.", "Publish the model again.")
    return found


def load_state(
    cls: type[ModelAdapter], reader: ModelStateReader, contexts: dict[str, Any] | None = None
) -> ModelAdapter:
    """Calls the author's ``load`` with those of its optional arguments it takes."""
    parameters = inspect.signature(cls.load).parameters
    wide = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    given = {"container_context": None, "external_model_context": None, **(contexts or {})}
    extra = {n: v for n, v in given.items() if wide or n in parameters}
    adapter = cls.load(reader, **extra)
    if not isinstance(adapter, cls):
        raise ModelStateError(
            f"{cls.__name__}.load", f"returned {type(adapter).__name__}.", "Return an instance of the adapter."
        )
    return adapter


def load_version(
    port: ModelReadPort, evaluation_set: str | None = None, contexts: dict[str, Any] | None = None
) -> ModelAdapter:
    """The adapter of one version, ready for inference: its files verified by the port, then its ``load`` called."""
    adapter = load_state(adapter_class(port.adapter), ModelStateReader(port.state_directory()), contexts)
    version = LoadedVersion(port.model_version_rid, port.model_rid, port.branch, evaluation_set, port)
    object.__setattr__(adapter, "_version", version)  # an adapter may be a frozen dataclass
    return adapter
