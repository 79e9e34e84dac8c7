"""The decorators that make a transform of a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from transforms._names import Named, caller, known_arguments
from transforms.api._builders import LightweightBuilder, LightweightForms, PushdownForms, SparkForms
from transforms.api._declare import MISSING, declared, one_output
from transforms.api._params import Param
from transforms.api._transform import ContainerTransform, Transform
from transforms.errors import TransformTypeError, UnknownAttributeError


class _Forms(type):
    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"type object 'transform' has no attribute '{name}'")
        raise UnknownAttributeError("transform", name, tuple(n for n in vars(cls) if not n.startswith("_")))


class transform(Named, metaclass=_Forms):  # noqa: N801 -- Foundry's name
    """Decorator: the function reads its inputs and writes its outputs itself.

    Args:
        kwargs: parameter name -> spec. The names become the function's arguments.

    Raises:
        TransformTypeError: a value is no spec, a name is ``ctx``, or nothing is written.

    ``transform.using`` and ``transform.lightweight`` declare single-node transforms, ``transform.spark.using`` Spark
    ones.
    """

    spark = SparkForms()
    databricks = PushdownForms("Databricks")
    snowflake = PushdownForms("Snowflake")
    bigquery = PushdownForms("BigQuery")

    def __init__(self, /, *args: Any, **kwargs: Param) -> None:
        if args:
            given = f"a bare @transform on {args[0].__name__!r}" if hasattr(args[0], "__name__") else repr(args[0])
            what = f"@transform takes its inputs and outputs by keyword, got {given}: @transform(name=Input(...), ...)."
            raise TransformTypeError(what, caller())
        self._inputs, self._outputs = declared("@transform", kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("with_"):
            note = "Options belong to the builders: @transform.using(...) and @transform.spark.using(...)."
            raise UnknownAttributeError("transform", name, (), note)
        return super().__getattr__(name)

    def __call__(self, compute_func: Callable[..., Any]) -> Transform:
        return Transform(compute_func, self._inputs, self._outputs)

    @classmethod
    def using(cls, /, *args: Any, **kwargs: Param) -> LightweightBuilder:
        """Single-node form; the result is the decorator and takes ``with_*`` options first."""
        return LightweightForms.using(*args, **kwargs)

    @classmethod
    def lightweight(cls, /, *args: Any, **kwargs: Param) -> LightweightBuilder:
        """Another name of :meth:`using`."""
        return LightweightForms.using(*args, **kwargs)


def _frames(
    owner: str, style: str, output: Any, more: tuple[Any, ...], inputs: Mapping[str, Any]
) -> Callable[[Callable[..., Any]], Transform]:
    specs, outputs = one_output(owner, output, more, inputs)

    def decorate(compute_func: Callable[..., Any]) -> Transform:
        return Transform(compute_func, specs, outputs, style=style)

    return decorate


@known_arguments("@transform_df")
def transform_df(output: Any = MISSING, *more: Any, **inputs: Param) -> Callable[[Callable[..., Any]], Transform]:
    """Decorator: the function takes one Spark frame per input and returns the frame to write."""
    return _frames("@transform_df", "spark", output, more, inputs)


@known_arguments("@transform_pandas")
def transform_pandas(output: Any = MISSING, *more: Any, **inputs: Param) -> Callable[[Callable[..., Any]], Transform]:
    """Decorator: the function takes one pandas frame per input and returns the frame to write."""
    return _frames("@transform_pandas", "pandas", output, more, inputs)


@known_arguments("@transform_polars")
def transform_polars(
    output: Any = MISSING, *more: Any, **inputs: Param
) -> Callable[[Callable[..., Any]], ContainerTransform]:
    """Decorator: the function takes one Polars frame per input and returns the frame to write; runs on one node."""
    specs, outputs = one_output("@transform_polars", output, more, inputs)

    def decorate(compute_func: Callable[..., Any]) -> ContainerTransform:
        return ContainerTransform(compute_func, specs, outputs, style="polars")

    return decorate
