"""What cannot stand together in one transform, and what of it is only noted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transforms.api._params import Param
from transforms.errors import TransformTypeError, TransformValueError


def refuse_contradictions(inputs: Mapping[str, Param], outputs: Mapping[str, Param], where: str) -> None:
    """The line in the error is that of the transform.

    Raises:
        TransformTypeError: something is no parameter.
        TransformValueError: one check name twice, one output twice, or one dataset read and written.
    """
    named: dict[str, str] = {}
    for parameter, spec in (*inputs.items(), *outputs.items()):
        if not isinstance(spec, Param):
            raise TransformTypeError(f"{parameter} must be an Input, Output or other parameter, got {spec!r}.", where)
        for check in getattr(spec, "checks", ()):
            if check.name in named:
                both = sorted({named[check.name], parameter})
                raise TransformValueError(
                    f"Two checks are called '{check.name}' ({' and '.join(both)}); a name identifies one check of a"
                    " transform. Rename one.",
                    where,
                )
            named[check.name] = parameter
    read = {alias: name for name, spec in inputs.items() if spec.takes_port for alias in _aliases(spec)}
    written: dict[str, str] = {}
    for name, spec in outputs.items():
        for alias in _aliases(spec):
            if alias in written:
                what = f"'{alias}' is an output twice ('{written[alias]}' and '{name}'); one transform writes it once."
                raise TransformValueError(what, where)
            written[alias] = name
        for alias in _aliases(spec) if spec.takes_port else ():
            if alias in read:
                raise TransformValueError(
                    f"'{alias}' is an input ('{read[alias]}') and an output ('{name}') of one transform. An incremental"
                    " transform reads its own output with output.dataframe('previous').",
                    where,
                )


def _aliases(spec: Param) -> tuple[str, ...]:
    return tuple(alias for alias in getattr(spec, "aliases", None) or () if alias)


_NOTED = ("description", "stop_propagating", "stop_requiring", "sever_permissions", "batch_limit")


def notes(parameters: Mapping[str, Param]) -> dict[str, Any]:
    """What parameters declare that only Foundry acts on, as ``parameter.argument``."""
    return {
        f"{name}.{fact}": value
        for name, param in parameters.items()
        for fact in _NOTED
        if (value := param.__dict__.get(fact)) not in (None, False)
    }
