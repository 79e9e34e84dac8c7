"""A fleet described in YAML: sensors, how they move, what firmware lacks, and what may go wrong.

The format is documented by the shipped ``fleets/refrigeration.yaml``. Everything is validated when loaded; an error
names the file and the place in it.
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from mirror.errors import nearest
from mirror.synth.effects import Effect, effects
from mirror.synth.errors import FleetFileError

BUILT_IN = "refrigeration"
# libyaml where PyYAML was built with it: a tenth of the time
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class NumericSensor(_Entry):
    """A healthy marginal: normal with ``mean`` and ``std`` in the sensor's own unit."""

    name: str
    type: Literal["double"]
    mean: float
    std: float = Field(gt=0.0)


class BooleanSensor(_Entry):
    """True in runs of ``minutes``: one run ``every_hours``, or at random covering ``share`` of the time."""

    name: str
    type: Literal["boolean"]
    minutes: tuple[float, float]
    every_hours: tuple[float, float] | None = None
    share: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None

    @model_validator(mode="after")
    def _one_rhythm(self) -> BooleanSensor:
        if (self.every_hours is None) == (self.share is None):
            raise ValueError("give either every_hours or share")
        return self


class Correlation(_Entry):
    """Pearson correlation ``rho`` of two numeric sensors; a sensor may be ``second`` once only."""

    first: str
    second: str
    rho: float = Field(gt=-1.0, lt=1.0)


class Firmware(_Entry):
    """A firmware version, the share of devices that run it and the sensors it does not report."""

    version: str
    share: float = Field(gt=0.0, le=1.0)
    missing: tuple[str, ...] = ()


class Variant(_Entry):
    """Hardware that a share of the devices lacks, whatever the firmware."""

    name: str
    share: float = Field(ge=0.0, le=1.0)
    missing: tuple[str, ...]


class Scenario(_Entry):
    """An anomaly: when it begins, how long it lasts (to the end of the series when not given) and what it does.

    ``equipment`` is true when the machine itself is at fault, false for faults of sensors, clocks and transport and for
    healthy look-alikes: only the former should end in an equipment alert.
    """

    id: str
    equipment: bool
    onset_hours: float = Field(ge=0.0)
    duration_hours: Annotated[float, Field(gt=0.0)] | None = None
    effects: tuple[Effect, ...]

    @field_validator("effects", mode="before")
    @classmethod
    def _by_name(cls, given: Any) -> tuple[Effect, ...]:
        return tuple(_effect(entry) for entry in given or ())


def _effect(entry: Any) -> Effect:
    if not isinstance(entry, dict) or "effect" not in entry:
        raise ValueError("each effect is a mapping with the key 'effect'")
    name = str(entry["effect"])
    kind = effects().get(name)
    if kind is None:
        raise ValueError(
            f"no effect named {name!r}; known are {', '.join(sorted(effects()))}.{nearest(name, effects())}"
        )
    return kind(**{key: value for key, value in entry.items() if key != "effect"})


