"""Parameters whose content only Foundry's own services hold: they declare and register, and a job that has one is
refused.

A platform that can serve one binds it by its ``kind``; then the bound object is what the compute function receives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn

from transforms._names import caller, known_arguments
from transforms.api._params import FoundryInputParam
from transforms.errors import NotAvailableError, TransformTypeError


class RemoteInput(FoundryInputParam):
    """Base of inputs that live in a service."""

    service: ClassVar[str] = "a service of Foundry"

    @known_arguments("{}")
    def __init__(self, rid: str | None = None, properties: Mapping[str, Any] | None = None) -> None:
        if rid is not None and not isinstance(rid, str):
            raise TransformTypeError(f"{type(self).__name__} takes a RID or path as text, got {rid!r}.", caller())
        super().__init__(rid, properties=properties)

    def _default_binding(self) -> NoReturn:
        raise NotAvailableError(f"{type(self).__name__} '{self.alias}'", f"{self.service} holds what it reads")
