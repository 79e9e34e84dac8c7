"""Foundry's ``transforms.sidecar``: a container beside the transform. Declared and recorded; refused when run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from transforms._names import caller, known_arguments, module_getattr
from transforms.api._transform import Declared, TransformBase
from transforms.errors import TransformTypeError

T = TypeVar("T", bound=TransformBase)


@dataclass(frozen=True)
class Volume:
    """A folder that transform and container share.

    Raises:
        TransformTypeError: the name is no text.
    """

    name: str

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise TransformTypeError(f"Volume takes the name of a folder, got {self.name!r}.", caller())


if not TYPE_CHECKING:
    Volume.__init__ = known_arguments("Volume")(Volume.__init__)


@known_arguments("sidecar")
def sidecar(
    image: str | None = None,
    tag: str | None = None,
    volumes: Sequence[Volume] | None = None,
    resource_profile: Any = None,
) -> Callable[[T], T]:
    """Decorator above a transform: which container stands beside it.

    Raises:
        TransformTypeError: not on a transform, or an argument has the wrong type.
    """
    where = caller()
    for name, value in (("image", image), ("tag", tag)):
        if not isinstance(value, str | None):
            raise TransformTypeError(f"{name} of @sidecar is a text, got {value!r}.", where)
    shared = () if volumes is None else volumes
    if not isinstance(shared, list | tuple) or not all(isinstance(volume, Volume) for volume in shared):
        raise TransformTypeError(f"volumes of @sidecar is a list of Volume(...), got {volumes!r}.", where)

    def decorate(transform: T) -> T:
        if not isinstance(transform, TransformBase):
            raise TransformTypeError(f"@sidecar goes on top of a transform, got {transform!r}.", caller())
        facts = {"image": image, "tag": tag, "volumes": tuple(shared), "resource_profile": resource_profile}
        return transform.with_recorded(sidecar=Declared(facts))

    return decorate


__all__ = ["Volume", "sidecar"]

__getattr__ = module_getattr("transforms.sidecar", __all__)
