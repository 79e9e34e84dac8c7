"""What a single-node transform's function reads: pandas, Polars, Arrow and plain files instead of Spark frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transforms._names import Named, caller, known_arguments
from transforms.api._arrow import arrow_schema, read_arrow
from transforms.api._filesystem import BaseFileSystem
from transforms.api._params import switch
from transforms.api._read_modes import checked_mode
from transforms.errors import (
    LightweightNotImplementedError,
    LightweightValueError,
    UnknownArgumentError,
)
from transforms.ports import ReadPort

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

MODES_NEED_INCREMENTAL = "Read modes exist with @incremental above the transform."


class FoundryDataSidecarFileSystem(BaseFileSystem):
    """The files of a dataset in a single-node transform: ``ls`` and ``open``. Safe to use from threads."""


class FoundryDataSidecarFile:
    """The type that annotations name for an opened file. Files opened here are ordinary binary or text streams."""


class LightweightDataset(Named):
    """Identity and reading, shared by inputs and outputs. Hashable by identity."""

    def __init__(self, port: ReadPort) -> None:
        self._port = port

    def __repr__(self) -> str:
        return f"<{type(self).__name__} '{self._port.path}' on {self._port.branch}>"

    @property
    def alias(self) -> str:
        """Path of the dataset."""
        return self._port.path

    @property
    def rid(self) -> str:
        """Resource identifier of the dataset."""
        return self._port.rid

    @property
    def branch(self) -> str:
        """The branch that is read or written."""
        return self._port.branch

    def _arrow(self, mode: str, schema: Any = None) -> pa.Table:
        return read_arrow(self._port, mode)

    def _polars(self, lazy: bool, mode: str, schema: Any = None) -> Any:
        import polars as pl

        frame = pl.from_arrow(self._arrow(mode, schema))
        return frame.lazy() if lazy and isinstance(frame, pl.DataFrame) else frame

    def _pandas(self, mode: str, schema: Any = None) -> pd.DataFrame:
        return self._arrow(mode, schema).to_pandas()

    @known_arguments("{}.arrow", MODES_NEED_INCREMENTAL)
    def arrow(self) -> pa.Table:
        """The whole current view as an Arrow table.

        Raises:
            LightweightValueError: the dataset has no schema.
        """
        return self._arrow("current")

    @known_arguments("{}.pandas", MODES_NEED_INCREMENTAL)
    def pandas(self) -> pd.DataFrame:
        """The whole current view as a pandas frame."""
        return self._pandas("current")

    @known_arguments("{}.dataframe", MODES_NEED_INCREMENTAL)
    def dataframe(self) -> pd.DataFrame:
        """The same as :meth:`pandas`: a pandas frame, not a Spark one."""
        return self._pandas("current")

    @known_arguments("{}.polars", MODES_NEED_INCREMENTAL)
    def polars(self, lazy: bool = False) -> pl.DataFrame | pl.LazyFrame:
        """The whole current view as a Polars frame, or a lazy one."""
        return self._polars(plain_lazy(self, lazy), "current")


def lazy_and_mode(lazy: Any, mode: str) -> tuple[bool, str]:
    """Documentation writes both ``polars(lazy=True)`` and ``polars('added')``."""
    return (False, lazy) if isinstance(lazy, str) else (switch("polars", "lazy", lazy), mode)


def plain_lazy(dataset: LightweightDataset, lazy: Any) -> bool:
    """``polars('added')`` names a mode, which a dataset without modes must not take for "lazy"."""
    if isinstance(lazy, str):
        owner = f"{type(dataset).__name__}.polars"
        raise UnknownArgumentError(owner, repr(lazy), ("lazy",), caller(), MODES_NEED_INCREMENTAL)
    return switch("polars", "lazy", lazy)


class LightweightInput(LightweightDataset):
    """A dataset to read on one node."""

    @known_arguments("{}.path", MODES_NEED_INCREMENTAL)
    def path(self) -> str:
        """A local folder with the data files of the current view.

        Raises:
            LightweightValueError: the dataset has no schema.
        """
        return self._directory("current")

    def _directory(self, mode: str) -> str:
        if self._port.schema(mode) is None:
            raise LightweightValueError(
                f"'{self._port.path}' has no schema; read its files with filesystem().ls() and open()."
            )
        return self._port.local_directory(mode).rstrip("/")

    @known_arguments("{}.filesystem", MODES_NEED_INCREMENTAL)
    def filesystem(self) -> FoundryDataSidecarFileSystem:
        """The files, read-only."""
        return FoundryDataSidecarFileSystem(self._port, True, "current")

    @property
    def start_transaction_rid(self) -> str | None:
        """First transaction of the range."""
        return self._port.start_transaction_rid

    @property
    def end_transaction_rid(self) -> str | None:
        """Last transaction of the range."""
        return self._port.end_transaction_rid


class IncrementalLightweightInput(LightweightInput):
    """A dataset to read on one node, by default only what is new since the last run."""

    def __init__(
        self, port: ReadPort, *, is_incremental: bool = False, snapshot: bool = False, v2: bool = False
    ) -> None:
        super().__init__(port)
        self._partial, self._v2 = is_incremental and not snapshot, v2

    def _arrow(self, mode: str, schema: Any = None) -> pa.Table:
        mode = checked_mode(self._port.path, mode)
        if self._partial or mode == "current":
            return read_arrow(self._port, mode)
        whole = self._port.schema("current")
        if mode == "previous":
            return arrow_schema(whole).empty_table() if whole is not None else read_arrow(self._port, mode)
        return read_arrow(self._port, "current")

    def _files_mode(self, mode: str) -> str:
        mode = checked_mode(self._port.path, mode)
        return "current" if mode == "added" and not self._partial else mode

    @known_arguments("{}.arrow")
    def arrow(self, mode: str = "added") -> pa.Table:
        """The rows of one mode as an Arrow table."""
        return self._arrow(mode)

    @known_arguments("{}.pandas")
    def pandas(self, mode: str = "added") -> pd.DataFrame:
        """The rows of one mode as a pandas frame."""
        return self._pandas(mode)

    @known_arguments("{}.dataframe")
    def dataframe(self, mode: str = "added") -> pd.DataFrame:
        """The same as :meth:`pandas`."""
        return self._pandas(mode)

    @known_arguments("{}.polars")
    def polars(self, lazy: bool | str = False, mode: str = "added") -> pl.DataFrame | pl.LazyFrame:
        """The rows of one mode as a Polars frame; a text given first is the mode."""
        lazy, mode = lazy_and_mode(lazy, mode)
        return self._polars(lazy, mode)

    @known_arguments("{}.path")
    def path(self, mode: str | None = None) -> str:
        """A local folder with the data files of one mode, ``added`` unless said otherwise.

        Raises:
            LightweightNotImplementedError: a mode without ``@incremental(v2_semantics=True)``.
        """
        if mode is not None and not self._v2:
            what = f"path({mode!r}) of '{self._port.path}' needs @incremental(v2_semantics=True)."
            raise LightweightNotImplementedError(what)
        return self._directory(self._files_mode("added" if mode is None else mode))

    @known_arguments("{}.filesystem")
    def filesystem(self, mode: str = "added") -> FoundryDataSidecarFileSystem:
        """The files of one mode, read-only."""
        return FoundryDataSidecarFileSystem(self._port, True, self._files_mode(mode))
