"""The older declaration style: ``ModelApi([ModelInput...], [ModelOutput...])``.

Not to be confused with the transform parameters of the same names in ``palantir_models.transforms``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from palantir_models.declarations.fields import Api, ColumnsLike, DFType, Field, Kind, check_parameter, columns_of
from palantir_models.errors import DeclarationError
from transforms._names import known_arguments


class _Entry:
    """One element of a list of inputs or outputs."""

    def __init__(self, field: Field) -> None:
        self.field = field
        self.name = field.name


def _parameter(name: str, type: Any, default: Any, required: bool) -> Field:
    check_parameter(type, default, f"parameter {name!r}")
    return Field(name, Kind.PARAMETER, type=type, default=default, required=required)


class ModelInput:
    """The kinds of inputs an adapter may declare."""

    class Tabular(_Entry):
        """A frame: Spark unless ``df_type`` says pandas."""

        @known_arguments("ModelInput.Tabular")
        def __init__(
            self,
            name: str,
            df_type: DFType | str = DFType.SPARK,
            columns: ColumnsLike | None = None,
            required: bool = True,
        ) -> None:
            if df_type not in tuple(DFType):
                raise DeclarationError(
                    f"input {name!r}", f"has no df_type {df_type!r}.", "Use DFType.SPARK or DFType.PANDAS."
                )
            super().__init__(Field(name, Kind.TABULAR, DFType(df_type), columns_of(columns), required=required))

    class Parameter(_Entry):
        """One value with an optional default; ``required=True`` makes leaving it out an error."""

        @known_arguments("ModelInput.Parameter")
        def __init__(self, name: str, type: Any = Any, default: Any = None, required: bool = False) -> None:
            super().__init__(_parameter(name, type, default, required))

    class FileSystem(_Entry):
        """The files of a dataset handle."""

        @known_arguments("ModelInput.FileSystem")
        def __init__(self, name: str) -> None:
            super().__init__(Field(name, Kind.FILESYSTEM))

    class MediaReference(_Entry):
        """One media reference."""

        @known_arguments("ModelInput.MediaReference")
        def __init__(self, name: str) -> None:
            super().__init__(Field(name, Kind.MEDIA_REFERENCE))


class ModelOutput:
    """The kinds of outputs an adapter may declare."""

    class Tabular(_Entry):
        """A frame, pandas or Spark as the adapter likes."""

        @known_arguments("ModelOutput.Tabular")
        def __init__(self, name: str, columns: ColumnsLike | None = None) -> None:
            super().__init__(Field(name, Kind.TABULAR, None, columns_of(columns)))

    class Parameter(_Entry):
        """One value; ``default`` stands when the adapter writes none."""

        @known_arguments("ModelOutput.Parameter")
        def __init__(self, name: str, type: Any = Any, default: Any = None) -> None:
            super().__init__(_parameter(name, type, default, False))

    class FileSystem(_Entry):
        """Files, writable through ``transform_write`` only."""

        @known_arguments("ModelOutput.FileSystem")
        def __init__(self, name: str) -> None:
            super().__init__(Field(name, Kind.FILESYSTEM))


class ModelApi:
    """Inputs and outputs of an adapter as two lists."""

    @known_arguments("ModelApi")
    def __init__(self, inputs: Iterable[_Entry], outputs: Iterable[_Entry]) -> None:
        self.inputs = list(inputs)
        self.outputs = list(outputs)
        for entry in (*self.inputs, *self.outputs):
            if not isinstance(entry, _Entry):
                raise DeclarationError(
                    "ModelApi",
                    f"{entry!r} is no declaration.",
                    "Use ModelInput.Tabular(...), ModelOutput.Parameter(...), ...",
                )

    def resolve(self, where: str) -> Api:
        """The normal form; ``where`` names the adapter in errors."""
        return Api.of((e.field for e in self.inputs), (e.field for e in self.outputs), where)
