"""What a Spark transform's function receives. The rules are here; ports only carry out.

Every object drops its Spark session when pickled, so closures may take it to Python workers and open files there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, cast

from transforms._names import Named, caller, known_arguments
from transforms.api._filesystem import FileSystem
from transforms.api._write import frame_of, write_options
from transforms.errors import (
    DriverOnlyError,
    FrameTypeError,
    ModeAfterWriteError,
    TransformTypeError,
    WriteModeError,
    WrittenTwiceError,
)
from transforms.ports import WRITE_MODES, ReadPort, WritePort

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame, SparkSession

_MODES_NEED_INCREMENTAL = "Read modes exist with @incremental above the transform."


class SparkDataset(Named):
    """What inputs and outputs share: identity, metadata, and frames cached per read mode."""

    def __init__(self, port: ReadPort, spark: SparkSession | None = None) -> None:
        self._port, self._spark = port, spark
        self._frames: dict[str, DataFrame] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_spark": None, "_frames": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} '{self._port.path}' on {self._port.branch}>"

    @property
    def rid(self) -> str:
        """Resource identifier of the dataset."""
        return self._port.rid

    @property
    def path(self) -> str:
        """Path of the dataset."""
        return self._port.path

    @property
    def branch(self) -> str:
        """The branch that is read or written."""
        return self._port.branch

    @property
    def start_transaction_rid(self) -> str | None:
        """First transaction of the range."""
        return self._port.start_transaction_rid

    @property
    def end_transaction_rid(self) -> str | None:
        """Last transaction of the range."""
        return self._port.end_transaction_rid

    @property
    def column_descriptions(self) -> dict[str, str]:
        """Column name -> description; columns without one are absent."""
        return dict(self._port.column_descriptions)

    @property
    def column_typeclasses(self) -> dict[str, Sequence[Mapping[str, str]]]:
        """Column name -> list of ``{"kind", "name"}``."""
        return dict(self._port.column_typeclasses)

    @property
    def batch_incremental_configuration(self) -> Any:
        """``None``: how a transaction limit cuts a run is the platform's."""
        return None

    def _session(self, method: str) -> SparkSession:
        if self._spark is None:
            raise DriverOnlyError(self._port.path, method)
        return self._spark

    def _read(self, mode: str) -> DataFrame:
        if mode not in self._frames:
            self._frames[mode] = self._port.dataframe(self._session("dataframe()"), mode)
        return self._frames[mode]


class TransformInput(SparkDataset):
    """A dataset to read."""

    @known_arguments("{}.dataframe", _MODES_NEED_INCREMENTAL)
    def dataframe(self) -> DataFrame:
        """The whole current view; the same object at every call."""
        return self._read("current")

    @known_arguments("{}.pandas", _MODES_NEED_INCREMENTAL)
    def pandas(self) -> pd.DataFrame:
        """The whole current view in memory."""
        return self.dataframe().toPandas()

    @known_arguments("{}.filesystem", _MODES_NEED_INCREMENTAL)
    def filesystem(self) -> FileSystem:
        """The files, read-only."""
        return FileSystem(self._port, read_only=True, spark=self._spark)


