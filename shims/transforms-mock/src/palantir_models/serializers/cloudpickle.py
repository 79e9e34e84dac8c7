"""Any Python object through cloudpickle."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

from palantir_models.serializers.base import ModelSerializer, package

if TYPE_CHECKING:
    from palantir_models.state import ModelStateReader, ModelStateWriter


class CloudPickleSerializer(ModelSerializer[Any]):
    """Stores any object cloudpickle can pickle as ``cloudpickle.pkl``."""

    file_name = "cloudpickle.pkl"

    def serialize(self, writer: ModelStateWriter, obj: Any) -> None:
        cloudpickle = package("cloudpickle", type(self).__name__)
        with writer.open(self.file_name, "wb") as stream:
            cloudpickle.dump(obj, stream, protocol=4)

    def deserialize(self, reader: ModelStateReader) -> Any:
        with reader.open(self.file_name, "rb") as stream:
            return pickle.load(stream)  # noqa: S301 - the files of a version are hashed when published, checked on loading
