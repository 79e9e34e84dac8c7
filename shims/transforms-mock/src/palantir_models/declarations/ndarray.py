"""Array-valued parameters: a shape with free dimensions and one element type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from palantir_models.errors import DeclarationError, InferenceInputError
from transforms._names import known_arguments

# What may be given for each kind of element: as for single values, an int may stand for a float, a bool for no number.
_GIVEN = {"b": "b", "i": "iu", "f": "iuf", "U": "U"}
DTYPES = ("str_", "bool_", "int8", "int16", "int32", "int64", "float16", "float32", "float64")


class NDArray:
    """Type of a :class:`~palantir_models.Parameter` that holds a NumPy array.

    Args:
        shape: one length per dimension; ``-1`` leaves that dimension free.
        dtype: a NumPy type or its name, one of :data:`DTYPES`.

    Lists are converted to arrays on the way in; over JSON both directions are nested lists.
    """

    @known_arguments("NDArray")
    def __init__(self, shape: Sequence[int], dtype: object) -> None:
        name = dtype if isinstance(dtype, str) else getattr(dtype, "__name__", str(dtype))
        aliases = {"str": "str_", "bool": "bool_", "int": "int64", "float": "float64"}
        name = aliases.get(name, name)
        if name not in DTYPES:
            raise DeclarationError("NDArray", f"dtype {dtype!r} is not supported.", f"Use one of {', '.join(DTYPES)}.")
        if not all(isinstance(n, int) and n >= -1 for n in shape):
            raise DeclarationError(
                "NDArray", f"shape {tuple(shape)!r} holds something other than lengths.", "Use -1 for a free dimension."
            )
        self.shape = tuple(shape)
        self.dtype = name

    def convert(self, value: object, name: str) -> Any:
        """``value`` as an array of this type. Raises ``InferenceInputError`` naming the parameter when it does not
        fit.
        """
        import numpy as np

        try:
            array = np.asarray(value)
        except ValueError:
            raise InferenceInputError(
                name, "its nested lists have different lengths.", error_type="inconsistentArrayDimensions"
            ) from None
        if array.dtype == object:
            # a pandas column of texts arrives as objects
            array = np.array(array.tolist())
        if array.dtype == object:
            raise InferenceInputError(name, "holds values of mixed types.", f"Give {self.dtype} values.")
        wanted = np.dtype(self.dtype)
        if array.size and array.dtype.kind not in _GIVEN[wanted.kind]:
            raise InferenceInputError(name, f"holds {array.dtype} where {self.dtype} is declared.")
        if wanted.kind == "i" and array.size:
            limits = np.iinfo(wanted)
            outside = [end for end in (array.min(), array.max()) if not limits.min <= end <= limits.max]
            if outside:
                raise InferenceInputError(name, f"holds {outside[0]}, which is too large for {self.dtype}.")
        free = len(array.shape) == len(self.shape)
        if not free or any(w not in (-1, h) for w, h in zip(self.shape, array.shape, strict=True)):
            raise InferenceInputError(
                name, f"has shape {array.shape}, declared is {self.shape}.", error_type="invalidArrayShape"
            )
        return array.astype(wanted, copy=False) if wanted.kind != "U" else array.astype(str)

    def __repr__(self) -> str:
        return f"NDArray(shape={self.shape!r}, dtype={self.dtype!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NDArray) and (self.shape, self.dtype) == (other.shape, other.dtype)

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype))
