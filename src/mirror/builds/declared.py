"""What is wrong with a transform as declared, seen once every alias stands for a dataset: before anything runs."""

from __future__ import annotations

from typing import Any

from mirror.builds.errors import DeclarationError, SameDatasetError
from mirror.builds.specs import JobSpec
from mirror.errors import UsageError


def declaration_problem(transform: Any, spec: JobSpec) -> UsageError | None:
    """The first problem of a live transform and the spec made of it, or ``None``.

    Reading one dataset under two names is fine; what is written has one name and is not read.
    """
    uses: dict[str, str] = {}
    for param in (*spec.inputs, *spec.outputs):
        if not param.is_dataset:
            continue
        written = transform.parameters[param.name].aliases
        for path, alias in zip(param.aliases, written, strict=True):
            use = f"{param.direction} {param.name!r} ({alias!r})"
            if param.direction == "output" and path in uses:
                return SameDatasetError(f"{spec.name!r} ({spec.source})", path, uses[path], use)
            uses[path] = use
    found = transform.incremental_problem()
    return None if found is None else DeclarationError(str(found))
