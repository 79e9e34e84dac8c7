"""``transform_write``: inference from dataset handles into dataset handles, the only way to file-system outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from palantir_models.adapter import ModelAdapter, overrides, predict_arguments
from palantir_models.declarations.fields import Field, Kind
from palantir_models.declarations.resolve import declared_api
from palantir_models.errors import InferenceInputError, InferenceOutputError
from palantir_models.inputs import bind_arguments
from palantir_models.results import FileSystemWriter, OutputWriter, is_spark_frame, single_result


def transform_write(adapter: ModelAdapter, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Splits the handles into inputs and outputs, runs the adapter, writes every output.

    Raises:
        InferenceInputError: a handle is missing, or a name is both an input and an output and was given by name.
        InferenceOutputError: an output cannot be written to its handle.
    """
    api = declared_api(adapter)
    name = type(adapter).__name__
    both = set(api.input_names()) & set(api.output_names()) & set(kwargs)
    if both:
        raise InferenceInputError(
            name, f"{sorted(both)[0]!r} is an input and an output.", "Give the handles by position."
        )
    split = len(api.inputs)
    outputs = dict(zip(api.output_names(), args[split:], strict=False))
    outputs.update({n: v for n, v in kwargs.items() if n in api.output_names()})
    missing = [n for n in api.output_names() if n not in outputs]
    if missing:
        raise InferenceInputError(name, f"no handle for output {missing[0]!r}.", error_type="requiredValueMissing")
    bound = bind_arguments(api, args[:split], {n: v for n, v in kwargs.items() if n not in api.output_names()}, name)
    if overrides(adapter, "predict"):
        values = single_result(api, adapter.predict(**predict_arguments(adapter, bound)), name)
    else:
        writers = {f.name: _writer(f, outputs[f.name], name) for f in api.outputs}
        adapter.run_inference(api.named("inputs", bound), api.named("outputs", writers))
        values = {n: w.result() for n, w in writers.items() if isinstance(w, OutputWriter)}
    for output, value in values.items():
        _write(output, outputs[output], value, name)


def _writer(field: Field, handle: Any, adapter: str) -> OutputWriter | FileSystemWriter:
    return FileSystemWriter(handle.filesystem()) if field.kind is Kind.FILESYSTEM else OutputWriter(field, adapter)


def _write(output: str, handle: Any, value: Any, adapter: str) -> None:
    if is_spark_frame(value) and callable(getattr(handle, "write_dataframe", None)):
        handle.write_dataframe(value)
    elif callable(getattr(handle, "write_pandas", None)) and hasattr(value, "columns"):
        handle.write_pandas(value)
    elif callable(getattr(handle, "write_table", None)) and hasattr(value, "columns"):
        handle.write_table(value)
    else:
        raise InferenceOutputError(
            adapter, f"output {output!r} ({type(value).__name__}) cannot be written to {type(handle).__name__}.",
            "transform_write takes the transform's own outputs; read a parameter output from transform() instead.",
        )  # fmt: skip
