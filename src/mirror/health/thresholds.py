"""The parts of a check that hold numbers. Each is a threshold: it has a severity, and a reason or it is refused.

Keys are those of Foundry's Data Health API (``upperBoundInSeconds``, ``deviationThreshold``, ...).
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from mirror.health.finding import Severity
from mirror.health.median import BoundsType

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Whole = Annotated[int, Field(strict=True)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Percentage = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, le=100)]


class Part(BaseModel):
    """Anything that is written in a check file: frozen, no unknown keys, camelCase."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


class Threshold(Part):
    """``reason`` says why this number and no other; one reason of the check serves where it has one threshold only."""

    severity: Severity
    reason: Text | None = None


class Bounds(Threshold):
    """A lower end, an upper end or both; the ends themselves are allowed."""

    ends: ClassVar[tuple[str, str]] = ("lower_bound", "upper_bound")
    """The fields of the lower and the upper end."""

    @property
    def low(self) -> Any:
        """The smallest allowed value, or ``None``."""
        return getattr(self, self.ends[0])

    @property
    def high(self) -> Any:
        """The largest allowed value, or ``None``."""
        return getattr(self, self.ends[1])

    @model_validator(mode="after")
    def _ends(self) -> Bounds:
        if self.low is None and self.high is None:
            raise ValueError("bounds need a lower or an upper end")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"the lower end {self.low:g} lies above the upper end {self.high:g}; swap them")
        return self


class TimeBounds(Bounds):
    """Seconds."""

    ends = ("lower_bound_in_seconds", "upper_bound_in_seconds")

    lower_bound_in_seconds: Annotated[Number, Field(ge=0)] | None = None
    upper_bound_in_seconds: Annotated[Number, Field(ge=0)] | None = None


class PercentageBounds(Bounds):
    """Between 0 and 100."""

    ends = ("lower_bound_percentage", "upper_bound_percentage")

    lower_bound_percentage: Percentage | None = None
    upper_bound_percentage: Percentage | None = None


class ShareBounds(Bounds):
    """In percent of another value, so above 100 as well."""

    ends = ("lower_bound_percentage", "upper_bound_percentage")

    lower_bound_percentage: Annotated[Number, Field(ge=0)] | None = None
    upper_bound_percentage: Annotated[Number, Field(ge=0)] | None = None


class NumericBounds(Bounds):
    """In the unit of the column."""

    lower_bound: Number | None = None
    upper_bound: Number | None = None


class CountBounds(Bounds):
    """How many there are."""

    lower_bound: Annotated[Whole, Field(ge=0)] | None = None
    upper_bound: Annotated[Whole, Field(ge=0)] | None = None


class SizeBounds(Bounds):
    """In ``unit``: ``KB`` and ``MB`` are 1,024 and 1,048,576 bytes."""

    unit: Literal["B", "KB", "MB"]
    lower_bound: Annotated[Number, Field(ge=0)] | None = None
    upper_bound: Annotated[Number, Field(ge=0)] | None = None

    @property
    def low(self) -> float | None:
        return None if self.lower_bound is None else self.lower_bound * _BYTES[self.unit]

    @property
    def high(self) -> float | None:
        return None if self.upper_bound is None else self.upper_bound * _BYTES[self.unit]


class DateBounds(Bounds):
    """Days, or instants with a time zone; both ends of one kind."""

    lower_bound: datetime | date | None = None
    upper_bound: datetime | date | None = None

    @model_validator(mode="after")
    def _ends(self) -> DateBounds:
        ends = [end for end in (self.lower_bound, self.upper_bound) if end is not None]
        if not ends:
            raise ValueError("bounds need a lower or an upper end")
        if len({isinstance(end, datetime) for end in ends}) == 2:
            raise ValueError("one end is a day and the other an instant; write both the same way")
        for end in ends:
            if isinstance(end, datetime) and end.tzinfo is None:
                raise ValueError(f"{end.isoformat()} has no time zone; write {end.isoformat()}Z")
        if len(ends) == 2 and ends[0] > ends[1]:
            raise ValueError(f"the lower end {ends[0]} lies above the upper end {ends[1]}; swap them")
        return self


class MedianDeviation(Threshold):
    """``deviationThreshold`` robust sigmas around the median of the ``dataPoints`` values before this one."""

    data_points: Annotated[Whole, Field(ge=2, le=200)]
    deviation_threshold: Annotated[Number, Field(gt=0)]
    bounds_type: BoundsType = BoundsType.TWO_TAILED


class TrendType(StrEnum):
    """How a value may differ from that of the previous run."""

    NON_INCREASING = "NON_INCREASING"
    NON_DECREASING = "NON_DECREASING"
    STRICTLY_INCREASING = "STRICTLY_INCREASING"
    STRICTLY_DECREASING = "STRICTLY_DECREASING"
    CONSTANT = "CONSTANT"


class DifferenceBounds(Part):
    """Limits on this value minus the previous one."""

    lower_bound: Number | None = None
    upper_bound: Number | None = None

    @model_validator(mode="after")
    def _ends(self) -> DifferenceBounds:
        if self.lower_bound is None and self.upper_bound is None:
            raise ValueError("differenceBounds need a lower or an upper end")
        if self.lower_bound is not None and self.upper_bound is not None and self.lower_bound > self.upper_bound:
            raise ValueError(
                f"the lower end {self.lower_bound:g} lies above the upper end {self.upper_bound:g}; swap them"
            )
        return self


class Trend(Threshold):
    """A value relative to that of the previous run: its direction, how far it may move, or both."""

    trend_type: TrendType | None = None
    difference_bounds: DifferenceBounds | None = None

    @model_validator(mode="after")
    def _something(self) -> Trend:
        if self.trend_type is None and self.difference_bounds is None:
            raise ValueError("a trend needs trendType, differenceBounds or both")
        return self


_BYTES = {"B": 1, "KB": 1024, "MB": 1024 * 1024}
