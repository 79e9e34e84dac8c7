"""Names that stand for something only Foundry's time series service can do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from transforms.errors import NotAvailableError

_REASON = "time series are held and computed by Foundry's time series service"


class Refused:
    """Can be imported, named in annotations and passed on; calling it raises NotAvailableError."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotAvailableError(self._name, _REASON)

    def __getattr__(self, name: str) -> Refused:
        if name.startswith("_"):
            raise AttributeError(name)
        return Refused(f"{self._name}.{name}")

    def __repr__(self) -> str:
        return f"<{self._name}, only in Foundry>"


def refused_getattr(module: str) -> Callable[[str], Refused]:
    """A module-level ``__getattr__`` that knows every public name."""

    def __getattr__(name: str) -> Refused:  # noqa: N807 -- PEP 562 wants this name
        if name.startswith("_"):
            raise AttributeError(f"module '{module}' has no attribute '{name}'")
        return Refused(f"{module}.{name}")

    return __getattr__
