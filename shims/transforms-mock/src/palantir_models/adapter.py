"""The base class of every model adapter: what an author writes, and what the library adds."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from palantir_models.declarations.resolve import declared_api
from palantir_models.errors import DeclarationError, ExperimentError
from palantir_models.inputs import bind_arguments
from palantir_models.results import InferenceResults, OutputWriter, single_result
from palantir_models.serialization import load_arguments, plain_arguments, save_arguments

if TYPE_CHECKING:
    from palantir_models.state import ModelStateReader, ModelStateWriter
    from palantir_models.version import LoadedVersion


class ModelAdapter:
    """Wraps a trained model behind a declared interface.

    An author writes ``api`` and either ``predict`` (exactly one tabular or parameter output) or ``run_inference``
    (several outputs), and either decorates ``__init__`` with :func:`~palantir_models.auto_serialize` or writes
    ``save`` and ``load``.
    """

    _version: LoadedVersion | None = None

    @classmethod
    def api(cls) -> Any:
        """The declared inputs and outputs: two dicts of name to type, or a ``ModelApi``."""
        raise NotImplementedError(
            f"{cls.__name__} declares no api(): return (inputs, outputs), two dicts of name to type."
        )

    @classmethod
    def load(
        cls, state_reader: ModelStateReader, container_context: Any = None, external_model_context: Any = None
    ) -> ModelAdapter:
        """Rebuilds the adapter from the files of a version. The default rebuilds an auto-serialized constructor."""
        return cls(**load_arguments(cls, state_reader))

    def save(self, state_writer: ModelStateWriter) -> None:
        """Stores what ``load`` needs. The default stores the constructor arguments of an auto-serialized class."""
        save_arguments(self, state_writer)

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        """Inference for exactly one output; takes one argument per declared input, matched by name."""
        raise NotImplementedError(f"{type(self).__name__} has neither predict nor run_inference.")

    def run_inference(self, inputs: Any, outputs: Any) -> None:
        """Inference for any number of outputs: both arguments are named tuples, each output has ``write(value)``."""
        raise NotImplementedError(f"{type(self).__name__} has neither predict nor run_inference.")

    def version_metadata(self) -> Mapping[str, Any]:
        """Facts recorded beside the published version (feature names, threshold, seed, ...), JSON types only.

        By default what the constructor stores as JSON or YAML: a mapping by its keys, anything else under the
        argument's name. A local addition; an adapter that overrides it runs in Foundry unchanged.
        """
        return plain_arguments(self)

    def transform(self, *args: Any, **kwargs: Any) -> InferenceResults:
        """Binds and converts the arguments, runs the adapter, and returns its outputs by name.

        Positional arguments follow the declared order of inputs. Raises ``InferenceInputError`` before the adapter's
        code runs, ``InferenceOutputError`` after it when an output is not as declared.
        """
        api = declared_api(self)
        name = type(self).__name__
        bound = bind_arguments(api, args, kwargs, name)
        if overrides(self, "predict"):
            return InferenceResults(single_result(api, self.predict(**predict_arguments(self, bound)), name), name)
        if not overrides(self, "run_inference"):
            raise NotImplementedError(f"{name} has neither predict nor run_inference.")
        writers = {f.name: OutputWriter(f, name) for f in api.outputs}
        self.run_inference(api.named("inputs", bound), api.named("outputs", writers))
        return InferenceResults({n: w.result() for n, w in writers.items()}, name)

    def transform_write(self, *args: Any, **kwargs: Any) -> None:
        """Runs the adapter on dataset handles and writes every output into its handle.

        Inputs come first, in declared order, then one handle per output; or all by name.
        """
        from palantir_models.writing import transform_write

        transform_write(self, args, kwargs)

    @property
    def model_version_rid(self) -> str:
        """The rid of the version this adapter was loaded from. Raises ``ExperimentError`` on an unpublished adapter."""
        return self._loaded().rid

    def create_evaluation(self, name: str | None = None) -> Any:
        """The evaluation of this version in the transform's evaluation set; the same object on every call.

        Only legal inside a transform decorated with ``@pm.transforms.evaluation("set name")``.
        """
        return self._loaded().create_evaluation(name)

    def _loaded(self) -> LoadedVersion:
        if self._version is None:
            raise ExperimentError(
                type(self).__name__,
                "was not loaded from a published version.",
                "Take it from a ModelInput of a transform.",
            )
        return self._version


def overrides(adapter: object, method: str) -> bool:
    """Whether the author wrote ``method``, as opposed to inheriting the library's."""
    return inspect.getattr_static(type(adapter), method) is not inspect.getattr_static(ModelAdapter, method)


def predict_arguments(adapter: Any, bound: Mapping[str, Any]) -> dict[str, Any]:
    """The bound inputs as ``predict`` takes them.

    Raises:
        DeclarationError: ``predict`` names arguments the api does not declare, or lacks declared ones; both sets are
        named.
    """
    parameters = inspect.signature(adapter.predict).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return dict(bound)
    takes = [n for n, p in parameters.items() if p.kind is not p.VAR_POSITIONAL]
    needs = [n for n in takes if parameters[n].default is inspect.Parameter.empty]
    if set(bound) - set(takes) or set(needs) - set(bound):
        raise DeclarationError(
            f"{type(adapter).__name__}.predict",
            f"takes {', '.join(takes) or 'nothing'}; api() declares {', '.join(bound) or 'no input'}.",
            "Arguments are matched by name: use the same names.",
        )
    return dict(bound)