class Fleet(_Entry):
    """A whole fleet file.

    ``start`` is the default first minute of the series (UTC). ``landing`` and ``registry_landing`` are the datasets
    whose transforms read this fleet's CSV files, for the hint that ends ``mirror synth``.
    """

    fleet: str
    landing: str | None = None
    registry_landing: str | None = None
    device_id: str
    site_id: str
    devices_per_site: int = Field(ge=1)
    interval_seconds: int = Field(ge=1)
    start: datetime
    phi: float = Field(ge=0.0, lt=1.0)
    device_offset_share: float = Field(ge=0.0)
    sensors: tuple[Annotated[NumericSensor | BooleanSensor, Field(discriminator="type")], ...] = Field(min_length=1)
    correlations: tuple[Correlation, ...] = ()
    firmware: tuple[Firmware, ...] = Field(min_length=1)
    variants: tuple[Variant, ...] = ()
    scenarios: dict[str, Scenario] = {}

    @cached_property
    def sensor_names(self) -> tuple[str, ...]:
        """All sensors in the order of the raw schema."""
        return tuple(sensor.name for sensor in self.sensors)

    @cached_property
    def numeric(self) -> tuple[NumericSensor, ...]:
        """Sensors with a normal marginal."""
        return tuple(sensor for sensor in self.sensors if isinstance(sensor, NumericSensor))

    @cached_property
    def marginals(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Means and standard deviations of the numeric sensors."""
        return np.array([sensor.mean for sensor in self.numeric]), np.array([sensor.std for sensor in self.numeric])

    @cached_property
    def firmware_shares(self) -> NDArray[np.float64]:
        """Share of each firmware, in order."""
        return np.array([firmware.share for firmware in self.firmware])

    @cached_property
    def parents(self) -> dict[int, tuple[int, float]]:
        """For :func:`mirror.synth.signals.correlate`: child row -> (parent row, rho), parents first."""
        row = {sensor.name: index for index, sensor in enumerate(self.numeric)}
        waiting = {row[pair.second]: (row[pair.first], pair.rho) for pair in self.correlations}
        ordered: dict[int, tuple[int, float]] = {}
        while waiting:
            ready = [child for child, (parent, _) in waiting.items() if parent not in waiting]
            if not ready:
                raise ValueError("correlations form a circle")
            ordered.update({child: waiting.pop(child) for child in ready})
        return ordered

    @model_validator(mode="after")
    def _consistent(self) -> Fleet:
        names = self.sensor_names
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"sensor {repeated[0]!r} is listed twice")
        if self.start.tzinfo is None:
            raise ValueError("start needs a time zone, for example 2026-01-05T00:00:00Z")
        used = [(f"firmware {f.version}", s) for f in self.firmware for s in f.missing]
        used += [(f"variant {v.name}", s) for v in self.variants for s in v.missing]
        used += [(f"scenario {k}", s) for k, sc in self.scenarios.items() for e in sc.effects for s in e.sensors]
        for place, sensor in used:
            if sensor not in names:
                raise ValueError(f"{place} names the unknown sensor {sensor!r}.{nearest(sensor, names)}")
        numeric = {sensor.name for sensor in self.numeric}
        for pair in self.correlations:
            for sensor in (pair.first, pair.second):
                if sensor not in numeric:
                    raise ValueError(
                        f"correlation names {sensor!r}, which is no numeric sensor.{nearest(sensor, numeric)}"
                    )
        seconds = [pair.second for pair in self.correlations]
        if doubled := sorted({name for name in seconds if seconds.count(name) > 1}):
            raise ValueError(f"{doubled[0]!r} is the second sensor of two correlations; only one can be met exactly")
        if abs(sum(f.share for f in self.firmware) - 1.0) > 1e-9:
            raise ValueError("the shares of firmware must add up to 1")
        _ = self.parents
        return self


def load_fleet(source: str | Path = BUILT_IN) -> Fleet:
    """The fleet described by a YAML file, or by the shipped one of that name.

    Raises:
        FleetFileError: no such file, no YAML, or a description that contradicts itself.
    """
    shipped = resources.files("mirror.synth") / "fleets"
    name, text = str(source), None
    candidate = shipped / f"{source}.yaml"
    if "/" not in name and candidate.is_file():
        text = candidate.read_text(encoding="utf-8")
    elif Path(source).is_file():
        text = Path(source).read_text(encoding="utf-8")
    if text is None:
        known = sorted(entry.name.removesuffix(".yaml") for entry in shipped.iterdir() if entry.name.endswith(".yaml"))
        raise FleetFileError(name, "", f"no such file, and no shipped fleet of that name (shipped: {', '.join(known)})")
    return parse_fleet(text, name)


def parse_fleet(text: str, name: str) -> Fleet:
    """The fleet described by YAML ``text``; ``name`` is what errors call it."""
    try:
        document = yaml.load(text, _LOADER)  # noqa: S506 - both are safe loaders
    except yaml.YAMLError as error:
        raise FleetFileError(name, "", f"is not YAML: {error}") from error
    try:
        return Fleet.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise FleetFileError(name, place, first["msg"].removeprefix("Value error, ")) from error
