"""Any Python object through dill: the serializer of a bare ``auto_serialize``.

The same object gives the same bytes: texts are written by value rather than by identity, and sets in a fixed order.
"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import dill

from palantir_models.serializers.base import ModelSerializer

if TYPE_CHECKING:
    from palantir_models.state import ModelStateReader, ModelStateWriter

# Part of the bytes, hence of the recorded hash: do not follow Python's newest.
PROTOCOL = 4


class _Dispatch(dict[Any, Any]):
    """Our few entries over dill's own table, which dill extends while it runs."""

    def __missing__(self, key: Any) -> Any:
        return dill.Pickler.dispatch[key]

    def get(self, key: Any, default: Any = None) -> Any:
        try:
            return self[key]
        except KeyError:
            return default


class _ByValue(dill.Pickler):
    """Whether two equal texts are one object depends on how they came about; the bytes must not."""

    dispatch = _Dispatch()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seen: dict[object, object] = {}

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if type(obj) in (str, bytes):
            obj = self._seen.setdefault(obj, obj)
        super().save(obj, save_persistent_id)

    def _save_set(self, obj: set[Any] | frozenset[Any]) -> None:
        self.save_reduce(
            type(obj), (sorted(obj, key=lambda e: (type(e).__qualname__, pickle.dumps(e, PROTOCOL))),), obj=obj
        )


_ByValue.dispatch[set] = _ByValue._save_set
_ByValue.dispatch[frozenset] = _ByValue._save_set


class DillSerializer(ModelSerializer[Any]):
    """Stores any object dill can pickle as ``dill.pkl``, functions and classes of the session with what they refer
    to.
    """

    file_name = "dill.pkl"

    def serialize(self, writer: ModelStateWriter, obj: Any) -> None:
        with writer.open(self.file_name, "wb") as stream:
            _ByValue(stream, PROTOCOL, recurse=True).dump(obj)

    def deserialize(self, reader: ModelStateReader) -> Any:
        with reader.open(self.file_name, "rb") as stream:
            return dill.load(stream)  # noqa: S301 - the files of a version are hashed when published, checked before loading
