"""The rows, groups or values that break an expectation: at most 20, in a fixed order, sensitive columns masked.

Only a failing check asks for them, by one query of its own. Values come back as Spark writes them into JSON, so no
driver's time zone changes an instant, and equal data always show the same rows.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F
from pyspark.sql import types as T

from mirror.checks.columns import ref
from mirror.checks.jobs import as_one_job
from mirror.checks.metrics.duplicates import GROUP_ROWS
from mirror.checks.rules import MASK, OFFENDING_COLUMNS, OFFENDING_ROWS
from mirror.checks.sensitivity import hides

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_JSON = {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX", "ignoreNullFields": "false"}


class Sample(ABC):
    """What to show of a failing check."""

    @abstractmethod
    def rows(self, frame: DataFrame, identity: Sequence[str], references: Mapping[str, DataFrame]) -> DataFrame:
        """The offenders, unordered and unbounded; ``identity`` names the columns that tell rows apart, if declared."""

    @property
    def references(self) -> tuple[str, ...]:
        """The other datasets that :meth:`rows` needs."""
        return ()

    @property
    def secret(self) -> tuple[str, ...]:
        """Columns of :meth:`rows` that show values of a sensitive column under another name."""
        return ()


@dataclass(frozen=True)
class Rows(Sample):
    """Rows that do not pass; shows the declared key and the columns concerned, or the first columns without a key."""

    offends: Column
    concerned: tuple[str, ...]

    def rows(self, frame: DataFrame, identity: Sequence[str], references: Mapping[str, DataFrame]) -> DataFrame:
        rest = [] if identity else frame.columns
        shown = list(dict.fromkeys([*identity, *self.concerned, *rest]))
        most = max(OFFENDING_COLUMNS, len(identity) + len(self.concerned))
        return frame.where(self.offends).select(*[ref(name) for name in shown[:most]])


@dataclass(frozen=True)
class Groups(Sample):
    """Groups that do not pass, with the property that breaks the condition under ``shown_as``."""

    keys: tuple[str, ...]
    aggregate: Column
    name: str
    offends: Column
    shown_as: str
    hidden: bool = False

    @property
    def secret(self) -> tuple[str, ...]:
        return (self._property,) if self.hidden else ()

    @property
    def _property(self) -> str:
        return self.name if self.shown_as in self.keys else self.shown_as

    def rows(self, frame: DataFrame, identity: Sequence[str], references: Mapping[str, DataFrame]) -> DataFrame:
        grouped = frame.groupBy(*[ref(key) for key in self.keys]).agg(self.aggregate.alias(self.name))
        return grouped.where(self.offends).withColumnRenamed(self.name, self._property)


def repeated(keys: tuple[str, ...]) -> Groups:
    """Combinations of key values that occur more than once, and how often."""
    return Groups(keys, F.count(F.lit(1)), GROUP_ROWS, F.col(GROUP_ROWS) > 1, "rows")


@dataclass(frozen=True)
class Strays(Sample):
    """Values of ``column`` that do not occur in ``foreign_column`` of another dataset, and how many rows hold each."""

    column: str
    dataset: str
    foreign_column: str

    @property
    def references(self) -> tuple[str, ...]:
        return (self.dataset,)

    def rows(self, frame: DataFrame, identity: Sequence[str], references: Mapping[str, DataFrame]) -> DataFrame:
        held = frame.select(ref(self.column).alias("·value")).where(F.col("·value").isNotNull())
        known = references[self.dataset].select(ref(self.foreign_column).alias("·known")).distinct()
        counted = held.groupBy("·value").agg(F.count(F.lit(1)).alias("rows" if self.column != "rows" else GROUP_ROWS))
        strays = counted.join(known, F.col("·value") == F.col("·known"), "left_anti")
        return strays.withColumnRenamed("·value", self.column)


def collect(
    sample: Sample,
    frame: DataFrame,
    *,
    identity: Sequence[str],
    references: Mapping[str, DataFrame],
    sensitive: frozenset[str],
) -> tuple[dict[str, Any], ...]:
    """Up to ``rules.OFFENDING_ROWS`` offenders as JSON-plain rows, ordered by all their columns from the left."""
    found = sample.rows(frame, identity, references)
    orderable = [ref(f.name) for f in found.schema.fields if _orderable(f.dataType)]
    if orderable:
        found = found.orderBy(*orderable)
    secret = {*sensitive, *sample.secret}
    shown = [_shown(field, hides(secret, field.name)) for field in found.schema.fields]
    bounded = found.limit(OFFENDING_ROWS).select(F.to_json(F.struct(*shown), _JSON).alias("row"))
    return tuple(json.loads(row["row"]) for row in as_one_job(bounded).collect())


def _orderable(kind: T.DataType) -> bool:
    return not isinstance(kind, T.MapType | T.ArrayType | T.StructType)


def _shown(field: T.StructField, masked: bool) -> Column:
    column = ref(field.name)
    if masked:
        column = F.when(column.isNotNull(), F.lit(MASK))
    elif isinstance(field.dataType, T.DecimalType | T.CharType | T.VarcharType | T.TimestampNTZType):
        column = column.cast("string")
    return column.alias(field.name)
