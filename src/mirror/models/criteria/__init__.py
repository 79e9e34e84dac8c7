"""What a submission can be judged by: one file per kind, found by listing this package."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from mirror.errors import InternalError
from mirror.models.criteria.base import Criterion


@cache
def criterion_kinds() -> dict[str, type[Criterion]]:
    """Every kind by name. Raises InternalError naming both owners when a name is taken twice."""
    kinds: dict[str, type[Criterion]] = {}
    for found in pkgutil.iter_modules(__path__):
        if found.name == "base":
            continue
        module = importlib.import_module(f"{__name__}.{found.name}")
        (kind,) = (c for c in vars(module).values() if _is_own(c, module.__name__))
        if kind.kind in kinds:
            raise InternalError(
                f"criterion {kind.kind!r} is claimed by {kinds[kind.kind].__module__} and {module.__name__}"
            )
        kinds[kind.kind] = kind
    return kinds


def _is_own(value: object, module: str) -> bool:
    return isinstance(value, type) and issubclass(value, Criterion) and value.__module__ == module
