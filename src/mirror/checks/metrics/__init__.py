"""One metric per file, found by listing this package. See :mod:`mirror.checks.metrics.base` for what a metric says."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

from mirror.checks.metrics.base import Metric
from mirror.errors import InternalError


class MetricKindError(InternalError):
    """Args: kind, the two classes that claim it."""

    def __str__(self) -> str:
        kind, first, second = self.args
        return f"Two metrics call themselves {kind!r}: {first} and {second}; rename one."


def metric_kinds() -> dict[str, type[Metric]]:
    """Every metric by its kind. Raises :class:`MetricKindError` when two claim one kind."""
    found: dict[str, type[Metric]] = {}
    for module in pkgutil.iter_modules(__path__):
        for _, member in inspect.getmembers(importlib.import_module(f"{__name__}.{module.name}"), inspect.isclass):
            if not issubclass(member, Metric) or inspect.isabstract(member):
                continue
            other = found.setdefault(member.kind, member)
            if other is not member:
                raise MetricKindError(member.kind, other.__qualname__, member.__qualname__)
    return found
