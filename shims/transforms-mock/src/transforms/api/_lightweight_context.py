"""``ctx`` of a single-node transform, and its DuckDB door."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from transforms._names import Named, known_arguments
from transforms.api._context import _Context
from transforms.api._filesystem import is_hidden
from transforms.api._lightweight import IncrementalLightweightInput, LightweightInput
from transforms.api._read_modes import checked_mode
from transforms.errors import (
    LightweightTypeError,
    LightweightValueError,
    UnknownAttributeError,
)


class LightweightContext(_Context):
    """``ctx`` of a single-node transform; there is no Spark session."""

    def __init__(
        self,
        is_incremental: bool = False,
        inputs: Mapping[str, Any] | None = None,
        *,
        auth_header: str = "",
    ) -> None:
        super().__init__(auth_header)
        self._is_incremental = is_incremental
        self._inputs = dict(inputs or {})

    def __getattr__(self, name: str) -> Any:
        if name == "spark_session":
            note = "A single-node transform has no Spark; use @transform or @transform.spark.using."
            raise UnknownAttributeError("LightweightContext", name, (), note)
        if name == "parameters":
            note = "Declare a parameter (StringParam and its siblings) and read its .value."
            raise UnknownAttributeError("LightweightContext", name, (), note)
        return super().__getattr__(name)

    @property
    def is_incremental(self) -> bool:
        """Whether this run reads only what is new; false without ``@incremental``."""
        return self._is_incremental

    @known_arguments("LightweightContext.duckdb")
    def duckdb(self, read_modes: Mapping[Any, str] | None = None) -> DuckDb:
        """A DuckDB connection in which every dataset input is a table named after its parameter.

        Args:
            read_modes: input object -> ``added``, ``current`` or ``previous``.

        Raises:
            LightweightTypeError: a key is no dataset input of this transform.
            ReadModeError: a mode does not exist.
            LightweightValueError: a mode other than ``current`` without ``@incremental``.
        """
        inputs = {n: v for n, v in self._inputs.items() if isinstance(v, LightweightInput)}
        return DuckDb(inputs, _checked_modes(inputs, read_modes or {}))


def _checked_modes(inputs: Mapping[str, LightweightInput], modes: Mapping[Any, str]) -> Mapping[Any, str]:
    if not isinstance(modes, Mapping):
        raise LightweightTypeError(f"read_modes is a dict from input object to mode, got {modes!r}.")
    for dataset, mode in modes.items():
        if not any(dataset is known for known in inputs.values()):
            what = f"read_modes takes the dataset inputs of the transform ({', '.join(inputs) or 'none'}) as keys"
            hint = " The object itself, not its name." if isinstance(dataset, str) else ""
            raise LightweightTypeError(f"{what}, got {dataset!r}.{hint}")
        if checked_mode(dataset.alias, mode) != "current" and not isinstance(dataset, IncrementalLightweightInput):
            what = f"'{dataset.alias}' has no mode '{mode}': read modes exist with @incremental above the transform."
            raise LightweightValueError(what)
    return modes


class DuckDb(Named):
    """Holder of :attr:`conn`."""

    def __init__(self, inputs: Mapping[str, LightweightInput], read_modes: Mapping[Any, str]) -> None:
        self._inputs, self._read_modes = inputs, read_modes

    @cached_property
    def conn(self) -> DuckDbConnection:
        """The connection, with the inputs registered."""
        return DuckDbConnection(self._inputs, self._read_modes)


class DuckDbConnection:
    """DuckDB's own connection plus ``sql_from_file`` and ``<input>_files()``."""

    def __init__(self, inputs: Mapping[str, LightweightInput], read_modes: Mapping[Any, str]) -> None:
        import duckdb

        self._connection = duckdb.connect()
        for name, dataset in inputs.items():
            mode = read_modes.get(dataset, "added" if isinstance(dataset, IncrementalLightweightInput) else "current")
            files_mode = dataset._files_mode(mode) if isinstance(dataset, IncrementalLightweightInput) else mode
            files = [f for f in dataset._port.files(files_mode) if not is_hidden(f.path)]
            if dataset._port.schema(files_mode) is not None or not files:
                self._connection.register(name, dataset._arrow(mode))
            locations = [f.location.removeprefix("file://") for f in files]
            if any("://" in location for location in locations):
                folder = dataset._port.local_directory(files_mode)
                locations = [f"{folder}/{f.path}" for f in files]
            quoted = ", ".join("'" + location.replace("'", "''") + "'" for location in locations)
            # As a table for FROM, and as a list for read_csv(...) and read_parquet(...).
            listed = f"[{quoted}]::VARCHAR[]"
            self._connection.execute(f'CREATE MACRO "{name}_files"() AS TABLE SELECT unnest({listed}) AS file')
            self._connection.execute(f'CREATE MACRO "{name}_files"() AS {listed}')

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._connection, name)

    def sql_from_file(self, path: str, **kwargs: Any) -> Any:
        """Run the SQL of a file; a relative path starts at the folder of the calling file.

        Raises:
            LightweightValueError: the file is missing.
        """
        at = Path(path)
        if not at.is_absolute():
            at = Path(sys._getframe(1).f_code.co_filename).parent / at
        if not at.is_file():
            raise LightweightValueError(f"sql_from_file found no file at {at}.")
        return self._connection.sql(at.read_text(), **kwargs)
