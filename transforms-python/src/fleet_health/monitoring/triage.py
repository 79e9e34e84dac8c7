"""What a movement looks like: a fault of the pipeline, a season, another fleet, a sensor, or real drift.

A fault of the pipeline is sudden, hits every device and shifts or scales all of them alike; weather is as sudden and as
wide, and moves each device its own way. Retraining on a fault would teach the fault.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fleet_health.profiles.model import Profile

TOO_FEW_ROWS, NO_REFERENCE = "too_few_rows", "no_reference"
SEASONAL, COMPOSITION, SENSOR_HARDWARE = "seasonal", "composition", "sensor_hardware"
COVARIATE, PIPELINE_FAULT = "covariate", "pipeline_fault"

SIGNIFICANT = 0.25
MODERATE = 0.10
WIDE = 0.8
"""Share of devices that must have moved the same way for everyone to have."""
EXACT = 0.15
"""How much the movement of single devices may differ, relative to it, for all of them to have moved alike."""
NARROW = 0.5
"""Share of the parts of a slice of which at most so many moved when it is those parts and not the fleet."""


@dataclass(frozen=True)
class Movement:
    """One feature that drifted.

    Attributes:
        psi: index against training, for the fleet.
        psi_day_before: index against the period before; null without one.
        psi_season: index against the same season of training; null where training has no such rows.
        parts: index per slice and part.
        moved_devices: share of devices whose own mean moved the way of the fleet; null where nobody asked.
        scatter: how differently they moved, relative to the movement, as an offset or as a factor, whichever is less.
        emptied: whether the feature became null, or one single value, and was not in training.
    """

    psi: float
    psi_day_before: float | None
    psi_season: float | None
    parts: Mapping[str, Mapping[str, float]]
    moved_devices: float | None
    scatter: float | None
    emptied: bool

    @property
    def sudden(self) -> bool:
        return self.psi_day_before is not None and self.psi_day_before > SIGNIFICANT


def triage(feature: str, movements: Mapping[str, Movement], profile: Profile) -> str | None:
    """The likely kind of the movement of ``feature``; null when it did not move.

    Args:
        feature: one of ``movements``.
        movements: every feature that was measured.
        profile: tells which features stand on the same sensor.
    """
    one = movements[feature]
    if one.psi <= MODERATE:
        return None
    if one.emptied and _everywhere(one):
        return PIPELINE_FAULT
    if one.sudden and _everywhere(one) and one.scatter is not None and one.scatter < EXACT:
        return PIPELINE_FAULT
    if one.psi_season is not None and one.psi_season <= MODERATE:
        return SEASONAL
    if _some_parts(one):
        return COMPOSITION
    moved = {name for name, other in movements.items() if other.psi > MODERATE}
    sensors = {sensor for name in moved for sensor in sensors_of(name, profile)}
    return SENSOR_HARDWARE if len(sensors) == 1 and not one.sudden else COVARIATE


def scope(movements: Mapping[str, Movement]) -> str:
    """How far it reaches: ``nothing``, ``one feature``, ``one cohort``, ``all devices`` or ``many features``."""
    moved = [one for one in movements.values() if one.psi > SIGNIFICANT]
    if not moved:
        return "nothing"
    if all(_some_parts(one) for one in moved):
        return "one cohort"
    if len(moved) == 1:
        return "one feature"
    return "all devices" if all(_everywhere(one) for one in moved) else "many features"


def _everywhere(one: Movement) -> bool:
    if one.moved_devices is not None:
        return one.moved_devices >= WIDE
    values = [psi for parts in one.parts.values() for psi in parts.values()]
    return not values or all(psi > MODERATE for psi in values)


def _some_parts(one: Movement) -> bool:
    """Whether some parts of one slice moved far and most of its others did not move at all."""
    for parts in one.parts.values():
        far = [psi for psi in parts.values() if psi > SIGNIFICANT]
        still = [psi for psi in parts.values() if psi <= MODERATE]
        if far and still and len(far) <= NARROW * len(parts):
            return True
    return False


def sensors_of(feature: str, profile: Profile) -> Sequence[str]:
    """The sensors that a feature stands on, through the features it is made of."""
    known = {one.name: one for one in profile.features}
    found: list[str] = []
    waiting = [feature]
    while waiting:
        one = known.get(waiting.pop())
        if one is None:
            continue
        if one.sensor is not None:
            found.append(one.sensor)
        waiting += one.of or ()
    return sorted(set(found))
