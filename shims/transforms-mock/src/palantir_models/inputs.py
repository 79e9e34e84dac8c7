"""Binding a call's arguments to the declared inputs, and converting each at the boundary.

Batch enforcement is deliberately uneven, as in Foundry: a parameter of the wrong type is an error before the adapter
runs; columns are neither checked for type nor for presence; extra columns reach the adapter.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from palantir_models.declarations.datatypes import fits, is_media_reference, type_name
from palantir_models.declarations.fields import Api, DFType, Field, Kind
from palantir_models.declarations.ndarray import NDArray
from palantir_models.declarations.types import MediaReference
from palantir_models.errors import InferenceInputError, NeedsFoundryError, nearest
from palantir_models.results import is_frame, is_spark_frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def bind_arguments(api: Api, args: Sequence[Any], kwargs: Mapping[str, Any], adapter: str) -> dict[str, Any]:
    """Arguments by input name: positional ones in declared order, the rest by name, omitted parameters by default.

    Raises:
        InferenceInputError: too many arguments, an unknown or doubly given name, or a missing required input.
    """
    names = api.input_names()
    if len(args) > len(names):
        raise InferenceInputError(
            adapter,
            f"takes {len(names)} inputs ({', '.join(names)}), {len(args)} were given.",
            error_type="unknownInputName",
        )
    given = dict(zip(names, args, strict=False))
    for name, value in kwargs.items():
        if name not in names:
            raise InferenceInputError(
                adapter,
                f"declares no input {name!r}; it has {', '.join(names)}.{nearest(name, names)}",
                error_type="unknownInputName",
            )
        if name in given:
            raise InferenceInputError(adapter, f"was given input {name!r} twice.", error_type="unknownInputName")
        given[name] = value
    bound: dict[str, Any] = {}
    for field in api.inputs:
        if field.name in given:
            bound[field.name] = convert_input(field, given[field.name])
        elif field.required:
            raise InferenceInputError(
                adapter, f"was called without its input {field.name!r}.", error_type="requiredValueMissing"
            )
        else:
            bound[field.name] = _default(field)
    return bound


def convert_input(field: Field, value: Any) -> Any:
    """One value as its declared input arrives at the adapter. Raises ``InferenceInputError`` when it cannot."""
    if field.kind is Kind.TABULAR:
        return _with_media_references(field, _frame(field, value))
    if field.kind is Kind.PARAMETER:
        return _parameter(field, value)
    if field.kind is Kind.FILESYSTEM:
        if is_frame(value) or not callable(getattr(value, "filesystem", None)):
            raise InferenceInputError(
                field.name, "needs the handle of a dataset (a transform input), not a value of it."
            )
        return value.filesystem()
    if field.kind is Kind.MEDIA_REFERENCE:
        return MediaReference.parse(value, field.name)
    if isinstance(value, str | int):
        raise NeedsFoundryError(
            f"input {field.name!r}",
            "a key or rid can only be looked up in Foundry's Ontology.",
            "Pass the object itself.",
        )
    return value


def _parameter(field: Field, value: Any) -> Any:
    if isinstance(field.type, NDArray):
        return value if value is None and not field.required else field.type.convert(value, field.name)
    if value is None and field.default is None and not field.required:
        return None
    if not fits(value, field.type):
        raise InferenceInputError(
            f"parameter {field.name!r}", f"{value!r} ({type(value).__name__}) is no {type_name(field.type)}."
        )
    return float(value) if field.type is float else value


def _default(field: Field) -> Any:
    """The declared default as a value given by a caller would arrive, new for each call."""
    if isinstance(field.type, NDArray) and field.default is not None:
        return field.type.convert(field.default, field.name).copy()
    return copy.deepcopy(field.default)


def _frame(field: Field, value: Any) -> Any:
    if not is_frame(value):
        value = _from_handle(field, value)
    if type(value).__module__.startswith("polars"):
        raise InferenceInputError(
            f"input {field.name!r}", "is tabular and was given a Polars frame.", "Hand in frame.to_pandas().",
            error_type="invalidTabularFormat",
        )  # fmt: skip
    spark = is_spark_frame(value)
    if field.frame is DFType.PANDAS and spark:
        raise InferenceInputError(
            f"input {field.name!r}", "is declared as pandas and was given a Spark frame.",
            "Hand in the transform input itself, a pandas frame, or use DistributedInferenceWrapper.",
            error_type="invalidTabularFormat",
        )  # fmt: skip
    if field.frame is DFType.SPARK and not spark:
        return active_session(field.name).createDataFrame(value)
    return value


def _from_handle(field: Field, value: Any) -> Any:
    frame, pandas = getattr(value, "dataframe", None), getattr(value, "pandas", None)
    if field.frame is DFType.PANDAS and callable(pandas):
        return pandas()
    if callable(frame):
        rows = frame()
        return rows.toPandas() if field.frame is DFType.PANDAS and is_spark_frame(rows) else rows
    if callable(pandas):
        return pandas()
    raise InferenceInputError(
        f"input {field.name!r}", f"is tabular and was given {type(value).__name__}.",
        "Hand in a transform input, a pandas frame or a Spark frame.", error_type="invalidTabularFormat",
    )  # fmt: skip


def active_session(wanted_for: str) -> SparkSession:
    """The running Spark session. Raises ``InferenceInputError`` when there is none to make a Spark frame with."""
    from pyspark.sql import SparkSession

    session = SparkSession.getActiveSession()
    if session is None:
        raise InferenceInputError(f"input {wanted_for!r}", "is declared as Spark, but no Spark session is running.")
    return session


def _with_media_references(field: Field, frame: Any) -> Any:
    columns = [c.name for c in field.columns if is_media_reference(c.type)]
    if not columns or is_spark_frame(frame):
        return frame
    frame = frame.copy()
    for name in columns:
        if name in frame.columns:
            # a row without a reference keeps none
            frame[name] = [
                None if v is None or v != v else MediaReference.parse(v, f"{field.name}.{name}") for v in frame[name]
            ]
    return frame
