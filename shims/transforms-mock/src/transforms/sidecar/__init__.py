"""Foundry's ``transforms.sidecar``: a container beside the transform. Declared and recorded; refused when run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from transforms._names import caller, known_arguments, module_getattr
from transforms.api._transform import Declared, TransformBase
from transforms.errors import TransformTypeError

T = TypeVar("T", bound=TransformBase)


@dataclass(frozen=True)
class Volume:
    """A folder that transform and container share."""

    name: str


@known_arguments("sidecar")
def sidecar(
    image: str | None = None,
    tag: str | None = None,
    volumes: Sequence[Volume] | None = None,
    resource_profile: Any = None,
) -> Callable[[T], T]:
    """Decorator above a transform: which container stands beside it.

    Raises:
        TransformTypeError: not on a transform.
    """

    def decorate(transform: T) -> T:
        if not isinstance(transform, TransformBase):
            raise TransformTypeError(f"@sidecar goes on top of a transform, got {transform!r}.", caller())
        facts = {"image": image, "tag": tag, "volumes": tuple(volumes or ()), "resource_profile": resource_profile}
        return transform.with_recorded(sidecar=Declared(facts))

    return decorate


__all__ = ["Volume", "sidecar"]

__getattr__ = module_getattr("transforms.sidecar", __all__)
