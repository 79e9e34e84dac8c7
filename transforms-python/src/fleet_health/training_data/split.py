"""Who trains and who judges: devices by a hash of their id, windows by time with a gap between the two.

A device keeps its part for ever: the hash knows nothing but the id, so neither a new device nor a corrected registry
entry moves another one, and every model, climate zone or firmware is divided in the same shares.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.feature_store.point_in_time import literal
from fleet_health.profiles.learning import Split
from fleet_health.profiles.model import Profile

TRAIN, VALIDATION, TEST = "train", "validation", "test"
PARTS = (TRAIN, VALIDATION, TEST)
PERIODS = (TRAIN, VALIDATION)
_BITS = 32


@dataclass(frozen=True)
class Cut:
    """The instants that divide the windows of one assembly.

    A window trains when it lies in ``trained_from .. trained_until``, and judges when it lies in ``validation``; one
    that reaches outside of both does neither. Without ``validation`` the reason is ``unsplit``.
    """

    trained_from: datetime
    trained_until: datetime
    validation: tuple[datetime, datetime] | None = None
    unsplit: str | None = None


@dataclass(frozen=True)
class Fold:
    """One step of an expanding window: everything up to ``trained_until`` against what follows the gap."""

    trained_until: datetime
    validated_from: datetime
    validated_until: datetime


def part_of(device_id: str, split: Split) -> str:
    """The part of one device; see :func:`device_part`, which says the same on columns."""
    number = int(hashlib.sha256(device_id.encode()).hexdigest()[: _BITS // 4], 16)
    held = number / 2**_BITS
    if held < split.holdout_validation:
        return VALIDATION
    return TEST if held < split.holdout_validation + split.holdout_test else TRAIN


def device_part(split: Split) -> Column:
    """``train``, ``validation`` or ``test``, by the first bits of the id's sha256."""
    first = F.substring(F.sha2(F.col("device_id").cast("binary"), 256), 1, _BITS // 4)
    held = F.conv(first, 16, 10).cast("double") / float(2**_BITS)
    return (
        F.when(held < split.holdout_validation, F.lit(VALIDATION))
        .when(held < split.holdout_validation + split.holdout_test, F.lit(TEST))
        .otherwise(F.lit(TRAIN))
    )


def cut_of(rows: DataFrame, profile: Profile) -> Cut | None:
    """Where the windows of one assembly are divided; ``None`` when there are no windows.

    Args:
        rows: the windows that may train or judge, of every length.
        profile: its ``training.split``.

    Returns:
        the declared split when it leaves windows on both sides, else one period that trains, with the reason: a fleet
        that is younger than gap and validation together has to begin somewhere, and its experiment says that nothing
        validated it.
    """
    split = profile.training.split
    # one row: the ends of the data
    ends = rows.agg(F.min("window_start").alias("first"), F.max("window_end").alias("last")).toPandas().iloc[0]
    if ends.isna().any():
        return None
    first, last = (one.to_pydatetime().replace(tzinfo=UTC) for one in (ends["first"], ends["last"]))
    if split is None:
        return Cut(first, last, unsplit="the profile declares no split")
    cut = declared_cut(last, split)
    trains, judges = _period(cut.trained_from, cut.trained_until), _period(*cut.validation or (last, last))
    sides = [F.max(trains & (F.col("device_part") == TRAIN)), F.max(judges & (F.col("device_part") == VALIDATION))]
    # one row: whether each side has windows
    there = placed_part(rows, split).agg(*sides).collect()[0]
    if all(there):
        return cut
    missing = "held-out device in the validation period" if there[0] else "window before validation period and gap"
    return Cut(first, last, unsplit=f"no {missing}; the data go from {first:%Y-%m-%d} to {last:%Y-%m-%d}")


def placed_part(rows: DataFrame, split: Split) -> DataFrame:
    """``rows`` plus ``device_part``."""
    return rows.withColumn("device_part", device_part(split))


def _period(start: datetime, end: datetime) -> Column:
    """Whether a window lies inside."""
    return (F.col("window_start") >= literal(start)) & (F.col("window_end") <= literal(end))


def declared_cut(last: datetime, split: Split) -> Cut:
    """The cut by the calendar: whole UTC days, so that windows of every length end with them."""
    until = split.until + timedelta(days=1) if split.until is not None else last.date()
    judged = datetime.combine(until, time(), UTC)
    judges = judged - timedelta(days=split.validation_days.value)
    trained = judges - timedelta(days=split.gap_days.value)
    return Cut(trained - timedelta(days=split.window_days.value), trained, (judges, judged))


def placed(rows: DataFrame, cut: Cut, profile: Profile) -> DataFrame:
    """``rows`` plus ``device_part``, ``period`` and ``trained_until``.

    ``period`` is null for a window that neither trains nor judges: it touches the gap or lies outside, or its device is
    held out and the window is from before the validation period. Devices that train have a validation period as well:
    how they rank in both tells whether the model is stable.
    """
    until = literal(cut.trained_until)
    split = profile.training.split
    if split is None or cut.validation is None:
        return rows.withColumns({"device_part": F.lit(TRAIN), "period": F.lit(TRAIN), "trained_until": until})
    parted = placed_part(rows, split)
    before = _period(cut.trained_from, cut.trained_until) & (F.col("device_part") == TRAIN)
    period = F.when(before, F.lit(TRAIN)).when(_period(*cut.validation), F.lit(VALIDATION))
    return parted.withColumns({"period": period, "trained_until": until})


def folds(cut: Cut, split: Split) -> tuple[Fold, ...]:
    """Expanding windows inside the training period: each trains strictly before it validates, the gap between.

    Fewer than ``split.folds`` where the period is too short for a day of training before the first gap.
    """
    gap, judged = timedelta(days=split.gap_days.value), timedelta(days=split.validation_days.value)
    made = []
    for place in range(split.folds):
        end = cut.trained_until - judged * place
        start = end - judged
        if start - gap - timedelta(days=1) >= cut.trained_from:
            made.append(Fold(start - gap, start, end))
    return tuple(reversed(made))
