"""``transform.using`` and its relatives: objects that take options and then decorate a function."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, Self

from transforms._names import Named, caller, known_arguments
from transforms.api._declare import declared
from transforms.api._params import Param
from transforms.api._profiles import profile_names
from transforms.api._resources import checked_resources
from transforms.api._transform import ContainerTransform, Transform, TransformBase
from transforms.errors import TransformTypeError, UnknownArgumentError, UnknownAttributeError

# Options that one kind of builder has: on the other they would be recorded and mean nothing.
_ELSEWHERE = {
    "with_resources": "with_resources sizes a single-node transform (transform.using); a Spark one takes "
    "with_config(profiles=[...]).",
    "with_container": "with_container belongs to a single-node transform (transform.using).",
    "with_config": "with_config names the profiles of a Spark transform (transform.spark.using); a single-node one "
    "takes with_resources(...).",
}
# What @configure takes besides profiles; a Spark builder may carry it too.
_CONFIGURABLE = ("profiles", "allowed_run_duration", "run_as_user", "backend", "checkpoint_outputs")


def _no_positional(owner: str, args: tuple[Any, ...]) -> None:
    if args:
        raise TransformTypeError(f"{owner} takes its inputs and outputs by keyword, got {args[0]!r}.", caller())


class Builder:
    """The decorator under construction; every ``with_*`` gives a new one, so one builder may serve many functions."""

    def __init__(
        self, inputs: Mapping[str, Param], outputs: Mapping[str, Param], recorded: Mapping[str, Any] | None = None
    ) -> None:
        self._inputs, self._outputs, self._recorded = inputs, outputs, dict(recorded or {})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} without its function>"

    def _recording(self, **facts: Any) -> Self:
        return type(self)(self._inputs, self._outputs, {**self._recorded, **facts})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        known = tuple(n for n in dir(type(self)) if n.startswith("with_"))
        if name in _ELSEWHERE:
            raise UnknownAttributeError("transform builder", name, known, _ELSEWHERE[name])
        if name.startswith("with_") and not difflib.get_close_matches(name, known, n=1, cutoff=0.85):
            return lambda *args, **kwargs: self._recording(**{name: (args, kwargs)})
        raise UnknownAttributeError("transform builder", name, known)

    def __call__(self, compute_func: Callable[..., Any]) -> TransformBase:
        raise NotImplementedError


class LightweightBuilder(Builder):
    """Declares a single-node transform."""

    @known_arguments("with_resources")
    def with_resources(
        self,
        cpu_cores: float | None = None,
        memory_gb: float | None = None,
        memory_mb: float | None = None,
        gpu_type: str | None = None,
    ) -> Self:
        """Cores, memory and GPU; recorded."""
        return self._recording(
            **checked_resources(cpu_cores=cpu_cores, memory_gb=memory_gb, memory_mb=memory_mb, gpu_type=gpu_type)
        )

    @known_arguments("with_container")
    def with_container(
        self, container_image: str, container_tag: str, container_shell_command: str | None = None
    ) -> Self:
        """The image to run in; recorded."""
        return self._recording(
            **checked_resources(
                container_image=container_image,
                container_tag=container_tag,
                container_shell_command=container_shell_command,
            )
        )

    def __call__(self, compute_func: Callable[..., Any]) -> ContainerTransform:
        return ContainerTransform(compute_func, self._inputs, self._outputs, recorded=self._recorded)


class SparkBuilder(Builder):
    """Declares a Spark transform."""

    def with_config(self, profiles: Any = None, **options: Any) -> Self:
        """Spark profiles; those that change results are honoured, the others recorded.

        Raises:
            TransformTypeError: ``profiles`` is neither a name nor a list of names.
            UnknownArgumentError: an option that looks like a known one and is not.
        """
        for name in options:
            if name not in _CONFIGURABLE and difflib.get_close_matches(name, _CONFIGURABLE, n=1, cutoff=0.8):
                raise UnknownArgumentError("with_config", name, _CONFIGURABLE, caller())
        names = profile_names("profiles of with_config", profiles)
        return self._recording(**({"profile": names} if names else {}), **options)

    def __call__(self, compute_func: Callable[..., Any]) -> Transform:
        return Transform(compute_func, self._inputs, self._outputs, recorded=self._recorded)


class LightweightForms(Named):
    """``transform.using``."""

    @staticmethod
    def using(*args: Any, **kwargs: Param) -> LightweightBuilder:
        """Parameters of a single-node transform by keyword."""
        _no_positional("transform.using", args)
        return LightweightBuilder(*declared("@transform.using", kwargs))


class SparkForms(Named):
    """``transform.spark``."""

    def __init__(self) -> None:
        self._label = "transform.spark"

    def __call__(self, *_: Any, **__: Any) -> NoReturn:
        raise TransformTypeError("transform.spark is no decorator: write @transform.spark.using(...).", caller())

    @staticmethod
    def using(*args: Any, **kwargs: Param) -> SparkBuilder:
        """Parameters of a Spark transform by keyword."""
        _no_positional("transform.spark.using", args)
        return SparkBuilder(*declared("@transform.spark.using", kwargs))


class PushdownBuilder(Builder):
    """Declares a transform that an outside warehouse computes: it imports and registers, and is refused when run."""

    def __call__(self, compute_func: Callable[..., Any]) -> ContainerTransform:
        return ContainerTransform(compute_func, self._inputs, self._outputs, recorded=self._recorded)


class PushdownForms(Named):
    """``transform.databricks``, ``.snowflake`` and ``.bigquery``."""

    def __init__(self, engine: str) -> None:
        self._engine, self._label = engine, f"transform.{engine.lower()}"

    def using(self, /, *args: Any, **kwargs: Param) -> PushdownBuilder:
        """Parameters by keyword."""
        _no_positional(f"transform.{self._engine.lower()}.using", args)
        specs = declared(f"@transform.{self._engine.lower()}.using", kwargs)
        return PushdownBuilder(*specs, {"pushdown": self._engine})

    __call__ = using
