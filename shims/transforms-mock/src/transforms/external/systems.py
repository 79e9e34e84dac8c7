"""Foundry's ``transforms.external.systems``: sources as additional arguments of a compute function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from transforms._names import caller, known_arguments, module_getattr
from transforms.api._params import FoundryInputParam
from transforms.api._transform import TransformBase
from transforms.errors import SourceError, TransformTypeError, TransformValueError
from transforms.external._sources import configured_source

if TYPE_CHECKING:
    from external_systems.sources import Source as ResolvedSource

T = TypeVar("T", bound=TransformBase)


class _External(FoundryInputParam):
    """What all external arguments share: a RID, and no data of their own."""

    @known_arguments("{}")
    def __init__(self, rid: str) -> None:
        if not isinstance(rid, str) or not rid:
            raise TransformTypeError(f"{type(self).__name__} takes a RID as text, got {rid!r}.", caller())
        super().__init__(rid)

    @property
    def rid(self) -> str:
        """The RID as written."""
        return str(self.alias)


class Source(_External):
    """A data connection source by RID; the function receives it resolved, with connections and secrets."""

    kind = "source"

    def _default_binding(self) -> Any:
        return configured_source(self.rid)

    def _configured(self, path: str | Path | None) -> Any:
        return configured_source(self.rid, path)


class EgressPolicy(_External):
    """A network policy of the older generation; recorded, as no egress is blocked here."""

    kind = "egress_policy"

    def _default_binding(self) -> Any:
        return self


class Credential(_External):
    """A stored credential of the older generation; the function receives an object with ``get(secret_name)``."""

    kind = "credential"

    def _default_binding(self) -> Any:
        return ResolvedCredential(self.rid)

    def _configured(self, path: str | Path | None) -> Any:
        configured_source(self.rid, path)
        return ResolvedCredential(self.rid, path)


class ResolvedCredential:
    """Secrets of a credential, from the sources file (the given one, else that of ``TRANSFORMS_SOURCES``)."""

    def __init__(self, rid: str, path: str | Path | None = None) -> None:
        self._rid = rid
        self._path = path

    def get(self, secret_name: str) -> str:
        """One secret.

        Raises:
            SourceError: it is not configured.
        """
        secrets = configured_source(self._rid, self._path).secrets
        if secret_name not in secrets:
            raise SourceError(self._rid, f"it holds no secret '{secret_name}'; it holds {', '.join(secrets) or 'none'}")
        return str(secrets[secret_name])


class ExportControl(FoundryInputParam):
    """Markings that may leave Foundry; recorded."""

    kind = "export_control"
    markings: tuple[str, ...]

    @known_arguments("ExportControl")
    def __init__(self, markings: Iterable[str]) -> None:
        super().__init__()
        # It names no resource by nature; ``None`` would say that somebody forgot to.
        object.__setattr__(self, "aliases", ())
        self.markings = tuple(markings)

    def _default_binding(self) -> Any:
        return self


def _adding(
    owner: str, unnamed: tuple[Any, ...], arguments: dict[str, Any], kinds: tuple[type, ...], refused: str
) -> Callable[[T], T]:
    where = caller()
    if unnamed:
        what = f"{owner} takes each {kinds[0].__name__} under the name of an argument, e.g. api={unnamed[0]!r}."
        raise TransformTypeError(what, where)
    for name, value in arguments.items():
        if not isinstance(value, kinds):
            wanted = ", ".join(kind.__name__ for kind in kinds)
            raise TransformTypeError(f"{name} of {owner} must be one of {wanted}, got {value!r}.", where)

    def decorate(transform: T) -> T:
        if not isinstance(transform, TransformBase):
            raise TransformTypeError(f"{owner} goes on top of a transform, got {transform!r}.", caller())
        if refused in transform.recorded:
            raise TransformValueError(f"{owner} cannot be combined with @{refused} in one transform.", caller())
        for name in arguments:
            if name in transform.parameters or name == "ctx":
                raise TransformValueError(f"{owner} uses the name '{name}', which is already taken.", caller())
        kind = owner.removeprefix("@")
        noted = {**transform.recorded, kind: (*transform.recorded.get(kind, ()), *arguments)}
        return transform.with_changes(inputs={**transform.inputs, **arguments}, recorded=noted)

    return decorate


def external_systems(*unnamed: Any, **sources: Source) -> Callable[[T], T]:
    """Decorator above a transform: each source becomes an argument of the compute function.

    Raises:
        TransformTypeError, TransformValueError: not on a transform, no source, or a name that is taken.
    """
    return _adding("@external_systems", unnamed, dict(sources), (Source,), "use_external_systems")


def use_external_systems(*unnamed: Any, **systems: Any) -> Callable[[T], T]:
    """Decorator of the older generation: policies, credentials and export controls become arguments.

    Raises:
        TransformTypeError, TransformValueError: as for :func:`external_systems`.
    """
    kinds = (EgressPolicy, Credential, ExportControl)
    return _adding("@use_external_systems", unnamed, dict(systems), kinds, "external_systems")


def configured(param: Source | Credential, path: str | Path | None) -> Any:
    """What a platform binds for a source or a credential, as the file at ``path`` describes it.

    ``None`` leaves the file to the variable ``TRANSFORMS_SOURCES``.

    Raises:
        SourceError: it is not described, or one of its secrets cannot be found.
    """
    return param._configured(path)


__all__ = [
    "Credential",
    "EgressPolicy",
    "ExportControl",
    "ResolvedSource",
    "Source",
    "external_systems",
    "use_external_systems",
]

_unknown = module_getattr("transforms.external.systems", __all__)


def __getattr__(name: str) -> Any:
    # Annotations name the resolved type; importing it costs requests and urllib3, so it waits until somebody asks.
    if name == "ResolvedSource":
        from external_systems.sources import Source as Resolved

        return Resolved
    return _unknown(name)
