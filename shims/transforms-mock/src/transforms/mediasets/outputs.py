"""Media sets as a compute function writes them."""

from __future__ import annotations

import shutil
from io import TextIOBase
from typing import IO, TYPE_CHECKING, Any

from transforms._names import Named
from transforms.errors import ModeAfterWriteError, NotAvailableError, WriteArgumentError, WriteModeError
from transforms.mediasets._items import PutResponse, item_rid, reference_template
from transforms.ports import WritePort

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_MODES = ("replace", "modify")


class _MediaSetOutput(Named):
    def __init__(self, port: WritePort) -> None:
        self._port, self._written = port, False

    @property
    def rid(self) -> str:
        """Resource identifier of the media set."""
        return self._port.rid

    @property
    def alias(self) -> str:
        """Path of the media set."""
        return self._port.path

    def set_write_mode(self, mode: str) -> None:
        """``replace`` or ``modify``; before the first upload.

        Raises:
            WriteModeError, ModeAfterWriteError: an unknown mode, or too late.
        """
        if mode not in _MODES:
            raise WriteModeError(self._port.path, mode, _MODES)
        if self._written:
            raise ModeAfterWriteError(self._port.path, mode)
        self._port.set_mode(mode)

    def put_media_item(self, file_like: IO[Any] | bytes, path: str) -> PutResponse:
        """Store the bytes of an opened file under ``path``; a later write to the same path replaces it.

        Raises:
            WriteArgumentError: the file is opened as text, or is no file.
        """
        if not isinstance(file_like, bytes | bytearray | memoryview):
            if not callable(getattr(file_like, "read", None)):
                what = f"put_media_item takes an opened file, got {type(file_like).__name__}."
                raise WriteArgumentError(self._port.path, what)
            if isinstance(file_like, TextIOBase):
                raise WriteArgumentError(self._port.path, "put_media_item takes bytes; open the file in mode 'rb'.")
        self._written = True
        with self._port.create(path, "wb") as target:
            if isinstance(file_like, bytes | bytearray | memoryview):
                target.write(file_like)
            else:
                shutil.copyfileobj(file_like, target)
        return PutResponse(item_rid(self.rid, path))

    def fast_copy_media_item(self, media_set_input: Any, media_item_rid: str, path: str) -> PutResponse:
        """Copy an item of another media set."""
        with media_set_input.get_media_item(media_item_rid) as source:
            return self.put_media_item(source, path)

    def media_reference_template(self) -> str:
        """A reference with ``{}`` where an item's RID belongs, for ``str.format``."""
        return reference_template(self.rid, f"{self.rid}.view")

    def write(self, media_transform: Any, output_path: str | None = None, **options: Any) -> Any:
        """Refused: what would be written is computed by Foundry's media service."""
        raise NotAvailableError(f"write of media set '{self._port.path}'", "Foundry's media service computes it")


class MediaSetOutputParam(_MediaSetOutput):
    """A media set in a Spark transform. Pickles; items may be put on workers."""

    def __init__(self, port: WritePort, spark: SparkSession | None = None) -> None:
        super().__init__(port)

    def put_dataset_files(self, dataset_input: Any, ignore_items_not_matching_schema: bool = False) -> None:
        """Store every file of a dataset under its own path. Files carry no schema here, so none is left out."""
        fs = dataset_input.filesystem()
        for status in fs.ls():
            with fs.open(status.path, "rb") as source:
                self.put_media_item(source, status.path)


class LightweightMediaSetOutputParam(_MediaSetOutput):
    """A media set in a single-node transform."""


__all__ = ["LightweightMediaSetOutputParam", "MediaSetOutputParam"]
