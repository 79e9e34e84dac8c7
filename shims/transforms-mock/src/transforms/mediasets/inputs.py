"""Media sets as a compute function reads them."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, NoReturn

from transforms._names import Named
from transforms.api._empty import empty_frame
from transforms.api._filesystem import is_hidden
from transforms.errors import DriverOnlyError, MediaItemError, NotAvailableError, ReadModeError
from transforms.mediasets._items import MediaItem, MediaItemMetadata, item_rid, media_type, reference
from transforms.ports import READ_MODES, ReadPort

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame, SparkSession

_SERVER_SIDE = ("transform_", "transform")


class _MediaSetInput(Named):
    def __init__(self, port: ReadPort, partial: bool) -> None:
        self._port, self._partial = port, partial

    def __getattr__(self, name: str) -> Any:
        if name.startswith(_SERVER_SIDE):
            return lambda *args, **kwargs: self._refuse(name)
        return super().__getattr__(name)

    def _refuse(self, method: str) -> NoReturn:
        what = "Foundry's media service computes it; open the item with get_media_item and use a library of your own"
        raise NotAvailableError(f"{method} of media set '{self._port.path}'", what)

    @property
    def rid(self) -> str:
        """Resource identifier of the media set."""
        return self._port.rid

    @property
    def alias(self) -> str:
        """Path of the media set."""
        return self._port.path

    def _mode(self, mode: str | None) -> str:
        if mode is None:
            return "added" if self._partial else "current"
        if mode not in READ_MODES:
            raise ReadModeError(self._port.path, mode, READ_MODES)
        return "current" if mode == "added" and not self._partial else mode

    def _paths(self, mode: str | None = None) -> list[str]:
        return [f.path for f in self._port.files(self._mode(mode)) if not is_hidden(f.path)]

    def _listing(self, mode: str | None, references: bool) -> pd.DataFrame:
        import pandas as pd

        paths = self._paths(mode)
        columns = {"mediaItemRid": [item_rid(self.rid, p) for p in paths], "path": paths}
        if references:
            columns["mediaReference"] = [reference(self.rid, f"{self.rid}.view", p) for p in paths]
        return pd.DataFrame(columns, dtype="object")

    def get_media_item_by_path(self, path: str) -> IO[bytes]:
        """The item's bytes as a stream, usable in ``with``.

        Raises:
            MediaItemError: no item has this path.
        """
        if path not in self._paths("current"):
            raise MediaItemError(self._port.path, path, tuple(self._paths("current")))
        return self._port.open(path, "rb", read_mode="current")

    def get_media_item(self, media_item_rid: str) -> IO[bytes]:
        """The item's bytes as a stream, usable in ``with``.

        Raises:
            MediaItemError: no item has this RID.
        """
        return self._port.open(self._path_of(media_item_rid), "rb", read_mode="current")

    def get_media_item_rid_by_path(self, path: str) -> MediaItem:
        """The item of a path; its RID is in ``.item``."""
        if path not in self._paths("current"):
            raise MediaItemError(self._port.path, path, tuple(self._paths("current")))
        return MediaItem(item_rid(self.rid, path), path)

    def get_media_item_metadata(self, media_item_rid: str) -> MediaItemMetadata:
        """Path, size and media type. What Foundry reads out of documents and images (pages, dimensions) is absent."""
        path = self._path_of(media_item_rid)
        size = next(f.size for f in self._port.files("current") if f.path == path)
        return MediaItemMetadata(path, size, media_type(path))

    def _path_of(self, media_item_rid: str) -> str:
        for path in self._paths("current"):
            if item_rid(self.rid, path) == media_item_rid:
                return path
        raise MediaItemError(self._port.path, media_item_rid, ())


class MediaSetInputParam(_MediaSetInput):
    """A media set in a Spark transform. Pickles; items may be opened on workers."""

    def __init__(self, port: ReadPort, spark: SparkSession | None = None, *, partial: bool = False) -> None:
        super().__init__(port, partial)
        self._spark = spark

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_spark": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def _frame(self, mode: str | None, references: bool) -> DataFrame:
        if self._spark is None:
            raise DriverOnlyError(self._port.path, "the listing")
        from pyspark.sql.types import StringType, StructField, StructType

        table = self._listing(mode, references)
        schema = StructType([StructField(name, StringType()) for name in table.columns])
        return self._spark.createDataFrame(table, schema) if len(table) else empty_frame(self._spark, schema)

    def list_media_items_by_path(self, ctx: Any = None) -> DataFrame:
        """Columns ``mediaItemRid`` and ``path``, one row per item."""
        return self._frame(None, references=False)

    def list_media_items_by_path_with_media_reference(self, ctx: Any = None) -> DataFrame:
        """Columns ``mediaItemRid``, ``path`` and ``mediaReference``, one row per item."""
        return self._frame(None, references=True)

    def dataframe(self, deduplicate_by_path: bool = True, mode: str | None = None) -> DataFrame:
        """The listing of one mode; a path exists once here, so there is nothing to deduplicate."""
        return self._frame(mode, references=True)


class _Listing:
    """A listing of a single-node transform, in three forms."""

    def __init__(self, table: pd.DataFrame) -> None:
        self._table = table

    def pandas(self) -> pd.DataFrame:
        """As a pandas frame."""
        return self._table

    def polars(self) -> Any:
        """As a Polars frame."""
        import polars as pl

        columns = {name: self._table[name].tolist() for name in self._table.columns}
        return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))

    def arrow(self) -> Any:
        """As an Arrow table."""
        import pyarrow as pa

        schema = pa.schema([(name, pa.string()) for name in self._table.columns])
        return pa.Table.from_pandas(self._table, schema=schema, preserve_index=False)


class LightweightMediaSetInputParam(_MediaSetInput):
    """A media set in a single-node transform."""

    def __init__(self, port: ReadPort, *, partial: bool = False) -> None:
        super().__init__(port, partial)

    def list_media_items_by_path(self) -> _Listing:
        """Columns ``mediaItemRid`` and ``path``, one row per item."""
        return _Listing(self._listing(None, references=False))

    def list_media_items_by_path_with_media_reference(self) -> _Listing:
        """Columns ``mediaItemRid``, ``path`` and ``mediaReference``, one row per item."""
        return _Listing(self._listing(None, references=True))

    def dataframe(self, deduplicate_by_path: bool = True, mode: str | None = None) -> pd.DataFrame:
        """The listing of one mode as a pandas frame."""
        return self._listing(mode, references=True)


__all__ = ["LightweightMediaSetInputParam", "MediaSetInputParam"]
