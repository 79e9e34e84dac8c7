"""The parts of a profile that say what happens between and instead of model scores: streaming, fallback, staleness."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fleet_health.profiles.keys import Comparison, Duration, Name, Reason, ReasonedNumber, Severity, Strict


class SeverityGuard(Strict):
    """Agreement that a severity needs besides its score, in families or in windows; without it the rank falls.

    Off until the people who answer alerts have decided; ``enabled`` is the switch.
    """

    severity: Severity
    families: int = Field(gt=1)
    or_sustained_windows: int = Field(gt=1)
    otherwise: Severity
    enabled: bool
    reason: Reason


class StreamingLimit(Strict):
    """The limit of a streaming rule: a column of ``device_stream_thresholds``, the same for all devices by default.

    A limit outside ``allowed`` (inclusive) is refused, whoever sets it.
    """

    column: Name
    default: float
    allowed: tuple[float, float]
    unit: str
    reason: Reason


class OverRange(Strict):
    """So many readings in a row above what the sensor can measure are an event, although each is nulled."""

    readings: int = Field(gt=1)
    reason: Reason


class TrailingAverage(Strict):
    """A stored mean per device: of a ``mean`` feature over the windows of the last ``hours``, weighted by readings.

    Null (and the rule silent) until the device has that much history.
    """

    column: Name
    feature: Name
    window_minutes: Duration
    hours: Duration
    reason: Reason


class StreamingRule(Strict):
    """One acute event. Which keys beside ``limit`` a rule has depends on its ``kind``.

    ``limit``                 one reading above the limit; with ``over_range`` also several above the sensor's range
    ``factor_over_average``   one reading above limit times ``average``
    ``relative_fall``         the median of ``median_of`` readings lies more than the limit (a share) below the highest
                              such median of the ``minutes`` before
    ``slope``                 every step of ``minutes`` in a row rises by more than the limit per minute

    A rule is silent while its ``gate``, a boolean sensor, is true.
    """

    id: Annotated[str, Field(pattern=r"^ST-[0-9]+$")]
    name: Name
    kind: Literal["limit", "factor_over_average", "relative_fall", "slope"]
    sensor: Name
    limit: StreamingLimit
    over_range: OverRange | None = None
    average: TrailingAverage | None = None
    minutes: Duration | None = None
    median_of: Literal[1, 3, 5] | None = None
    gate: Name | None = None
    reason: Reason

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of ``device_stream_thresholds`` that the rule reads, in their order."""
        return (self.limit.column,) if self.average is None else (self.average.column, self.limit.column)


class DeviceLimits(Strict):
    """Limits of one device that differ from the defaults, by column."""

    device_id: str
    limits: dict[str, float] = Field(min_length=1)
    reason: Reason


class Streaming(Strict):
    """Rules for what cannot wait for a window to close."""

    model_id: Annotated[str, Field(pattern=r"^streaming_rules_v[0-9]+$")]
    severity: Severity
    rules: tuple[StreamingRule, ...] = Field(min_length=1)
    devices: tuple[DeviceLimits, ...] = ()
    dedup_hours: float = Field(gt=0)
    dedup_reason: Reason
    gap_minutes: float = Field(gt=0)
    gap_reason: Reason
    late_minutes: float = Field(ge=0)
    late_reason: Reason
    ahead_minutes: float = Field(ge=0)
    ahead_reason: Reason
    confirmed_above: float
    softened_below: float
    undecided_windows: int = Field(gt=0)
    answer_reason: Reason


class FallbackGate(Strict):
    """When a rule may fire at all; a null counts as ``null_as``."""

    feature: Name
    op: Comparison
    value: float
    null_as: float


class FallbackRule(Strict):
    id: Annotated[str, Field(pattern=r"^FB-[0-9]+$")]
    feature: Name
    op: Comparison
    value: float
    gate: FallbackGate | None = None
    reason: Reason


class Fallback(Strict):
    """What scores while no model does. ``scores`` are those of no rule, of one, and of two or more that fire."""

    model_id: Annotated[str, Field(pattern=r"^threshold_fallback_v[0-9]+$")]
    model_version: Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]
    scores: tuple[float, float, float]
    threshold: float
    scores_reason: Reason
    rules: tuple[FallbackRule, ...] = Field(min_length=1)


class StalenessBand(Strict):
    """Up to and including ``up_to_minutes``; the last band has no end."""

    band: Literal["FRESH", "STALE", "VERY_STALE", "EXPIRED"]
    up_to_minutes: float | None = None
    action: str
    reason: Reason


class Staleness(Strict):
    """How old scores may be, and when rules take over. Families not listed in ``daily_families`` score hourly."""

    hourly: tuple[StalenessBand, ...] = Field(min_length=2)
    daily: tuple[StalenessBand, ...] = Field(min_length=2)
    daily_families: tuple[Name, ...] = ()
    fallback_after_minutes: ReasonedNumber
    features_fresh_minutes: ReasonedNumber
    page_after_minutes: ReasonedNumber
