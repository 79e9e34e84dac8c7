"""The one normal form of both declaration styles: an :class:`Api` of :class:`Field` s, and its wire document."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from palantir_models.declarations.datatypes import check_column_type, fits, type_name, wire_type
from palantir_models.declarations.ndarray import NDArray
from palantir_models.errors import DeclarationError, InferenceInputError
from transforms._names import known_arguments


class DFType(StrEnum):
    """The frame a tabular input arrives as."""

    SPARK = "spark"
    PANDAS = "pandas"


@dataclass(frozen=True)
class ModelApiColumn:
    """One declared column of a tabular input or output; ``required`` counts only where the platform enforces
    columns.
    """

    name: str
    type: Any = Any
    required: bool = True

    def __post_init__(self) -> None:
        check_column_type(self.type, f"column {self.name!r}")


if not TYPE_CHECKING:
    ModelApiColumn.__init__ = known_arguments("ModelApiColumn")(ModelApiColumn.__init__)

ColumnsLike = Sequence["str | tuple[str, Any] | ModelApiColumn"]


def columns_of(declared: ColumnsLike | None) -> tuple[ModelApiColumn, ...]:
    """Columns from names (type ``Any``), ``(name, type)`` pairs or :class:`ModelApiColumn` s. ``None`` declares
    none.
    """
    result: list[ModelApiColumn] = []
    for item in declared or ():
        if isinstance(item, ModelApiColumn):
            result.append(item)
        elif isinstance(item, str):
            result.append(ModelApiColumn(item))
        elif isinstance(item, tuple | list) and len(item) == 2 and isinstance(item[0], str):
            result.append(ModelApiColumn(item[0], item[1]))
        else:
            raise DeclarationError(f"column {item!r}", "is neither a name nor a (name, type) pair.")
    names = [c.name for c in result]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise DeclarationError(f"column {twice[0]!r}", "is declared twice.")
    return tuple(result)


def check_parameter(declared: Any, default: Any, where: str) -> None:
    """Raises ``DeclarationError`` naming ``where`` for a type no parameter has, or a default that is not of it."""
    if isinstance(declared, NDArray):
        try:
            fit = default is None or declared.convert(default, where) is not None
        except InferenceInputError as error:
            raise DeclarationError(where, f"default {default!r} is no {declared!r}: it {error.reason}") from None
    else:
        check_column_type(declared, where)
        fit = default is None or fits(default, declared)
    if not fit:
        raise DeclarationError(where, f"default {default!r} is no {type_name(declared)}.")


class Kind(StrEnum):
    """What a declared input or output carries."""

    TABULAR = "tabular"
    PARAMETER = "parameter"
    FILESYSTEM = "filesystem"
    MEDIA_REFERENCE = "mediaReference"
    OBJECT = "object"
    OBJECT_SET = "objectSet"


@dataclass(frozen=True)
class Field:
    """One declared input or output.

    Attributes:
        frame: the frame a tabular value arrives as; ``None`` accepts pandas and Spark as they come.
        columns: declared columns; empty declares none, extra columns are always legal.
        type, default: of a parameter.
        required: whether a call may leave it out.
    """

    name: str
    kind: Kind
    frame: DFType | None = None
    columns: tuple[ModelApiColumn, ...] = ()
    type: Any = Any
    default: Any = None
    required: bool = True

    def wire(self) -> dict[str, Any]:
        """The document of this field as the public API spells it; kinds the wire does not know keep their own name."""
        if self.kind is Kind.TABULAR:
            return {
                "type": "tabular",
                "name": self.name,
                "required": self.required,
                "columns": [
                    {"name": c.name, "required": c.required, "dataType": wire_type(c.type)} for c in self.columns
                ],
                "format": (self.frame or DFType.PANDAS).name,
            }
        document: dict[str, Any] = {"type": self.kind.value, "name": self.name, "required": self.required}
        if self.kind is Kind.PARAMETER:
            document["dataType"] = (
                {"type": "array", "itemType": {"type": "any"}, "shape": list(self.type.shape), "dtype": self.type.dtype}
                if isinstance(self.type, NDArray)
                else wire_type(self.type)
            )
        return document

    def __str__(self) -> str:
        if self.kind is Kind.PARAMETER:
            return f"{self.name}: {type_name(self.type)}"
        return f"{self.name}: {self.kind.value}" + (f" ({self.frame.value})" if self.frame else "")


@dataclass(frozen=True)
class Api:
    """Declared inputs and outputs in order, names unique on each side."""

    inputs: tuple[Field, ...]
    outputs: tuple[Field, ...]

    @classmethod
    def of(cls, inputs: Iterable[Field], outputs: Iterable[Field], where: str) -> Api:
        """Checks the names. Raises ``DeclarationError`` naming ``where`` for a name that is taken or no identifier."""
        sides = (tuple(inputs), tuple(outputs))
        for side, label in zip(sides, ("input", "output"), strict=True):
            seen: set[str] = set()
            for field in side:
                if not field.name.isidentifier():
                    raise DeclarationError(where, f"{label} {field.name!r} is no Python name.")
                if field.name in seen:
                    raise DeclarationError(where, f"{label} {field.name!r} is declared twice.")
                seen.add(field.name)
        return cls(*sides)

    def input_names(self) -> list[str]:
        """Names of the inputs, in declared order."""
        return [f.name for f in self.inputs]

    def output_names(self) -> list[str]:
        """Names of the outputs, in declared order."""
        return [f.name for f in self.outputs]

    def wire(self) -> dict[str, Any]:
        """``{"inputs": [...], "outputs": [...]}``, the same for both declaration styles."""
        return {"inputs": [f.wire() for f in self.inputs], "outputs": [f.wire() for f in self.outputs]}

    def named(self, side: str, values: Mapping[str, Any]) -> Any:
        """A named tuple of one side (``inputs`` or ``outputs``) holding ``values``."""
        names = self.input_names() if side == "inputs" else self.output_names()
        return namedtuple(side.capitalize(), names)(**{n: values[n] for n in names})
