"""``transform.using`` and its relatives: objects that take options and then decorate a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from transforms._names import caller
from transforms.api._declare import declared
from transforms.api._params import Param
from transforms.api._resources import checked_resources
from transforms.api._transform import ContainerTransform, Transform, TransformBase
from transforms.errors import TransformTypeError, UnknownAttributeError


def _no_positional(owner: str, args: tuple[Any, ...]) -> None:
    if args:
        raise TransformTypeError(f"{owner} takes its inputs and outputs by keyword, got {args[0]!r}.", caller())


class Builder:
    """The decorator under construction; every ``with_*`` gives a new one, so one builder may serve many functions."""

    def __init__(
        self, inputs: Mapping[str, Param], outputs: Mapping[str, Param], recorded: Mapping[str, Any] | None = None
    ) -> None:
        self._inputs, self._outputs, self._recorded = inputs, outputs, dict(recorded or {})

    def _recording(self, **facts: Any) -> Self:
        return type(self)(self._inputs, self._outputs, {**self._recorded, **facts})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("with_"):
            return lambda *args, **kwargs: self._recording(**{name: (args, kwargs)})
        if name.startswith("_"):
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        raise UnknownAttributeError(
            "transform builder", name, tuple(n for n in dir(type(self)) if n.startswith("with_"))
        )

    def __call__(self, compute_func: Callable[..., Any]) -> TransformBase:
        raise NotImplementedError


class LightweightBuilder(Builder):
    """Declares a single-node transform."""

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
        """Spark profiles; those that change results are honoured, the others recorded."""
        names = () if profiles is None else (profiles,) if isinstance(profiles, str) else tuple(profiles)
        return self._recording(**({"profile": names} if names else {}), **options)

    def __call__(self, compute_func: Callable[..., Any]) -> Transform:
        return Transform(compute_func, self._inputs, self._outputs, recorded=self._recorded)


class LightweightForms:
    """``transform.using``."""

    @staticmethod
    def using(*args: Any, **kwargs: Param) -> LightweightBuilder:
        """Parameters of a single-node transform by keyword."""
        _no_positional("transform.using", args)
        return LightweightBuilder(*declared("@transform.using", kwargs))


class SparkForms:
    """``transform.spark``."""

    @staticmethod
    def using(*args: Any, **kwargs: Param) -> SparkBuilder:
        """Parameters of a Spark transform by keyword."""
        _no_positional("transform.spark.using", args)
        return SparkBuilder(*declared("@transform.spark.using", kwargs))


class PushdownBuilder(Builder):
    """Declares a transform that an outside warehouse computes: it imports and registers, and is refused when run."""

    def __call__(self, compute_func: Callable[..., Any]) -> ContainerTransform:
        return ContainerTransform(compute_func, self._inputs, self._outputs, recorded=self._recorded)


class PushdownForms:
    """``transform.databricks``, ``.snowflake`` and ``.bigquery``."""

    def __init__(self, engine: str) -> None:
        self._engine = engine

    def using(self, *args: Any, **kwargs: Param) -> PushdownBuilder:
        """Parameters by keyword."""
        _no_positional(f"transform.{self._engine.lower()}.using", args)
        specs = declared(f"@transform.{self._engine.lower()}.using", kwargs)
        return PushdownBuilder(*specs, {"pushdown": self._engine})

    __call__ = using
