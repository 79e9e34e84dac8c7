"""The kinds of health check, one per file, found by listing this package. See :mod:`mirror.health.declaration`."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache

from mirror.errors import InternalError
from mirror.health.declaration import HealthCheck


class CheckKindError(InternalError):
    """Args: kind, the two modules that claim it."""

    def __str__(self) -> str:
        kind, first, second = self.args
        return f"Two modules claim the health check type {kind!r}: {first} and {second}; rename one."


@cache
def check_kinds() -> dict[str, type[HealthCheck]]:
    """Every kind by the name that a file gives as ``type``. Raises CheckKindError when two claim one name."""
    found: dict[str, type[HealthCheck]] = {}
    for listed in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{listed.name}")
        for _, member in inspect.getmembers(module, inspect.isclass):
            if member.__module__ != module.__name__ or not issubclass(member, HealthCheck):
                continue
            other = found.setdefault(member.kind, member)
            if other is not member:
                raise CheckKindError(member.kind, other.__module__, member.__module__)
    return found
