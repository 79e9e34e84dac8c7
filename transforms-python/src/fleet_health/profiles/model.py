"""What a fleet is: the shape of a profile. The YAML files document every key; ``rules.py`` checks that they agree.

Everything is frozen and printable, so that a transform may close over a profile and ship it to a worker.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from fleet_health.profiles.families import FurtherModel, InService, ModelSpec
from fleet_health.profiles.keys import Duration, Name, Reason, ReasonedNumber, Severity
from fleet_health.profiles.keys import Strict as _Strict
from fleet_health.profiles.learning import Cohorts, Imputation, Property, Training
from fleet_health.profiles.records import Archive, Exemplars, Maintenance, Reviews, SchemaLog
from fleet_health.profiles.serving import Fallback, SeverityGuard, Staleness, Streaming
from fleet_health.profiles.source import FROM_REGISTRY, Source


def _as_text(value: object) -> object:
    """YAML reads an unquoted date as one."""
    return value.isoformat() if isinstance(value, date) else value


class DeviceRange(_Strict):
    """What is possible on one device, inside what is possible in the fleet; a limit left out is the fleet's."""

    sensor: Name
    min: float | None = None
    max: float | None = None
    reason: Reason


class RegistryDevice(_Strict):
    """One known unit, declared in the profile itself (fleets of a handful of devices)."""

    device_id: str
    site_id: str
    region: str | None = None
    model: str | None = None
    firmware_version: str | None = None
    status: Literal["active", "inactive", "decommissioned"]
    expected_sensors: tuple[Name, ...]
    timezone: str
    ranges: tuple[DeviceRange, ...] = ()
    reason: Reason


class EveryDevice(_Strict):
    """A fleet without a registry: each device that sends is known, and this is what is known of it.

    With ``id_pattern`` only a device whose whole id matches is known; what others send is quarantined.
    """

    id_pattern: str | None = None
    site_id: str
    region: str | None = None
    model: str | None = None
    status: Literal["active", "inactive", "decommissioned"] = "active"
    expected_sensors: tuple[Name, ...]
    timezone: str
    reason: Reason


_KEPT_SHARE = ReasonedNumber(
    value=0.99, reason="a torn export would quarantine the fleet, and seldom does one unit in a hundred leave at once"
)


class Registry(_Strict):
    """``devices`` declared here, ``every_device`` that sends, or the dataset to which the asset system's CSV goes.

    A CSV with fewer rows than ``kept_share_min`` of the registry in force is refused.
    """

    dataset: str | None = None
    devices: tuple[RegistryDevice, ...] = ()
    every_device: EveryDevice | None = None
    expected_readings_per_hour: int = Field(default=60, gt=0)
    updated_at: Annotated[str, BeforeValidator(_as_text)] | None = None
    kept_share_min: ReasonedNumber = _KEPT_SHARE


class Sensor(_Strict):
    """A measured point: ``min``..``max`` inclusive is possible; beyond ``suspect_below``/``_above`` is odd but kept.

    A ``counter`` (hours run, starts, energy) only grows, until its controller is replaced or erased.
    """

    name: Name
    type: Literal["double", "boolean"]
    unit: str
    meaning: str
    min: float | None = None
    max: float | None = None
    suspect_below: float | None = None
    suspect_above: float | None = None
    counter: bool = False
    reason: Reason | None = None


class Condition(_Strict):
    sensor: Name
    op: Literal["<=", ">=", "<", ">", "=="]
    value: float


class ImpossibleRow(_Strict):
    """A row in which every condition holds cannot have been measured; it is quarantined with this id."""

    id: Annotated[str, Field(pattern=r"^[A-Z]+-[0-9]+$")]
    all_of: tuple[Condition, ...] = Field(min_length=1)
    reason: Reason


class Cleansing(_Strict):
    """A device clock farther from the receipt time than ``max_clock_drift_hours``, or ahead of it by more than
    ``future_tolerance_minutes`` (without the key no future is too far within those hours), is wrong.
    """

    max_clock_drift_hours: float = Field(gt=0)
    max_clock_drift_reason: Reason
    future_tolerance_minutes: ReasonedNumber | None = None
    impossible_rows: tuple[ImpossibleRow, ...] = ()


SENSOR_AGGREGATIONS = ("mean", "std", "min", "max", "p95", "slope", "fraction")
DERIVED_AGGREGATIONS = ("difference", "ratio_of_positive", "ratio_of_nonzero")
QUALITY_AGGREGATIONS = ("sensor_completeness", "quality_flag_count", "reading_count")


class Feature(_Strict):
    """One value of a window: over a ``sensor``, ``of`` two other features, or about data quality.

    A feature that joined later says in which version it was ``added`` and since which UTC day its values exist:
    earlier rows hold null until a backfill, and no earlier window trains.
    """

    name: Name
    group: Name
    aggregation: str
    unit: str
    sensor: Name | None = None
    of: tuple[Name, Name] | None = None
    added: Annotated[str, Field(pattern=r"^v[0-9]+$")] = "v1"
    available_since: date | None = None


class ReasonedMinutes(_Strict):
    minutes: int = Field(ge=0)
    reason: Reason


class ReasonedHours(_Strict):
    hours: int = Field(ge=0)
    reason: Reason


class ReasonedSwitch(_Strict):
    value: bool
    reason: Reason


class Lateness(_Strict):
    """When a window of one length is written, and until when readings that are received later still count.

    A window is first written ``close_after`` its end; a reading received within a further ``horizon`` gives it a new
    version at the next boundary of its length, and one received later never counts.
    """

    window_minutes: Duration
    close_after: ReasonedMinutes
    horizon: ReasonedHours


