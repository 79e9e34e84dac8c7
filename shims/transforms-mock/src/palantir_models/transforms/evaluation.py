"""``@pm.transforms.evaluation("set name")``: the evaluations of a transform's model inputs belong to one set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from palantir_models.errors import DeclarationError
from palantir_models.media import checked_name
from palantir_models.transforms.params import ModelInput
from transforms._names import caller

T = TypeVar("T")


def evaluation(name: str) -> Callable[[T], T]:
    """Fixes the evaluation set of every ``ModelInput`` of the transform below it.

    Such a transform may have no dataset output at all: the evaluation is what it makes.

    Raises:
        DeclarationError: an empty or overlong name, no transform below, or none with a model input.
    """
    if not isinstance(name, str) or not name.strip():
        raise DeclarationError(f"{caller()}: evaluation", f"its set is named by a text, got {name!r}.")
    checked_name(name, "evaluation set")

    def mark(transform: T) -> T:
        declared: Any = transform
        inputs: Any = getattr(transform, "inputs", None)
        if not hasattr(inputs, "items") or not any(isinstance(p, ModelInput) for p in inputs.values()):
            raise DeclarationError(
                f"{caller()}: evaluation({name!r})",
                "stands on something without a ModelInput.",
                "Put it above @transform(...).",
            )
        marked = {n: p.in_evaluation_set(name) if isinstance(p, ModelInput) else p for n, p in inputs.items()}
        return declared.with_changes(inputs=marked).with_recorded(evaluation_set=name)

    return mark
