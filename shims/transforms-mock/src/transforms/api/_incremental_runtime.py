"""What the function of an ``@incremental`` transform receives: the same objects, with read modes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transforms._names import caller, known_arguments
from transforms.api._empty import empty_frame
from transforms.api._filesystem import FileSystem
from transforms.api._read_modes import checked_mode, seen_mode
from transforms.api._spark_runtime import SparkDataset, TransformInput, TransformOutput
from transforms.errors import PreviousWithoutSchemaError, SchemaMismatchError, TransformTypeError
from transforms.ports import ReadPort, WritePort

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType


def _empty(dataset: SparkDataset, schema: StructType) -> DataFrame:
    return empty_frame(dataset._session("dataframe('previous')"), schema)


class IncrementalTransformInput(TransformInput):
    """A dataset to read, by default only what is new since the last run."""

    def __init__(
        self, port: ReadPort, spark: SparkSession | None = None, *, is_incremental: bool = False, snapshot: bool = False
    ) -> None:
        super().__init__(port, spark)
        self._partial = is_incremental and not snapshot

    @known_arguments("{}.dataframe")
    def dataframe(self, mode: str = "added") -> DataFrame:
        """The rows of one mode.

        Args:
            mode: ``added`` (rows of unprocessed transactions), ``current`` (the whole view) or ``previous`` (the view
                as of the last run). On a run that is not incremental, and always for snapshot inputs, ``added`` is
                everything and
                ``previous`` is empty with the same columns.
        """
        mode = checked_mode(self._port.path, mode)
        if self._partial or mode == "current":
            return self._read(mode)
        if mode == "added":
            return self._read("current")
        if mode not in self._frames:
            schema = self._port.schema("current")
            self._frames[mode] = _empty(self, schema) if schema is not None else self._read("current").limit(0)
        return self._frames[mode]

    @known_arguments("{}.pandas")
    def pandas(self, mode: str = "added") -> pd.DataFrame:
        """The rows of one mode in memory."""
        return self.dataframe(mode).toPandas()

    @known_arguments("{}.filesystem")
    def filesystem(self, mode: str = "added") -> FileSystem:
        """The files of one mode, read-only."""
        mode = checked_mode(self._port.path, mode)
        read_mode = "current" if mode == "added" and not self._partial else mode
        return FileSystem(self._port, read_only=True, read_mode=read_mode, spark=self._spark)


class IncrementalTransformOutput(TransformOutput):
    """A dataset to write, whose earlier content can be read."""

    def __init__(
        self,
        port: WritePort,
        spark: SparkSession | None = None,
        *,
        is_incremental: bool = False,
        strict_append: bool = False,
    ) -> None:
        super().__init__(port, spark)
        self._incremental = is_incremental
        self._strict = is_incremental and strict_append

    @known_arguments("{}.set_mode")
    def set_mode(self, mode: str) -> None:
        """``replace``, ``modify`` or ``append``; before anything is written. Under ``strict_append`` an incremental run
        appends also when told to modify.
        """
        super().set_mode(mode)
        if self._strict and mode == "modify":
            self._port.set_mode("append")

    @known_arguments("{}.dataframe")
    def dataframe(self, mode: str = "current", schema: StructType | None = None) -> DataFrame:
        """The rows of one mode.

        Args:
            mode: ``current`` (what was there plus what this job wrote, or only the latter once it is replaced),
                ``previous`` (what was there when the job started) or ``added`` (what this job wrote).
            schema: what an empty frame looks like; compared with the stored schema where there is one.

        Raises:
            PreviousWithoutSchemaError: ``previous`` on a run that is not incremental, without a schema.
            SchemaMismatchError: types, nullability or order differ from the stored schema.
        """
        mode = self._seen(mode)
        if schema is not None and not hasattr(schema, "fieldNames"):
            raise TransformTypeError(f"schema of {type(self).__name__} is a StructType, got {schema!r}.", caller())
        if mode == "previous" and not self._incremental:
            if schema is None:
                raise PreviousWithoutSchemaError(self._port.path)
            return _empty(self, schema)
        stored = self._port.schema(mode)
        if stored is None and mode == "previous" and schema is None:
            raise PreviousWithoutSchemaError(self._port.path)
        # What a run that starts over found is no measure for what it is going to write.
        fresh = not self._incremental and not self._port.files(mode)
        if schema is not None and (stored is None or fresh):
            return _empty(self, schema)
        if stored is not None and schema is not None and self._incremental:
            compare_schemas(self._port.path, schema, stored)
        return self._read(mode)

    @known_arguments("{}.pandas")
    def pandas(self, mode: str = "current", schema: StructType | None = None) -> pd.DataFrame:
        """The rows of one mode in memory."""
        return self.dataframe(mode, schema).toPandas()

    @known_arguments("{}.filesystem")
    def filesystem(self, mode: str = "current") -> FileSystem:
        """The files of one mode; only ``current`` can be written."""
        seen = self._seen(mode)
        return FileSystem(self._port, read_only=mode != "current", read_mode=seen, spark=self._spark, owner=self)

    def _seen(self, mode: Any) -> str:
        return seen_mode(self._port, mode, self._incremental)


def compare_schemas(dataset: str, given: StructType, stored: StructType) -> None:
    """Order, types and nullability must agree; stored columns are nullable.

    Raises:
        SchemaMismatchError: with the first difference.
    """
    difference = _difference(given, stored)
    if difference:
        raise SchemaMismatchError(dataset, given.simpleString(), stored.simpleString(), difference)


def _difference(given: StructType, stored: StructType) -> str:
    names, known = given.fieldNames(), stored.fieldNames()
    if names != known:
        if sorted(names) == sorted(known):
            return f"the columns are in another order ({', '.join(names)} instead of {', '.join(known)})"
        lacking, extra = [n for n in known if n not in names], [n for n in names if n not in known]
        return f"columns differ (missing: {', '.join(lacking) or 'none'}; not stored: {', '.join(extra) or 'none'})"
    for field, kept in zip(given.fields, stored.fields, strict=True):
        if field.dataType.simpleString() != kept.dataType.simpleString():
            return f"column '{field.name}' is {kept.dataType.simpleString()}, not {field.dataType.simpleString()}"
        if not field.nullable:
            return f"column '{field.name}' is nullable, the given schema says it is not"
    return ""
