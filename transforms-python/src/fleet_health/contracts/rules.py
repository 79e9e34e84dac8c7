"""The kinds of rules a contract may use: a small closed vocabulary, so that a rule is data and never code.

Where a rule is enforced follows from its kind: ``measured`` in the audit datasets, ``asserted`` inside a transform,
everything else as a check on the dataset's output (see ``compiled.py``).
"""

from __future__ import annotations

import typing
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator

Value = StrictBool | StrictInt | StrictFloat | StrictStr
RuleId = Annotated[str, Field(pattern=r"^[A-Z]{3}-[0-9]{2}$")]
Names = Annotated[tuple[str, ...], Field(min_length=1)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Other(Strict):
    """Another column of the same row, as an operand."""

    column: str


COMPARISONS = ("equals", "lt", "lte", "gt", "gte")


class Condition(Strict):
    """What must hold for a row: one thing about a column, or a combination of conditions. Undecided by null."""

    column: str | None = None
    equals: Value | Other | None = None
    lt: Value | Other | None = None
    lte: Value | Other | None = None
    gt: Value | Other | None = None
    gte: Value | Other | None = None
    is_null: bool | None = None
    matches: str | None = None
    contains: Value | None = None
    all: tuple[Condition, ...] = ()
    any: tuple[Condition, ...] = ()
    negated: Condition | None = Field(default=None, alias="not")
    when: Condition | None = None
    then: Condition | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        told = self.said
        on_column = (*COMPARISONS, "is_null", "matches", "contains")
        if len(told) != 1:
            raise ValueError(f"a condition says exactly one thing, not {sorted(told) or 'nothing'}")
        if (told[0] in on_column) != (self.column is not None):
            raise ValueError(f"{told[0]!r} {'needs' if self.column is None else 'takes no'} `column`")
        if (self.when is None) != (self.then is None):
            raise ValueError("`when` and `then` go together")
        return self

    @property
    def said(self) -> list[str]:
        """The keys that carry the condition; one, once it is checked."""
        names = (*COMPARISONS, "is_null", "matches", "contains", "all", "any", "negated", "when")
        return [name for name in names if getattr(self, name) not in (None, ())]

    def columns(self) -> list[str]:
        """Every column it speaks of."""
        found = [self.column] if self.column else []
        found += [v.column for name in COMPARISONS if isinstance(v := getattr(self, name), Other)]
        parts = [*self.all, *self.any, *(p for p in (self.negated, self.when, self.then) if p)]
        return found + [name for part in parts for name in part.columns()]


class Rule(Strict):
    """What every rule has. ``level`` hard is FAIL and soft is WARN; ``on_error`` may repeat it and must agree.

    A rule over ``each`` sensor or feature may own the ids from ``id`` to ``through``, one per member in the profile's
    order; members beyond the last id share it.
    """

    id: RuleId
    level: Literal["hard", "soft"]
    on_error: Literal["FAIL", "WARN"] | None = None
    why: Annotated[str, Field(min_length=10)]

    @property
    def effect(self) -> Literal["FAIL", "WARN"]:
        return "FAIL" if self.level == "hard" else "WARN"

    def columns_named(self) -> list[str]:
        """The plain columns a rule speaks of; the loader refuses those that do not exist."""
        told: list[Any] = [getattr(self, name, None) for name in ("column", "start", "end", "by", "score", "severity")]
        named: list[str] = [name for name in told if isinstance(name, str)]
        listed = getattr(self, "columns", None)
        named += listed if isinstance(listed, tuple) else []
        return named


class SchemaEquals(Rule):
    """The stored schema is the contract's: names and types, nothing more and nothing less."""

    kind: Literal["schema_equals"]


class PrimaryKey(Rule):
    """No part is null and no combination occurs twice."""

    kind: Literal["primary_key"]
    columns: Names


class NonNull(Rule):
    """Never null: the columns named, or all that are ``nullable: false`` and that no other rule covers."""

    kind: Literal["non_null"]
    columns: Names | Literal["required"]


class Range(Rule):
    """Inclusive. Null passes; NaN does not pass an upper limit, because it is larger than any number."""

    kind: Literal["range"]
    column: str
    min: float | None = None
    max: float | None = None


class SensorRange(Rule):
    """Every numeric sensor between the limits of the profile, which are possible values. Null passes."""

    kind: Literal["sensor_range"]
    each: Literal["numeric_sensor"]
    through: RuleId | None = None


class SensorCount(Rule):
    """Between 0 and the number of sensors of the fleet."""

    kind: Literal["sensor_count"]
    column: str


class InSet(Rule):
    """One of the contract's enum of that name, or of the profile's window lengths. Null passes where it may be null."""

    kind: Literal["in_set"]
    column: str
    values: Literal["windows"] | None = None


class ArrayInSet(Rule):
    """Every element is one of the contract's enum of that name."""

    kind: Literal["array_in_set"]
    column: str


class ForeignKey(Rule):
    """Every value occurs in another dataset, which the producing transform reads under the name ``parameter``."""

    kind: Literal["foreign_key"]
    column: str
    references: Annotated[str, Field(pattern=r"^[a-z_]+\.[a-z_]+$")]
    parameter: str


class Holds(Rule):
    """A condition on each row, and in words what it says."""

    kind: Literal["holds"]
    says: Annotated[str, Field(min_length=5)]
    holds: Condition

    def columns_named(self) -> list[str]:
        return self.holds.columns()


class Ordered(Rule):
    """Each column at most the next one."""

    kind: Literal["ordered"]
    columns: Annotated[tuple[str, ...], Field(min_length=2)]


class Finite(Rule):
    """Neither NaN nor infinite; null passes. Of the columns named, or of every numeric sensor."""

    kind: Literal["finite"]
    columns: Names | None = None
    each: Literal["numeric_sensor"] | None = None


class Apart(Rule):
    """``end`` is exactly, or by more than, so many seconds after ``start``; how many depends on the value of ``by``.

    ``windows``: the profile's window lengths in minutes; ``acknowledgement``: the profile's minutes per severity;
    otherwise hours. A value that is not listed fails.
    """

    kind: Literal["apart"]
    start: str
    end: str
    by: str
    seconds: Literal["windows", "acknowledgement"] | None = None
    hours: tuple[int, ...] | None = None
    relation: Literal["exactly", "more"]


class Within(Rule):
    """``end`` is not before ``start``, and at most so many hours after it."""

    kind: Literal["within"]
    start: str
    end: str
    hours: int = Field(gt=0)


class StatisticsOrder(Rule):
    """min <= mean <= max and p95 <= max of one sensor: of sensors with all of the first three, or of the others."""

    kind: Literal["statistics_order"]
    each: Literal["complete_sensor", "incomplete_sensor"]


class FeatureRange(Rule):
    """Features of these aggregations inside what the ranges of their sensors allow."""

    kind: Literal["feature_range"]
    aggregations: Names
    through: RuleId | None = None


class PairedSizes(Rule):
    """Two arrays of equal length, both null or of ``min`` to ``max`` elements (``features``: those of the model)."""

    kind: Literal["paired_sizes"]
    columns: Annotated[tuple[str, ...], Field(min_length=2, max_length=2)]
    min: int = 1
    max: int | Literal["features"]


class NoMissingElements(Rule):
    """No element of the array is null or NaN."""

    kind: Literal["no_missing_elements"]
    column: str


class RowCount(Rule):
    """At least so many rows."""

    kind: Literal["row_count"]
    min: int


class DistinctCount(Rule):
    """How many values a column has, in each group of ``per`` or in the whole dataset: exactly, or at least so many."""

    kind: Literal["distinct_count"]
    column: str
    per: str | None = None
    equals: int | None = None
    min: int | None = None

    def columns_named(self) -> list[str]:
        return [self.column, *([self.per] if self.per else [])]


class Lowest(Rule):
    """Some row has a value below a limit: a set that must hold such rows, holds them."""

    kind: Literal["lowest"]
    column: str
    below: float


class CountedSize(Rule):
    """An array has as many elements as another column says (at least one, at most those of the model)."""

    kind: Literal["counted_size"]
    column: str
    count: str
    max: Literal["features"]

    def columns_named(self) -> list[str]:
        return [self.column, self.count]


class SplitGap(Rule):
    """``end`` is null, or at least the gap of the profile's split after ``start``."""

    kind: Literal["split_gap"]
    start: str
    end: str


class SplitInTime(Rule):
    """Rows of period ``train`` end by ``trained_until``; others begin the profile's gap after it, or later."""

    kind: Literal["split_in_time"]

    def columns_named(self) -> list[str]:
        return ["window_start", "window_end", "trained_until", "period"]


class SeverityBands(Rule):
    """Severity and score agree with the profile's severities, as far as one row can tell."""

    kind: Literal["severity_bands"]
    score: str
    severity: str
    unless: Condition

    def columns_named(self) -> list[str]:
        return [self.score, self.severity, *self.unless.columns()]


class ThresholdLimits(Rule):
    """Limits of the streaming rules: there, and inside what the profile allows. Averages: null or above 0."""

    kind: Literal["threshold_limits"]
    each: Literal["limit", "average"]


class Measured(Rule):
    """An aggregate, or a row rule that expectations cannot say: a number in an audit dataset, held against a limit."""

    kind: Literal["measured"]
    measure: str
    says: Annotated[str, Field(min_length=5)]
    op: Literal["<", "<=", ">", ">=", "=="]
    limit: float


class Asserted(Rule):
    """Refused inside the transform, which raises the error named (``module:Class``)."""

    kind: Literal["asserted"]
    says: Annotated[str, Field(min_length=5)]
    error: Annotated[str, Field(pattern=r"^[\w.]+:[A-Z]\w+Error$")]


Expectation = Annotated[
    SchemaEquals
    | PrimaryKey
    | NonNull
    | Range
    | SensorRange
    | SensorCount
    | InSet
    | ArrayInSet
    | ForeignKey
    | Holds
    | Ordered
    | Finite
    | Apart
    | Within
    | StatisticsOrder
    | FeatureRange
    | PairedSizes
    | NoMissingElements
    | RowCount
    | DistinctCount
    | Lowest
    | CountedSize
    | SplitGap
    | SplitInTime
    | SeverityBands
    | ThresholdLimits
    | Measured
    | Asserted,
    Field(discriminator="kind"),
]
KINDS = frozenset(
    kind.model_fields["kind"].annotation.__args__[0] for kind in typing.get_args(typing.get_args(Expectation)[0])
)
