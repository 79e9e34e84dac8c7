"""What a contract says: columns, closed lists and rules. ``rules.py`` holds the kinds of rules.

``clean_sensor_readings.yaml`` documents the keys. Nothing here names a sensor or a feature: what depends on the fleet
is written once with ``each`` and multiplied by the profile (see ``expansion.py``).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, Tag

from fleet_health.contracts.rules import Expectation, Strict, Value

Text = Annotated[str, Field(min_length=3)]
TypeName = Literal[
    "string",
    "timestamp",
    "date",
    "double",
    "long",
    "integer",
    "boolean",
    "array<string>",
    "array<double>",
    "map<string,double>",
]


class Column(Strict):
    """A column; with ``after`` an addition is stored behind that column instead of behind the last one.

    One that only some fleets have names in ``only_with`` the key of the profile that those have.
    """

    name: str
    type: TypeName
    nullable: bool
    unit: str | None = None
    meaning: Text
    after: str | None = None
    only_with: Literal["source.narrow.merge", "source.narrow.merge.across_files"] | None = None


class EachColumn(Strict):
    """One nullable column per sensor, feature, property or stream threshold of the profile, in its order.

    Type and unit are the profile's.
    """

    each: Literal["sensor", "feature", "property", "threshold"]
    meaning: Text


def _which(column: Any) -> str:
    each = "each" in column if isinstance(column, dict) else isinstance(column, EachColumn)
    return "EachColumn" if each else "Column"


AnyColumn = Annotated[
    Annotated[EachColumn, Tag("EachColumn")] | Annotated[Column, Tag("Column")], Discriminator(_which)
]


class Contract(Strict):
    """One dataset. ``columns`` are the contract of record, ``additions`` ours, ``partition_by`` days of a timestamp.

    Without ``partition_by`` the partitions are those of the contract that it is made of, if it is made of one.
    """

    dataset: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    owner: Text
    purpose: Text
    producer: Text
    write_mode: Literal["append", "snapshot", "update"]
    columns_of: str | None = None
    columns: tuple[AnyColumn, ...] = ()
    additions: tuple[Column, ...] = ()
    partition_by: tuple[Literal["date"], ...] | None = None
    partition_source: str | None = None
    enums: dict[str, tuple[Value, ...]] = {}
    expectations: tuple[Expectation, ...] = Field(min_length=1)


class Parsed(BaseModel):
    """A contract with the one it is made of: the columns as they are stored, before the profile multiplies them."""

    contract: Contract
    file: str
    stored: tuple[AnyColumn, ...]
    partitions: tuple[str, ...]
    enums: dict[str, tuple[Value, ...]]

    @property
    def plain(self) -> dict[str, Column]:
        """The columns that every fleet has, by name."""
        return {c.name: c for c in self.stored if isinstance(c, Column) and c.only_with is None}

    @property
    def each(self) -> tuple[str, ...]:
        """What the profile multiplies: ``sensor``, ``feature``."""
        return tuple(column.each for column in self.stored if isinstance(column, EachColumn))
