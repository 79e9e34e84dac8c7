"""Fitted numbers as files that are the same bytes for the same numbers, on every machine and in every process.

Pickles are not: they record which equal objects happened to be one, and the node records of a tree carry padding bytes
that nobody ever wrote. An array in the ``.npy`` layout is its shape, its type and its values.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from palantir_models.serializers import ModelSerializer

if TYPE_CHECKING:
    from palantir_models.state import ModelStateReader, ModelStateWriter

Arrays = Mapping[str, NDArray[Any]]


def digest(names: Sequence[str], arrays: Arrays) -> str:
    """The sha256 of the arrays together with the feature names in their order."""
    found = hashlib.sha256(json.dumps(list(names)).encode())
    for key in sorted(arrays):
        value = _portable(arrays[key])
        found.update(f"{key} {value.dtype.str} {value.shape}".encode())
        found.update(value.tobytes())
    return found.hexdigest()


def _portable(value: NDArray[Any]) -> NDArray[Any]:
    """Contiguous and little-endian, whatever the machine prefers."""
    return np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))


def write_arrays(writer: ModelStateWriter, arrays: Arrays) -> None:
    """One ``<key>.npy`` per array; keys may contain ``/``."""
    for key in sorted(arrays):
        with writer.open(f"{key}.npy", "wb") as stream:
            np.save(stream, _portable(arrays[key]), allow_pickle=False)


def read_arrays(reader: ModelStateReader, keys: Sequence[str]) -> dict[str, NDArray[Any]]:
    """What :func:`write_arrays` wrote. No object is ever unpickled."""
    found = {}
    for key in keys:
        with reader.open(f"{key}.npy", "rb") as stream:
            found[key] = np.load(stream, allow_pickle=False)
    return found


class ArraysSerializer(ModelSerializer[Arrays]):
    """A mapping of names to arrays of numbers, with an index of the names."""

    def serialize(self, writer: ModelStateWriter, obj: Arrays) -> None:
        write_arrays(writer, obj)
        with writer.open("index.json", "w") as stream:
            json.dump(sorted(obj), stream)

    def deserialize(self, reader: ModelStateReader) -> Arrays:
        with reader.open("index.json", "r") as stream:
            keys = json.load(stream)
        return read_arrays(reader, keys)
