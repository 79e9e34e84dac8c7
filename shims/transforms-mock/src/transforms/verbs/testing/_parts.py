"""What an in-memory dataset is made of: one part per write, each a frame, a folder of files, or both."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transforms.ports import FileEntry, WriteOptions

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

_SCRATCH: tempfile.TemporaryDirectory[str] | None = None


def scratch_folder() -> Path:
    """A new folder that vanishes with the process."""
    global _SCRATCH
    if _SCRATCH is None:
        _SCRATCH = tempfile.TemporaryDirectory(prefix="transforms-memory-")
    return Path(tempfile.mkdtemp(dir=_SCRATCH.name))


def nullable(schema: StructType) -> StructType:
    """The same schema as storage keeps it: every column, nested ones included, nullable."""
    from pyspark.sql.types import ArrayType, DataType, MapType, StructField, StructType

    def of(kind: DataType) -> DataType:
        if isinstance(kind, StructType):
            return StructType([StructField(f.name, of(f.dataType), True, f.metadata) for f in kind.fields])
        if isinstance(kind, ArrayType):
            return ArrayType(of(kind.elementType), True)
        if isinstance(kind, MapType):
            return MapType(of(kind.keyType), of(kind.valueType), True)
        return kind

    return of(schema)  # type: ignore[return-value]


class Part:
    """One write. Pickles without its frame: what was never in files is written to some first."""

    def __init__(
        self,
        frame: DataFrame | None = None,
        folder: Path | None = None,
        schema: StructType | None = None,
        options: WriteOptions | None = None,
    ) -> None:
        self._frame, self._folder = frame, folder
        self.schema = nullable(frame.schema) if frame is not None else schema
        self.options = options or WriteOptions()

    def __getstate__(self) -> dict[str, Any]:
        self.folder()
        return {**self.__dict__, "_frame": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def frame(self, spark: SparkSession) -> DataFrame | None:
        """The rows, or ``None`` when the part holds files without a schema."""
        if self.schema is None:
            return None
        if self._frame is not None and self._frame.sparkSession is not spark:
            # The rows must obey the settings of the session that reads them, which may be a job's own one.
            self.folder()
        if self._frame is not None:
            return spark.createDataFrame(self._frame.rdd, self.schema) if self._needs_nullable() else self._frame
        reader = spark.read.schema(self.schema).options(**dict(self.options.options)).format(self.options.output_format)
        return reader.load(str(self._folder))

    def _needs_nullable(self) -> bool:
        return self._frame is not None and self._frame.schema != self.schema

    def folder(self) -> Path:
        """The files, written now if the part was only a frame."""
        if self._folder is None:
            self._folder = scratch_folder()
        if self._frame is not None:
            self._frame.write.mode("overwrite").parquet(str(self._folder))
            self._frame = None
        return self._folder

    def replacing(self, written: Mapping[str, Path]) -> Part:
        """The same part with other bytes under the paths that it has."""
        ours = {entry.path: Path(entry.location) for entry in self.files()}
        if not ours.keys() & written.keys():
            return self
        folder = scratch_folder()
        # file by file, because Hadoop's checksums beside them would belong to other bytes
        for path, file in ours.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(written.get(path, file), target)
        return Part(folder=folder, schema=self.schema, options=self.options)

    def files(self) -> list[FileEntry]:
        """Every file, Spark's own markers left out."""
        folder = self.folder()
        found = []
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            if file.name == "_SUCCESS" or file.suffix == ".crc":
                continue
            stat = file.stat()
            path = file.relative_to(folder).as_posix()
            found.append(FileEntry(path, stat.st_size, stat.st_mtime_ns // 1_000_000, str(file)))
        return found


def view_files(parts: Sequence[Part]) -> list[FileEntry]:
    """The files of consecutive parts; a later file replaces an earlier one of the same path."""
    found = {entry.path: entry for part in parts for entry in part.files()}
    return [found[path] for path in sorted(found)]


def with_replaced_files(parts: Sequence[Part], loose: Part) -> list[Part]:
    """The parts with the files of ``loose`` in the place of those of the same path, whose rows are then not read."""
    written = {entry.path: Path(entry.location) for entry in loose.files()}
    return [part.replacing(written) if written and part.schema is not None else part for part in parts]


def view_schema(parts: Sequence[Part]) -> StructType | None:
    """The columns of consecutive parts; those that came later stand behind."""
    from pyspark.sql.types import StructType

    schemas = [part.schema for part in parts if part.schema is not None]
    if not schemas:
        return None
    fields = {field.name: field for schema in reversed(schemas) for field in reversed(schema.fields)}
    return StructType(list(reversed(list(fields.values()))))


def view_folder(parts: Sequence[Part]) -> str:
    """One folder that holds every file of the parts under its logical path."""
    if len(parts) == 1:
        return str(parts[0].folder())
    merged = scratch_folder()
    for entry in view_files(parts):
        target = merged / entry.path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(entry.location, target)
    return str(merged)
