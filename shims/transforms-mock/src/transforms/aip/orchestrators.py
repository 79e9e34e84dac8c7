"""Foundry's deprecated ``transforms.aip.orchestrators``: the names import, and using one says what to use instead."""

from __future__ import annotations

from typing import Any

from transforms._names import module_getattr
from transforms.errors import NotAvailableError

_REASON = "it calls language models through Foundry and is deprecated there; use palantir_models.transforms"


class CompletionOrchestrator:
    """Refused when made."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotAvailableError("transforms.aip.orchestrators.CompletionOrchestrator", _REASON)


class CompletionModelProperties:
    """Refused when made."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotAvailableError("transforms.aip.orchestrators.CompletionModelProperties", _REASON)


__all__ = ["CompletionModelProperties", "CompletionOrchestrator"]

__getattr__ = module_getattr("transforms.aip.orchestrators", __all__)
