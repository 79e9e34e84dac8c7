"""What a rule about "each sensor" or "each feature" means for one fleet, computed from the profile's ranges."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from fleet_health.profiles.model import Feature, Profile, Sensor

Bounds = tuple[float | None, float | None]

ROUNDING = 1e-9
"""How far an average may lie beyond its inputs before it counts as wrong; a sum of doubles is not exact."""


def numeric_sensors(profile: Profile) -> list[Sensor]:
    return [sensor for sensor in profile.sensors if sensor.type == "double"]


def feature_bounds(profile: Profile) -> dict[str, Bounds]:
    """What each feature can be at all: ``(low, high)``, ``None`` where nothing bounds it."""
    found: dict[str, Bounds] = {}
    for feature in profile.features:
        found[feature.name] = _bounds(feature, profile, found)
    return found


def _bounds(feature: Feature, profile: Profile, earlier: dict[str, Bounds]) -> Bounds:
    if feature.aggregation == "fraction":
        return 0.0, 1.0
    if feature.aggregation == "std":
        return 0.0, None
    if feature.sensor is not None and feature.aggregation in ("mean", "min", "max", "p95"):
        sensor = profile.sensor(feature.sensor)
        slack = ROUNDING if feature.aggregation in ("mean", "p95") else 0.0
        return _shifted(sensor.min, -slack), _shifted(sensor.max, slack)
    if feature.of is not None:
        (a, b), (c, d) = (earlier[name] for name in feature.of)
        if feature.aggregation == "difference":
            return _minus(a, d), _minus(b, c)
        if feature.aggregation == "ratio_of_positive":
            return _ratio(a, b, c, d)
    return None, None


def _shifted(limit: float | None, by: float) -> float | None:
    return None if limit is None else limit + by


def _minus(left: float | None, right: float | None) -> float | None:
    return None if left is None or right is None else left - right


def _ratio(a: float | None, b: float | None, c: float | None, d: float | None) -> Bounds:
    """Extremes of x / y for x in a..b and y in c..d, where y is above 0 because the ratio is null otherwise."""
    if a is None or a < -2 * ROUNDING or d is None or d <= 0:
        return None, None
    return a / d, b / c if b is not None and c is not None and c > 0 else None


def orderings(profile: Profile, complete: bool) -> Iterator[tuple[str, str]]:
    """Pairs of features of one sensor of which the first cannot exceed the second.

    ``complete``: of sensors with minimum, mean and maximum; else of all others.
    """
    for sensor in profile.sensors:
        by = {f.aggregation: f.name for f in profile.features if f.sensor == sensor.name}
        if ({"min", "mean", "max"} <= by.keys()) == complete:
            pairs = (("min", "mean"), ("mean", "max"), ("min", "max"), ("p95", "max"), ("min", "p95"))
            yield from ((by[low], by[high]) for low, high in pairs if low in by and high in by)


def members(profile: Profile, aggregations: Iterable[str]) -> list[tuple[str, Bounds]]:
    """Features of these aggregations that something bounds, with their bounds."""
    wanted, bounds = set(aggregations), feature_bounds(profile)
    chosen = [(f.name, bounds[f.name]) for f in profile.features if f.aggregation in wanted]
    return [(name, limits) for name, limits in chosen if limits != (None, None)]


def text(name: str, limits: Bounds) -> str:
    """``0 <= name <= 1``."""
    low, high = (None if limit is None else _plain(limit) for limit in limits)
    return f"{'' if low is None else f'{low} <= '}{name}{'' if high is None else f' <= {high}'}"


def _plain(limit: float) -> str:
    # the slack of an average is not worth a reader's time
    nearest = round(limit)
    return f"{nearest if math.isclose(limit, nearest, rel_tol=0, abs_tol=2 * ROUNDING) else limit:g}"
