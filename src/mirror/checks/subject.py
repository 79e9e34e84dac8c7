"""What is checked: one dataset as one job, or the command line, sees it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from transforms.ports import FileEntry

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType


@dataclass(frozen=True)
class CheckSubject:
    """One dataset to be checked.

    Attributes:
        name: how messages call it, usually its path.
        schema: its columns; ``None`` for raw files.
        frame: makes the rows; called only when something must be read, at most once per evaluation.
        files: the files whose rows ``frame`` reads, all of them or none: with Parquet files named here, statistics
            in their footers may stand in for reading them.
        references: the other datasets of the transform by parameter name, for ``E.dataset_ref``.
        sensitive: columns whose values never appear in a result.
        part: makes the rows of some of ``files``; with it and a state store, only files not seen before are read.
        outside: columns that come from the paths of files; nothing inside ``files`` speaks of them.
    """

    name: str
    schema: StructType | None
    frame: Callable[[], DataFrame]
    files: Sequence[FileEntry] = ()
    references: Mapping[str, CheckSubject] = field(default_factory=dict)
    sensitive: frozenset[str] = frozenset()
    part: Callable[[Sequence[FileEntry]], DataFrame] | None = None
    outside: frozenset[str] = frozenset()

    @property
    def inside(self) -> StructType | None:
        """The columns that footers tell of."""
        return None if self.schema is None else without(self.schema, self.outside)


def without(schema: StructType, outside: Collection[str]) -> StructType:
    """The columns of a schema that lie in the files themselves."""
    return type(schema)([field for field in schema.fields if field.name not in outside]) if outside else schema
