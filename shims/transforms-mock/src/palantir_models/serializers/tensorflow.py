"""Keras models in TensorFlow's directory format or as one file."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palantir_models.serializers.base import ModelSerializer, package

if TYPE_CHECKING:
    from palantir_models.state import ModelStateReader, ModelStateWriter


class TensorflowFormat(StrEnum):
    """How a Keras model is stored: a SavedModel directory, one HDF5 file, or one Keras file."""

    DIR = "DIR"
    H5 = "H5"
    KERAS = "KERAS"


_FILES = {TensorflowFormat.H5: "model.h5", TensorflowFormat.KERAS: "model.keras"}


class TensorflowKerasSerializer(ModelSerializer[Any]):
    """Stores a Keras model below ``tensorflow_saved_model_dir``; loading compiles it without its training set-up.

    Keras 3 (TensorFlow 2.16 and later) no longer keeps a model in a directory: name ``KERAS`` or ``H5`` there.

    Raises:
        ValueError: the format is none of DIR, H5, KERAS, or this Keras does not store it.
    """

    directory = "tensorflow_saved_model_dir"

    def __init__(
        self,
        format: TensorflowFormat | str = TensorflowFormat.DIR,
        custom_objects: Mapping[str, Any] | None = None,
    ) -> None:
        names = ", ".join(TensorflowFormat)
        if str(format).upper().lstrip(".") not in tuple(TensorflowFormat):
            raise ValueError(f"TensorflowKerasSerializer has no format {format!r}; it has {names}.")
        self.format = TensorflowFormat(str(format).upper().lstrip("."))
        self.custom_objects = custom_objects

    def serialize(self, writer: ModelStateWriter, obj: Any) -> None:
        package("tensorflow", type(self).__name__)
        path = self._path(writer.mkdir(self.directory))
        try:
            obj.save(path)
        except ValueError as error:
            raise self._refused(error) from error

    def deserialize(self, reader: ModelStateReader) -> Any:
        keras = package("tensorflow", type(self).__name__).keras
        path = self._path(reader.dir(self.directory))
        try:
            model = keras.models.load_model(path, custom_objects=self.custom_objects, compile=False)
        except ValueError as error:
            raise self._refused(error) from error
        model.compile()
        return model

    def _refused(self, error: ValueError) -> ValueError:
        """Keras refuses a directory or an extension in words of its own; this names the formats that there are."""
        return ValueError(
            f"Keras does not take this model in the format {self.format} of {', '.join(TensorflowFormat)}"
            f" (Keras 3 takes H5 and KERAS only): {error}"
        )

    def _path(self, directory: str) -> str:
        return str(Path(directory) / _FILES[self.format]) if self.format in _FILES else directory
