"""Reading the keyword arguments of a decorator: what is read, what is written, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transforms._names import caller
from transforms.api._params import Output, Param
from transforms.errors import TransformTypeError, TransformValueError

MISSING: Any = object()


def declared(owner: str, specs: Mapping[str, Any]) -> tuple[dict[str, Param], dict[str, Param]]:
    """``(inputs, outputs)`` in declared order.

    Raises:
        TransformTypeError: a value is no spec.
        TransformValueError: a parameter is called ``ctx``, or nothing is written.
    """
    where = caller()
    for name, spec in specs.items():
        if isinstance(spec, type) and issubclass(spec, Param):
            raise TransformTypeError(
                f"{name} of {owner} is the class {spec.__name__}; make one: {spec.__name__}(...).", where
            )
        if not isinstance(spec, Param):
            hint = f" Did you mean Input({spec!r}) or Output({spec!r})?" if isinstance(spec, str) else ""
            raise TransformTypeError(
                f"{name} of {owner} must be an Input, Output or other parameter, got {spec!r}.{hint}", where
            )
        if name == "ctx":
            raise TransformValueError(
                f"No parameter of {owner} can be called 'ctx': that name is the context's.", where
            )
    outputs = {name: spec for name, spec in specs.items() if spec.direction == "output"}
    # An evaluation of a model is kept by its ModelInput; such a transform writes nothing else.
    if not outputs and not any(getattr(type(spec), "keeps_results", False) for spec in specs.values()):
        raise TransformValueError(f"{owner} declares no output: it needs at least one Output(...).", where)
    return {name: spec for name, spec in specs.items() if spec.direction != "output"}, outputs


def one_output(
    owner: str, output: Any, more: tuple[Any, ...], inputs: Mapping[str, Any]
) -> tuple[dict[str, Param], dict[str, Param]]:
    """``(inputs, outputs)`` of a decorator whose function returns the frame of its one output.

    Raises:
        TransformTypeError: the output is missing or no ``Output``, an input is given by position, or there is a
            second output.
    """
    if output is MISSING:
        raise TransformTypeError(f"{owner} takes its Output first: {owner}(Output(...), name=Input(...)).", caller())
    if not isinstance(output, Output):
        raise TransformTypeError(f"{owner} takes an Output first, got {output!r}.", caller())
    if more:
        what = f"{owner} takes one Output by position and its inputs by keyword: name={more[0]!r}."
        raise TransformTypeError(what, caller())
    specs, outputs = declared(owner, {**inputs, "output": output})
    for name in outputs:
        if name != "output":
            what = (
                f"{owner} writes the one frame that its function returns; '{name}' is a second output. Use @transform."
            )
            raise TransformTypeError(what, caller())
    return specs, outputs
