"""``feature_drift_metrics``: how far the newest windows have moved from the rows that trained the model.

One pass over the windows of two periods, of every length, gives histograms per feature and slice
(:mod:`fleet_health.monitoring.sketch`); every distance is made of those. Only features that drifted are asked once
more, device by device.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.model_input.cohorts import cohort
from fleet_health.monitoring.comparison import NOISE, WHOLE, Measured, Part, Period, Reference, index, references
from fleet_health.monitoring.distances import psi_noise
from fleet_health.monitoring.drift_rows import rows_of, unreferenced
from fleet_health.monitoring.lengths import LENGTH, lengths
from fleet_health.monitoring.periods import EARLIER, both_periods, periods_of
from fleet_health.monitoring.references import SEASON, SLICES, season_of
from fleet_health.monitoring.sketch import Key, Layout, Sketch, sketches
from fleet_health.monitoring.triage import Movement
from fleet_health.profiles.model import Profile

BLOCK_HOURS = 4
"""Machines wander for an hour or two, so neighbouring windows are one observation and not many; means of four hours
scatter as independently as days do."""


def measure(features: DataFrame, registry: DataFrame, baselines: pd.DataFrame, profile: Profile) -> list[Measured]:
    """The distances of every feature, slice by slice, at each window length that has windows, the scored one first.

    Lengths share the pass and nothing else: each has its own period, bins, reference, triage and reach.

    Args:
        features: ``device_features``.
        registry: ``device_registry``; names the slices.
        baselines: ``drift_baselines`` (bins and moments, some hundred rows per version and length).
        profile: names the window lengths, the models and their versions.

    Raises:
        BaselineMismatchError: the references are of another version, or of other features.
    """
    found = {minutes: references(baselines, profile, minutes) for minutes in lengths(profile)}
    known = {minutes: reference for minutes, reference in found.items() if reference is not None}
    trained = {
        minutes: int(parts[WHOLE][layout.names[0]].row["row_count"]) for minutes, (layout, parts) in known.items()
    }
    periods = periods_of(features.select("window_end", LENGTH).where(F.col(LENGTH).isin(*found)), trained)
    compared = {minutes: periods[minutes] for minutes in known if minutes in periods}
    made = {one: unreferenced(one, period, profile) for one, period in periods.items() if one not in known}
    if compared:
        named = F.broadcast(registry.select("device_id", *_slices(profile)))
        rows = both_periods(features, compared).join(named, "device_id", "left")
        layouts = {minutes: known[minutes][0] for minutes in compared}
        groups = sketches(rows, layouts, [LENGTH, EARLIER, *SLICES])
        for minutes, period in compared.items():
            own = {key[1:]: sketch for key, sketch in groups.items() if key[0] == minutes}
            windows = rows.where(F.col(LENGTH) == minutes)
            made[minutes] = _measured(minutes, period, known[minutes], own, windows, profile)
    return [made[minutes] for minutes in found if minutes in made]


def _measured(
    minutes: int,
    period: Period,
    reference: tuple[Layout, dict[Part, dict[str, Reference]]],
    groups: Mapping[Key, Sketch],
    windows: DataFrame,
    profile: Profile,
) -> Measured:
    layout, known = reference
    now = _by_part(groups, 0, layout)
    before = _by_part(groups, 1, layout).get(WHOLE)
    movements = movements_of(layout, known, now, before, period)
    movements = with_devices(movements, windows, before is not None, layout, known)
    made = rows_of(_compared(now, known, period), now, known, layout, movements, profile)
    return Measured(minutes, made, movements, period)


def _slices(profile: Profile) -> list[Any]:
    columns = {"cohort": cohort(profile.cohorts)}
    return [columns.get(name, F.col(column)).cast("string").alias(name) for name, column in SLICES.items()]


def _by_part(groups: Mapping[tuple[Any, ...], Sketch], earlier: int, layout: Layout) -> dict[Part, Sketch]:
    """Sums of the groups: the whole, and each part of each slice."""
    found: dict[Part, Sketch] = {}
    for (age, *values), sketch in groups.items():
        if age != earlier:
            continue
        parts = [(name, str(value)) for name, value in zip(SLICES, values, strict=True) if value is not None]
        for part in (WHOLE, *parts):
            found.setdefault(part, Sketch.empty(layout)).add(sketch)
    return found


def _compared(now: Mapping[Part, Sketch], known: Mapping[Part, Any], period: Period) -> list[tuple[Part, Sketch]]:
    """What is compared with what training saw of the same part; the fleet also with what it saw of the season."""
    found = [(part, sketch) for part, sketch in sorted(now.items()) if part in known]
    season = (SEASON, _season(period))
    if season in known and WHOLE in now and sum(name == SEASON for name, _ in known) > 1:
        found.append((season, now[WHOLE]))
    return found


def _season(period: Period) -> str:
    return str(season_of(pd.Series([pd.Timestamp(period.until, unit="s", tz="UTC")])).iloc[0])


def movements_of(
    layout: Layout,
    known: Mapping[Part, Mapping[str, Reference]],
    now: Mapping[Part, Sketch],
    before: Sketch | None,
    period: Period,
) -> dict[str, Movement]:
    """The movement of every feature of which something can be said; devices have not been asked yet."""
    found: dict[str, Movement] = {}
    whole, season = now.get(WHOLE), known.get((SEASON, _season(period)))
    if whole is None:
        return found
    for place, name in enumerate(layout.names):
        psi = index(whole, place, known[WHOLE][name])
        if psi is None:
            continue
        parts: dict[str, dict[str, float]] = {}
        for part, sketch in now.items():
            value = index(sketch, place, known[part][name]) if part != WHOLE and part in known else None
            if value is not None:
                parts.setdefault(part[0], {})[part[1]] = value
        low, high = whole.extremes(place)
        trained = known[WHOLE][name].row
        emptied = (whole.present(place) == 0 and trained["null_count"] < trained["row_count"]) or (
            low == high and trained["minimum"] != trained["maximum"] and whole.present(place) > 0
        )
        in_season = index(whole, place, season[name]) if season else None
        found[name] = Movement(
            psi, _since(whole, before, place, known[WHOLE][name]), in_season, parts, None, None, emptied
        )
    return found


def _since(whole: Sketch, before: Sketch | None, place: int, reference: Reference) -> float | None:
    if before is None or psi_noise(whole.rows, before.rows) > NOISE:
        return None
    earlier = Reference(before.of(place), before.nulls(place), {**reference.row, "row_count": before.rows})
    return index(whole, place, earlier)


def with_devices(
    movements: dict[str, Movement], rows: DataFrame, earlier: bool, layout: Layout, known: Mapping[Part, Any]
) -> dict[str, Movement]:
    """Asks each device how its own mean moved, for the features that left the period before."""
    asked = [name for name in layout.names if name in movements and movements[name].sudden]
    if not asked or not earlier:
        return movements
    hour = F.floor((F.unix_timestamp("window_end") - 1) / (BLOCK_HOURS * 3600))
    blocks = rows.groupBy("device_id", EARLIER, hour).agg(*(F.avg(name).alias(name) for name in asked))
    told = [one for name in asked for age in (0, 1) for one in _of_device(name, age)]
    means = blocks.groupBy("device_id").agg(*told)
    moves = [one for name in asked for one in _moves(name, float(known[WHOLE][name].row["std"] or 0.0))]
    # one row: how many devices moved, and how differently
    row = means.agg(*moves).collect()[0]
    found = dict(movements)
    for name in asked:
        devices = row[f"{name}_devices"]
        share = max(row[f"{name}_up"], row[f"{name}_down"]) / devices if devices else None
        scatters = [_scatter(devices, *row[f"{name}_{kind}"]) for kind in ("offset", "factor")]
        sayable = [one for one in scatters if one is not None]
        found[name] = replace(movements[name], moved_devices=share, scatter=min(sayable, default=None))
    return found


def _of_device(name: str, age: int) -> tuple[Column, Column]:
    """The device's mean in a period, and the square of its standard error, from its blocks."""
    value = F.when(F.col(EARLIER) == age, F.col(name))
    return F.avg(value).alias(f"{name}_{age}"), (F.variance(value) / F.count(value)).alias(f"{name}_{age}_error")


