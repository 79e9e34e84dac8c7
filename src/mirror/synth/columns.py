"""Arrow columns around what lies in memory already. ``pa.array`` would load pandas, only to ask whether it got some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

Values = np.ndarray[Any, Any]


def numbers(values: Values, kind: pa.DataType, missing: Values | None = None) -> pa.Array:
    """A column of ``kind``, whose width is that of ``values`` (booleans are packed); null where ``missing`` says so."""
    valid = pa.py_buffer(_bits(~missing)) if missing is not None and missing.any() else None
    data = _bits(values) if values.dtype == np.bool_ else np.ascontiguousarray(values)
    return pa.Array.from_buffers(kind, values.size, [valid, pa.py_buffer(data)])


def texts(words: Sequence[str]) -> pa.StringArray:
    """A column of texts without nulls."""
    written = [word.encode() for word in words]
    return pa.StringArray.from_buffers(
        len(written), _ends([len(word) for word in written]), pa.py_buffer(b"".join(written))
    )


def lists(of: Sequence[Sequence[str]]) -> pa.ListArray:
    """A column of lists of texts; neither a list nor a text is null."""
    flat = texts([word for words in of for word in words])
    kind = pa.list_(pa.string())
    return pa.Array.from_buffers(kind, len(of), [None, _ends([len(words) for words in of])], children=[flat])


def _ends(lengths: Sequence[int]) -> pa.Buffer:
    return pa.py_buffer(np.cumsum([0, *lengths], dtype=np.int32))


def _bits(flags: Values) -> Values:
    return np.packbits(flags, bitorder="little")
