"""What ``transform`` hands back, and the writers ``run_inference`` fills."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from palantir_models.declarations.fields import Api, Field, Kind
from palantir_models.errors import InferenceOutputError, nearest


class InferenceResults:
    """The outputs of one inference, as attributes (``results.df_out``) and by subscript (``results["df_out"]``).

    With a single tabular output a subscript that is no output name picks that frame's column.
    """

    def __init__(self, values: Mapping[str, Any], adapter: str) -> None:
        self.__dict__.update(_values=dict(values), _adapter=adapter)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in self.__dict__.get("_values", {}):
            return self._values[name]
        raise AttributeError(self._unknown(name))

    def __getitem__(self, name: str) -> Any:
        if name in self._values:
            return self._values[name]
        frames = [v for v in self._values.values() if hasattr(v, "columns")]
        if len(self._values) == 1 and frames and name in frames[0].columns:
            return frames[0][name]
        raise KeyError(self._unknown(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"InferenceResults({', '.join(self._values)})"

    def _unknown(self, name: str) -> str:
        return f"{self._adapter} has no output {name!r}; it has {', '.join(self._values)}.{nearest(name, self._values)}"


class OutputWriter:
    """One output inside ``run_inference``: ``write(value)`` once or several times, the last value stands."""

    def __init__(self, field: Field, adapter: str) -> None:
        self._field = field
        self._adapter = adapter
        self._value: Any = field.default
        self._written = False

    def write(self, value: Any) -> None:
        """Sets this output. Raises ``InferenceOutputError`` when the value is not what the output declares."""
        self._value = checked_output(self._field, value, self._adapter)
        self._written = True

    def result(self) -> Any:
        """The written value, or a parameter's default. Raises ``InferenceOutputError`` when nothing was written."""
        if not self._written and self._field.kind is not Kind.PARAMETER:
            raise InferenceOutputError(
                f"{self._adapter}.run_inference", f"wrote nothing to output {self._field.name!r}.",
                f"Call outputs.{self._field.name}.write(...).",
            )  # fmt: skip
        return self._value


class FileSystemWriter:
    """A file-system output inside ``run_inference``: ``open`` writes files of the output dataset."""

    def __init__(self, filesystem: Any) -> None:
        self._filesystem = filesystem

    def open(self, path: str, mode: str = "w", **kwargs: Any) -> Any:
        """A stream over one file of the output dataset."""
        return self._filesystem.open(path, mode, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._filesystem, name)


def is_frame(value: object) -> bool:
    """Whether a value is a pandas or Spark frame, told without importing either."""
    return any(
        t.__name__ == "DataFrame" and t.__module__.split(".")[0] in ("pandas", "pyspark", "polars")
        for t in type(value).__mro__
    )


def is_spark_frame(value: object) -> bool:
    """Whether a value is a Spark frame (classic or Connect)."""
    return is_frame(value) and type(value).__module__.startswith("pyspark.sql")


def checked_output(field: Field, value: Any, adapter: str) -> Any:
    """``value`` as the declared output. Raises ``InferenceOutputError`` when a frame is declared and none was given."""
    if field.kind is Kind.TABULAR and not is_frame(value):
        raise InferenceOutputError(
            adapter,
            f"gave {type(value).__name__} for output {field.name!r}.",
            "It is declared as tabular: give a frame.",
        )
    if field.kind is Kind.FILESYSTEM:
        raise InferenceOutputError(
            adapter, f"output {field.name!r} is a file system.", "Use transform_write and open files on it."
        )
    return value


def single_result(api: Api, value: Any, adapter: str) -> dict[str, Any]:
    """What ``predict`` returned, as the one declared output."""
    if len(api.outputs) != 1:
        raise InferenceOutputError(
            adapter, f"declares {len(api.outputs)} outputs but has only predict.",
            "predict serves exactly one tabular or parameter output; write run_inference(self, inputs, outputs).",
        )  # fmt: skip
    field = api.outputs[0]
    return {field.name: checked_output(field, value, adapter)}
