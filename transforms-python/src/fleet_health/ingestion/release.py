"""Quarantined rows of devices that have been registered since: judged to the end, as if the device had been known.

Only what the registry decides was left open in quarantine: whether a null is a gap. What cannot have been measured
stays in quarantine for that reason, and an empty row becomes a dead letter.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts import clean as contract
from fleet_health.data_time import with_data_time
from fleet_health.profiles.model import Profile

RELEASE_DAYS = 90
"""Quarantine is kept for review that long; an older row would only change what was reported and paid for."""

_DAY = 86_400_000_000


@dataclass(frozen=True)
class Release:
    """Quarantine, cut in two: ``freed`` rows with a verdict of their own, in the columns of a judged row, and the
    ``held`` ones as they were.
    """

    freed: DataFrame
    held: DataFrame


def release(quarantine: DataFrame, registry: DataFrame, raw: DataFrame, profile: Profile) -> Release:
    """Which rows of ``quarantine`` leave it now that ``registry`` is what it is.

    Args:
        quarantine: ``quarantine_sensor_readings`` as it was before this build.
        registry: ``device_registry``.
        raw: all of ``raw_sensor_readings``; its newest receipt time is the present.
        profile: sensors.
    """
    known = registry.select("device_id", "expected_sensors", F.lit(True).alias("_known"))
    rows = with_data_time(quarantine, raw, "_now").join(F.broadcast(known), "device_id", "left")
    young = F.col("timestamp_ingested") > F.col("_now") - F.expr(f"INTERVAL {RELEASE_DAYS} DAYS")
    freed = F.col("_known").isNotNull() & (F.col("quarantine_reason") == contract.DEVICE_UNKNOWN) & young
    emptied = (F.col("sensor_null_count") == len(profile.sensors)) & ~_flagged(contract.RANGE_VIOLATION)
    reason = F.when(emptied, contract.ALL_SENSORS_NULL).when(
        F.col("quarantine_rule").isNotNull(), contract.IMPOSSIBLE_ROW
    )
    outcome = F.when(reason.isNull(), "CLEAN").when(emptied, "DEAD_LETTER").otherwise("QUARANTINE")
    told = {
        contract.SENSOR_GAP: F.arrays_overlap("sensors_absent", "expected_sensors"),
        contract.IMPOSSIBLE_ROW: reason == contract.IMPOSSIBLE_ROW,
    }
    gained = F.array(*(F.when(holds, F.lit(flag)) for flag, holds in told.items()))
    flags = F.array_remove(F.array_compact(F.concat("quality_flags", gained)), contract.DEVICE_UNKNOWN)
    judged = rows.where(freed).withColumns(
        {
            "quality_flags": F.array_sort(F.array_distinct(flags)),
            "outcome": outcome,
            "reason": reason,
            "rule": F.col("quarantine_rule"),
            "known_at": F.col("quarantined_at"),
            "sensors_absent": F.lit(None).cast("array<string>"),  # told of unknown devices only
        }
    )
    dropped = ("quarantine_reason", "quarantine_rule", "quarantined_at", "_now", "_known", "expected_sensors")
    return Release(judged.drop(*dropped), rows.where(~freed).select(*quarantine.columns))


def anything_to_release(quarantine: DataFrame, registry: DataFrame, newest: int | None) -> bool:
    """Whether a device with young rows in quarantine is known by now; reads three columns of quarantine.

    Args:
        quarantine: as it was before this build.
        registry: ``device_registry``.
        newest: receipt time of the newest added row, epoch microseconds; ``None`` when nothing was added.
    """
    waiting = quarantine.where(F.col("quarantine_reason") == contract.DEVICE_UNKNOWN)
    if newest is not None:
        waiting = waiting.where(F.unix_micros("timestamp_ingested") > F.lit(newest - RELEASE_DAYS * _DAY))
    waiting = waiting.select("device_id")
    return not waiting.join(F.broadcast(registry.select("device_id")), "device_id", "left_semi").isEmpty()


def _flagged(flag: str) -> Column:
    return F.array_contains("quality_flags", flag)