def _moves(name: str, spread: float) -> tuple[Column, ...]:
    """Devices with both means, those that may have moved half a deviation for all that their own noise says; mean,
    variance and error of their moves.
    """
    now, then = F.col(f"{name}_0"), F.col(f"{name}_1")
    error = F.col(f"{name}_0_error") + F.col(f"{name}_1_error")
    offset, factor = now - then, F.when(then != 0, now / then)
    far = F.lit(spread / 2.0) - 2.0 * F.sqrt(F.coalesce(error, F.lit(0.0)))
    return (
        F.count(offset).alias(f"{name}_devices"),
        F.count(F.when(offset > far, 1)).alias(f"{name}_up"),
        F.count(F.when(offset < -far, 1)).alias(f"{name}_down"),
        F.array(F.avg(offset), F.variance(offset), F.avg(error)).alias(f"{name}_offset"),
        F.array(F.avg(factor) - 1, F.variance(factor), F.avg(error / (then * then))).alias(f"{name}_factor"),
    )


def _scatter(devices: int, mean: float | None, variance: float | None, error: float | None) -> float | None:
    """How differently devices moved beyond what their own noise explains, relative to the movement.

    The variance of so many devices is itself uncertain, so three of its standard errors count as noise.
    """
    if not mean or variance is None or error is None or devices < 2:
        return None
    noise = error * (1.0 + 3.0 * math.sqrt(2.0 / (devices - 1)))
    return math.sqrt(max(variance - noise, 0.0)) / abs(mean)