_AT_ONCE = "the receipt time is the time of measuring, so nothing is ever late"
_ON_ITS_WAY = "five minutes of landing and fifteen of cleansing pass before the last reading of a window is there"
_HORIZON = "a window is shown fast below an hour, corrected for two hours below a day, and for two days from a day on"


class SeverityRule(_Strict):
    """Ranked as listed; a rule without a condition catches every flagged window."""

    severity: Severity
    above: float | None = None
    sustained_windows: int = 1
    or_families: int | None = None
    acknowledge_minutes: int = Field(gt=0)
    reason: Reason


class Alerting(_Strict):
    severities: tuple[SeverityRule, ...]
    guard: SeverityGuard | None = None
    dedup_hours: float = Field(ge=0)
    dedup_reason: Reason
    resolve_after_windows: int = Field(gt=0)
    resolve_reason: Reason


class Labels(_Strict):
    """Where known faults are listed. No feature reads them; training rows carry them if `training.join_labels` says so.

    An ``inventory`` lists units and local days and was recorded at ``recorded_at``; ``events`` are rows in the shape of
    ``label_events`` itself, each with its own time of recording. Only these can tell of maintenance, and windows within
    ``training.after_maintenance_hours`` of it do not train.
    """

    dataset: str
    format: Literal["inventory", "events"] = "inventory"
    recorded_at: str | None = None
    reason: Reason

    @property
    def tell_maintenance(self) -> bool:
        """Whether an entry can say when somebody worked on a unit; an inventory knows days with faults alone."""
        return self.format == "events"


class Profile(_Strict):
    profile: Name
    description: str
    source: Source
    registry: Registry
    units: tuple[str, ...] = ()
    sensors: tuple[Sensor, ...] = Field(min_length=1)
    cleansing: Cleansing
    windows_minutes: tuple[Duration, ...] = Field(min_length=1)
    lateness: tuple[Lateness, ...] = ()
    exclude_clock_drift: ReasonedSwitch | None = None
    features: tuple[Feature, ...] = Field(min_length=1)
    model: ModelSpec
    models: tuple[FurtherModel, ...] = ()
    in_service: tuple[InService, ...] = ()
    alerting: Alerting
    labels: Labels | None = None
    training: Training = Training()
    imputation: Imputation = Imputation()
    cohorts: Cohorts | None = None
    properties: tuple[Property, ...] = ()
    streaming: Streaming | None = None
    fallback: Fallback | None = None
    staleness: Staleness | None = None
    archive: Archive | None = None
    maintenance: Maintenance | None = None
    reviews: Reviews | None = None
    exemplars: Exemplars | None = None
    schema_log: SchemaLog | None = None

    @property
    def sensor_names(self) -> tuple[str, ...]:
        return tuple(sensor.name for sensor in self.sensors)

    @property
    def model_features(self) -> tuple[str, ...]:
        """The model vector, in order."""
        return self.features_of(self.model)

    @property
    def every_model(self) -> tuple[ModelSpec | FurtherModel, ...]:
        """The model that alerts first, then those that stand beside it."""
        return (self.model, *self.models)

    @property
    def models_in_service(self) -> tuple[FurtherModel, ...]:
        """Those beside the first model whose scores are put together with its own."""
        families = {one.family for one in self.in_service}
        return tuple(model for model in self.models if model.family in families)

    @property
    def training_lengths(self) -> tuple[int, ...]:
        """The window lengths that some model learns from; that of the first model leads."""
        return tuple(dict.fromkeys(model.window_duration_minutes for model in self.every_model))

    def features_of(self, model: ModelSpec | FurtherModel) -> tuple[str, ...]:
        """The vector of one model, in order."""
        names = tuple(f.name for f in self.features)
        if model.features == "all":
            return names
        if model.features == "mean_and_std":
            return tuple(name for name in names if name.endswith(("_mean", "_std")))
        return model.features

    @property
    def has_labels(self) -> bool:
        """Whether there is a ``label_events``."""
        return self.labels is not None or self.orders_are_labels

    @property
    def orders_are_labels(self) -> bool:
        """Whether completed work orders are rows of ``label_events``."""
        return self.maintenance is not None and self.maintenance.label_confidence is not None

    @property
    def labels_tell_maintenance(self) -> bool:
        """Whether ``label_events`` say when somebody worked on a unit, and because of which alert."""
        return self.orders_are_labels or (self.labels is not None and self.labels.tell_maintenance)

    @property
    def zone(self) -> str | None:
        """The zone of text without offset from a device that has none of its own; ``None`` is UTC."""
        if self.registry.every_device is not None:
            return self.registry.every_device.timezone
        return None if self.source.time.zone == FROM_REGISTRY else self.source.time.zone

    def lateness_of(self, minutes: int) -> Lateness:
        """What is declared for a window length; else at once where receipt is measuring, else that of live fleets."""
        for declared in self.lateness:
            if declared.window_minutes == minutes:
                return declared
        live = self.source.ingested != "same_as_time"
        hours = (0 if minutes < 60 else 2 if minutes < 1440 else 48) if live else 0
        return Lateness(
            window_minutes=minutes,
            close_after=ReasonedMinutes(minutes=20 if live else 0, reason=_ON_ITS_WAY if live else _AT_ONCE),
            horizon=ReasonedHours(hours=hours, reason=_HORIZON if live else _AT_ONCE),
        )

    def sensor(self, name: str) -> Sensor:
        return next(sensor for sensor in self.sensors if sensor.name == name)