class TransformOutput(SparkDataset):
    """A dataset to write, inside this job's transaction.

    Raises:
        WrittenTwiceError: a second frame in one job.
        ModeAfterWriteError, WriteModeError: ``set_mode`` too late, or with an unknown mode.
        FrameTypeError, WriteArgumentError: a write got the wrong frame or impossible arguments.
    """

    _port: WritePort

    def __init__(self, port: WritePort, spark: SparkSession | None = None) -> None:
        super().__init__(port, spark)
        self._framed = self._filed = self._aborted = False

    @classmethod
    def from_transform_output(cls, instance: TransformOutput, delegate: Any = None) -> Self:
        """The same output as another kind of object.

        Raises:
            TransformTypeError: ``instance`` is no output.
        """
        if not isinstance(instance, TransformOutput):
            raise TransformTypeError(f"from_transform_output takes an output, got {instance!r}.", caller())
        copy = cls.__new__(cls)
        copy.__dict__.update(instance.__dict__)
        return copy

    @known_arguments("{}.set_mode")
    def set_mode(self, mode: str) -> None:
        """``replace``, ``modify`` or ``append``; before anything is written."""
        if mode not in WRITE_MODES:
            raise WriteModeError(self._port.path, mode, WRITE_MODES)
        if (self._framed or self._filed) and not self._aborted:
            raise ModeAfterWriteError(self._port.path, mode)
        self._port.set_mode(mode)

    @known_arguments("{}.abort")
    def abort(self) -> None:
        """Drop everything written here, before and after this call; the job itself goes on and succeeds."""
        self._aborted = True
        self._frames.clear()
        self._port.abort()

    @known_arguments("{}.write_dataframe")
    def write_dataframe(
        self,
        df: DataFrame,
        partition_cols: Sequence[str] | None = None,
        bucket_cols: Sequence[str] | None = None,
        bucket_count: int | None = None,
        sort_by: Sequence[str] | None = None,
        output_format: str | None = None,
        options: Mapping[str, Any] | None = None,
        column_descriptions: Mapping[str, str] | None = None,
        column_typeclasses: Mapping[str, Sequence[Mapping[str, str]]] | None = None,
    ) -> None:
        """Write a Spark frame; every column is stored nullable.

        Args:
            df: the rows.
            partition_cols: folders per value (Hive style), still readable as columns.
            bucket_cols, bucket_count: given together.
            sort_by: order inside a bucket.
            output_format: ``parquet`` unless said otherwise; ``csv``, ``json``, ``orc``, ``text``.
            options: for Spark's writer.
            column_descriptions: at most 800 characters each; columns the frame lacks are left out.
            column_typeclasses: lists of ``{"kind", "name"}``, at most 100 characters each.
        """
        if not _is_spark_frame(df):
            raise FrameTypeError(self._port.path, "write_dataframe", "Spark DataFrame", _kind(df))
        choices = write_options(
            self._port.path,
            df.columns,
            partition_cols=partition_cols,
            bucket_cols=bucket_cols,
            bucket_count=bucket_count,
            sort_by=sort_by,
            output_format=output_format,
            options=options,
            column_descriptions=column_descriptions,
            column_typeclasses=column_typeclasses,
        )
        if self._framed and not self._aborted:
            raise WrittenTwiceError(self._port.path)
        self._framed = True
        self._frames = {mode: frame for mode, frame in self._frames.items() if mode == "previous"}
        self._port.write_dataframe(df, choices)

    @known_arguments("{}.write_pandas")
    def write_pandas(self, pandas_df: pd.DataFrame) -> None:
        """Write a pandas frame through Spark, types inferred from it."""
        import pandas as pd

        if not isinstance(pandas_df, pd.DataFrame):
            raise FrameTypeError(self._port.path, "write_pandas", "pandas DataFrame", _kind(pandas_df))
        frame = frame_of(self._session("write_pandas()"), pandas_df, self._port.path)
        self.write_dataframe(cast("DataFrame", frame))

    @known_arguments("{}.write_table", "Partitions, buckets and formats go with write_dataframe.")
    def write_table(
        self, df: Any, column_descriptions: Mapping[str, str] | None = None, engine: str | None = None
    ) -> None:
        """Write any in-memory table: Spark, pandas, Polars or Arrow. ``engine=`` is taken and has no effect here."""
        frame = df if _is_spark_frame(df) else frame_of(self._session("write_table()"), df, self._port.path)
        if frame is None:
            raise FrameTypeError(self._port.path, "write_table", "Spark, pandas, Polars or Arrow table", _kind(df))
        self.write_dataframe(frame, column_descriptions=column_descriptions)

    @known_arguments("{}.dataframe", _MODES_NEED_INCREMENTAL)
    def dataframe(self) -> DataFrame:
        """The whole view of the output: as the job found it, with what this job wrote."""
        return self._read("current")

    @known_arguments("{}.pandas", _MODES_NEED_INCREMENTAL)
    def pandas(self) -> pd.DataFrame:
        """The whole view of the output in memory."""
        return self.dataframe().toPandas()

    @known_arguments("{}.filesystem", _MODES_NEED_INCREMENTAL)
    def filesystem(self) -> FileSystem:
        """The files; those opened for writing become part of the transaction."""
        return FileSystem(self._port, spark=self._spark, owner=self)

    def _before_file_write(self, path: str) -> None:
        self._filed = True


def _is_spark_frame(value: Any) -> bool:
    from pyspark.sql import DataFrame

    return isinstance(value, DataFrame)


def _kind(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}" if value is not None else "None"
