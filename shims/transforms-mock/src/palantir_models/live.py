"""Inference over JSON, as live deployments do it: tables as arrays of rows, columns cast, missing ones refused.

Stricter than ``ModelAdapter.transform``: here a declared column must be there and must be castable to its type. Extra
columns pass through. JSON keeps no column order, so declared columns come first, in declared order.
"""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Mapping
from typing import Any, get_args, get_origin

from palantir_models.adapter import ModelAdapter
from palantir_models.declarations.datatypes import fits, is_media_reference, type_name
from palantir_models.declarations.fields import Api, DFType, Field, Kind, ModelApiColumn
from palantir_models.declarations.ndarray import NDArray
from palantir_models.declarations.resolve import declared_api
from palantir_models.declarations.types import MediaReference
from palantir_models.errors import InferenceInputError, NeedsFoundryError, nearest
from palantir_models.results import is_frame, is_spark_frame


def transform_json(adapter: ModelAdapter, document: Any) -> dict[str, Any]:
    """The outputs of one request as JSON types, one key per declared output.

    Args:
        document: one key per declared input; a table is a list of row objects.

    Raises:
        InferenceInputError: the request does not fit; ``error_type`` is the wire's name for the mistake.
        Exception: whatever the adapter raises.
    """
    api = declared_api(adapter)
    values = read_inputs(api, document, type(adapter).__name__)
    results = adapter.transform(**values)
    return {name: write_value(results[name]) for name in results}


def read_inputs(api: Api, document: Any, adapter: str) -> dict[str, Any]:
    """A request's inputs, cast to their declared types. Raises ``InferenceInputError``."""
    if not isinstance(document, Mapping):
        raise InferenceInputError(adapter, f"takes an object with one key per input, got {type(document).__name__}.")
    known = api.input_names()
    for name in document:
        if name not in known:
            raise InferenceInputError(
                adapter, f"declares no input {name!r}; it has {', '.join(known)}.{nearest(str(name), known)}",
                error_type="unknownInputName",
            )  # fmt: skip
    values: dict[str, Any] = {}
    for field in api.inputs:
        if field.name in document and document[field.name] is not None:
            values[field.name] = _read(field, document[field.name])
        elif field.required:
            raise InferenceInputError(
                adapter, f"was called without its input {field.name!r}.", error_type="requiredValueMissing"
            )
    return values


def _read(field: Field, value: Any) -> Any:
    if field.kind is Kind.TABULAR:
        return _table(field, value)
    if field.kind is Kind.PARAMETER:
        if isinstance(field.type, NDArray):
            return value
        return cast(value, field.type, f"parameter {field.name!r}", parameter=True)
    if field.kind is Kind.FILESYSTEM:
        raise NeedsFoundryError(f"input {field.name!r}", "files of a dataset do not travel in a request.")
    return value


def _table(field: Field, rows: Any) -> Any:
    import pandas as pd

    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise InferenceInputError(
            f"input {field.name!r}", "is a table: give a list of row objects.", error_type="invalidTabularFormat"
        )
    if field.frame is DFType.SPARK:
        raise NeedsFoundryError(
            f"input {field.name!r}", "a Spark table needs a Spark session.", "Declare it as pandas."
        )
    for column in field.columns:
        if column.required and column.type is not Any and rows and any(column.name not in row for row in rows):
            raise InferenceInputError(
                f"input {field.name!r}", f"column {column.name!r} is missing.", error_type="requiredValueMissing"
            )
    extra = list(dict.fromkeys(name for row in rows for name in row))
    declared = {c.name: c for c in field.columns}
    order = [*declared, *(name for name in extra if name not in declared)]
    data = {name: _column(field, declared.get(name), [row.get(name) for row in rows]) for name in order}
    return pd.DataFrame(data, columns=order)


def _column(field: Field, column: ModelApiColumn | None, values: list[Any]) -> Any:
    import numpy as np

    cells = [_cell(field, column, value) for value in values]
    if column is not None and column.type is float:
        # without a single value it would else hold objects, which no arithmetic of a model expects
        return np.array(cells, dtype="float64")
    return cells


def _cell(field: Field, column: ModelApiColumn | None, value: Any) -> Any:
    if column is None or value is None or is_media_reference(column.type):
        return value
    return cast(value, column.type, f"column {column.name!r} of input {field.name!r}")


def cast(value: Any, declared: Any, where: str, *, parameter: bool = False) -> Any:
    """``value`` as ``declared``: numbers truncate to int, ISO 8601 texts become dates, times and datetimes, elements
    and keys of parametrised lists and dicts are cast one by one.

    Parameters are only widened (int to float) and parsed (dates); any other difference is an error.

    Raises:
        InferenceInputError: it cannot be cast.
    """
    base = get_origin(declared) or declared
    try:
        if base in (datetime.datetime, datetime.date, datetime.time) and isinstance(value, str):
            return base.fromisoformat(value)
        arguments = get_args(declared)
        if base is list and isinstance(value, list) and arguments:
            return [cast(v, arguments[0], where, parameter=parameter) for v in value]
        if base is dict and isinstance(value, Mapping) and len(arguments) == 2:
            # keys are texts in JSON, whatever the declared type, so they are cast in parameters too
            return {
                cast(k, arguments[0], where): cast(v, arguments[1], where, parameter=parameter)
                for k, v in value.items()
            }
        if fits(value, declared):
            return _finite(float(value)) if base is float else value
        if not parameter:
            return _cast_column(value, base)
    except InferenceInputError:
        raise
    except (TypeError, ValueError, OverflowError):
        pass
    raise InferenceInputError(where, f"{value!r} ({type(value).__name__}) is no {type_name(declared)}.")


def _cast_column(value: Any, base: Any) -> Any:
    if base is bool:
        text = str(value).strip().lower()
        if text in ("true", "1", "1.0"):
            return True
        if text in ("false", "0", "0.0"):
            return False
        raise ValueError(value)
    if base is int:
        return math.trunc(float(value)) if isinstance(value, float) else int(value)
    if base is float:
        return _finite(float(value))
    if base is str and not isinstance(value, list | dict):
        return str(value)
    raise TypeError(base)


def _finite(value: float) -> float:
    """JSON has no NaN and no infinity, not as a text either: a missing value is null."""
    if not math.isfinite(value):
        raise ValueError(value)
    return value


def write_value(value: Any) -> Any:
    """One output as JSON types: frames as rows, arrays as nested lists, dates as ISO 8601, NaN as null."""
    if is_frame(value):
        frame = value.toPandas() if is_spark_frame(value) else value
        return [{str(k): write_value(v) for k, v in row.items()} for row in frame.to_dict("records")]
    if isinstance(value, MediaReference):
        return write_value(value.reference)
    if isinstance(value, Mapping):
        return {str(k): write_value(v) for k, v in value.items()}
    if hasattr(value, "tolist") and hasattr(value, "dtype"):
        return write_value(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [write_value(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if hasattr(value, "isoformat"):
        return None if value != value else value.isoformat()
    try:
        json.dumps(value)
    except TypeError:
        return str(value)
    return value
