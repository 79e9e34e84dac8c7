"""Tables of single-node transforms become Parquet files in a local folder, which the port then takes over."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

from transforms.api._arrow import foreign_type, plain_table
from transforms.api._write import checked_descriptions
from transforms.errors import LightweightTypeError, LightweightValueError
from transforms.ports import WritePort

if TYPE_CHECKING:
    import pyarrow as pa


class TableWriter:
    """The one table that a single-node output may write in a job."""

    def __init__(self, port: WritePort) -> None:
        self._port = port
        self._folder: str | None = None
        self.written = False

    @property
    def directory(self) -> str:
        """The folder, made on first use and removed once its files are staged."""
        if self._folder is None:
            self._folder = tempfile.mkdtemp(prefix="transforms-output-")
        return self._folder

    def write(self, table: pa.Table, descriptions: Mapping[str, str] | None) -> None:
        """Stage one table.

        Raises:
            LightweightValueError: two columns of one name, also when they differ in case only, as Spark reads neither.
            LightweightTypeError: a column of a type that Spark does not have.
        """
        import pyarrow.parquet

        self._refuse_unreadable(table.schema)
        checked = checked_descriptions(self._port.path, descriptions, table.column_names)
        # Named after the transaction: a later run that adds to the dataset must not replace this file.
        transaction = hashlib.sha256(self._port.transaction_rid.encode()).hexdigest()[:16]
        file = Path(self.directory) / f"part-00000-{transaction}.parquet"
        pyarrow.parquet.write_table(plain_table(table), file, coerce_timestamps="us", allow_truncated_timestamps=True)
        self._stage(checked)

    def write_directory(
        self, path: str | Path | None, descriptions: Mapping[str, str] | None, *, required: bool = False
    ) -> None:
        """Stage the files that user code put into :attr:`directory`.

        Raises:
            LightweightValueError: another path, a file that is no Parquet, or nothing there although something must be.
        """
        if path is not None and Path(_local(str(path))) != Path(self.directory):
            what = f"write_table of '{self._port.path}' takes the path path_for_write_table, got '{path}'."
            raise LightweightValueError(what)
        files = [f for f in Path(self.directory).rglob("*") if f.is_file()]
        for file in files:
            if file.suffix != ".parquet":
                raise LightweightValueError(f"'{self._port.path}' takes Parquet files, got '{file.name}'.")
        if not files and (required or path is not None):
            raise LightweightValueError(f"nothing was put into path_for_write_table of '{self._port.path}'.")
        self._stage(checked_descriptions(self._port.path, descriptions, list(descriptions or {})))

    def _refuse_unreadable(self, schema: pa.Schema) -> None:
        seen: dict[str, str] = {}
        for field in schema:
            if (other := seen.get(field.name.lower())) is not None:
                what = f"the columns '{other}' and '{field.name}' have one name" + (
                    "" if other == field.name else " but for case"
                )
                raise LightweightValueError(f"Cannot write '{self._port.path}': {what}; rename one.")
            seen[field.name.lower()] = field.name
            if (foreign := foreign_type(field.type)) is not None:
                what = f"column '{field.name}' holds {foreign}, which Spark lacks; make it text or a number."
                raise LightweightTypeError(f"Cannot write '{self._port.path}': {what}")

    def _stage(self, descriptions: Mapping[str, str]) -> None:
        self.written = True
        self._port.write_files(self.directory, descriptions)
        shutil.rmtree(self.directory, ignore_errors=True)
        self._folder = None


def _local(path: str) -> str:
    return unquote(urlparse(path).path) if path.startswith("file:") else path
