"""PyTorch models by their state dict."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

from palantir_models.serializers.base import ModelSerializer, package

if TYPE_CHECKING:
    from palantir_models.state import ModelStateReader, ModelStateWriter


class PytorchStateSerializer(ModelSerializer[Any]):
    """Stores a state dict (or that of a module) as ``model_state_dict.pt`` and gives a state dict back, on the CPU.

    The adapter's constructor builds its module and calls ``load_state_dict``.
    """

    file_name = "model_state_dict.pt"

    def serialize(self, writer: ModelStateWriter, obj: Any) -> None:
        torch = package("torch", type(self).__name__, "pytorch")
        state = obj.state_dict() if callable(getattr(obj, "state_dict", None)) else obj
        with writer.open(self.file_name, "wb") as stream:
            torch.save(state, stream)

    def deserialize(self, reader: ModelStateReader) -> Any:
        torch = package("torch", type(self).__name__, "pytorch")
        with reader.open(self.file_name, "rb") as stream:
            try:
                return torch.load(stream, map_location="cpu", weights_only=True)
            except pickle.UnpicklingError:
                # a state dict may hold more than tensors, e.g. what a module's get_extra_state gave; as with dill, the
                # files of a version are hashed when published and checked before loading
                stream.seek(0)
                return torch.load(stream, map_location="cpu", weights_only=False)
