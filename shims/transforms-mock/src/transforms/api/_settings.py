"""Decorators that add settings to a transform: ``configure``, ``incremental``, ``lightweight``. They stack in any
order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from enum import Enum, EnumMeta
from typing import Any, TypeVar

from transforms._names import caller, in_order, known_arguments
from transforms.api._params import switch
from transforms.api._profiles import profile_names
from transforms.api._resources import checked_resources
from transforms.api._transform import ContainerTransform, IncrementalSettings, Transform, TransformBase
from transforms.errors import (
    LightweightTypeError,
    LightweightValueError,
    TransformKeyError,
    TransformTypeError,
    TransformValueError,
    UnknownAttributeError,
)

T = TypeVar("T", bound=TransformBase)


class _Backends(EnumMeta):
    def __getattr__(cls, name: str) -> Any:
        members: dict[str, Any] = cls.__dict__.get("_member_map_", {})
        if name in members:
            return members[name]
        if name.startswith("_"):
            raise AttributeError(name)
        raise UnknownAttributeError("ComputeBackend", name, tuple(members))


class ComputeBackend(Enum, metaclass=_Backends):
    """What computes a Spark transform in Foundry; recorded, as open-source Spark is the only engine here."""

    SPARK = "SPARK"
    VELOX = "VELOX"


@known_arguments("configure")
def configure(
    profile: str | Iterable[str] | None = None,
    allowed_run_duration: timedelta | None = None,
    run_as_user: bool = False,
    backend: str | ComputeBackend = ComputeBackend.SPARK,
    checkpoint_outputs: Any = None,
) -> Callable[[Transform], Transform]:
    """Decorator: how Foundry runs a Spark transform. Profiles that change results are honoured, the rest is recorded.

    Raises:
        TransformTypeError: not on a Spark transform, or an argument has the wrong type.
    """
    where = caller()
    names = profile_names("profile of @configure", profile)
    switch("@configure", "run_as_user", run_as_user)
    if allowed_run_duration is not None and not isinstance(allowed_run_duration, timedelta):
        what = f"allowed_run_duration of @configure is a datetime.timedelta, got {allowed_run_duration!r}."
        raise TransformTypeError(what, where)
    if allowed_run_duration is not None and allowed_run_duration <= timedelta(0):
        what = f"allowed_run_duration of @configure is a positive duration, got {allowed_run_duration}."
        raise TransformValueError(what, where)
    try:
        engine = backend if isinstance(backend, ComputeBackend) else ComputeBackend[str(backend).upper()]
    except KeyError:
        raise TransformValueError(f"backend of @configure is SPARK or VELOX, got {backend!r}.", where) from None

    def decorate(transform: Transform) -> Transform:
        if not isinstance(transform, Transform):
            what = f"@configure goes on top of a Spark transform, got {transform!r}: put it above @transform."
            raise TransformTypeError(what, caller())
        return transform.with_recorded(
            profile=names or None,
            allowed_run_duration=allowed_run_duration,
            run_as_user=run_as_user or None,
            backend=engine.value if engine is not ComputeBackend.SPARK else None,
            checkpoint_outputs=checkpoint_outputs,
        )

    return decorate


@known_arguments("incremental")
def incremental(
    require_incremental: bool = False,
    semantic_version: int = 1,
    snapshot_inputs: Iterable[str] | None = None,
    allow_retention: bool = False,
    strict_append: bool = False,
    v2_semantics: bool = False,
) -> Callable[[T], T]:
    """Decorator: later runs may read only what is new and add to what they wrote.

    Raises:
        TransformTypeError: not on a transform, or an argument has the wrong type.
        TransformKeyError: ``snapshot_inputs`` names no input.
    """
    where = caller()
    if isinstance(require_incremental, TransformBase) or callable(require_incremental):
        raise TransformTypeError("@incremental needs its parentheses: @incremental().", where)
    if isinstance(semantic_version, bool) or not isinstance(semantic_version, int):
        raise TransformTypeError(f"semantic_version is a whole number, got {semantic_version!r}.", where)
    if isinstance(snapshot_inputs, bool | str) or not isinstance(snapshot_inputs, Iterable | None):
        raise TransformTypeError(f"snapshot_inputs is a list of parameter names, got {snapshot_inputs!r}.", where)
    whole = in_order(snapshot_inputs or ())
    if not all(isinstance(name, str) for name in whole):
        raise TransformTypeError(f"snapshot_inputs is a list of parameter names, got {whole!r}.", where)
    settings = IncrementalSettings(
        switch("@incremental", "require_incremental", require_incremental),
        semantic_version,
        whole,
        switch("@incremental", "allow_retention", allow_retention),
        switch("@incremental", "strict_append", strict_append),
        switch("@incremental", "v2_semantics", v2_semantics),
    )

    def decorate(transform: T) -> T:
        if not isinstance(transform, TransformBase):
            what = (
                f"@incremental goes on top of a transform, got {transform!r}. Put it above @transform or @transform_df."
            )
            raise TransformTypeError(what, caller())
        if transform.incremental not in (None, settings):
            raise TransformTypeError(f"{transform!r} carries @incremental twice, with different settings.", caller())
        for name in settings.snapshot_inputs:
            if name not in transform.inputs:
                raise TransformKeyError(name, tuple(transform.inputs), caller())
        return transform.with_changes(incremental=settings)

    return decorate


@known_arguments("lightweight")
def lightweight(
    _maybe_function: Any = None,
    *,
    cpu_cores: float = 2,
    memory_mb: float | None = None,
    memory_gb: float | None = None,
    gpu_type: str | None = None,
    container_image: str | None = None,
    container_tag: str | None = None,
    container_shell_command: str | None = None,
) -> Any:
    """Decorator: run a transform on one node, with single-node objects. Usable with and without parentheses.

    Raises:
        LightweightTypeError: not on a transform.
        LightweightValueError: on a ``transform_df``, which needs Spark, or impossible resources.
    """
    resources = checked_resources(
        cpu_cores=cpu_cores,
        memory_mb=memory_mb,
        memory_gb=memory_gb,
        gpu_type=gpu_type,
        container_image=container_image,
        container_tag=container_tag,
        container_shell_command=container_shell_command,
    )

    def decorate(transform: Any) -> ContainerTransform:
        if not isinstance(transform, TransformBase):
            raise LightweightTypeError(f"{caller()}: @lightweight goes on top of a transform, got {transform!r}.")
        if transform.style == "spark":
            what = "@transform_df hands out Spark frames and cannot be lightweight; use @transform_polars."
            raise LightweightValueError(f"{transform.source}: {what}")
        return ContainerTransform(transform, **resources)

    return decorate if _maybe_function is None else decorate(_maybe_function)
