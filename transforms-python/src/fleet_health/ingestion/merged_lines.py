"""Lines of one sensor each to readings: what a device told within a step of time, in one row."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from fleet_health.contracts.raw import NAMED_SENSOR
from fleet_health.ids import natural_key_id
from fleet_health.profiles.model import Profile
from fleet_health.profiles.source import Merge


def merged_lines(lines: DataFrame, profile: Profile, merge: Merge) -> DataFrame:
    """One row for all lines of a file, a device and a step.

    Only lines of one file meet, because a reading that is written never changes: what a later file tells of the same
    step is a reading of its own. The sensors are part of its id, so it is no copy of the first one, and the same file
    sent twice is. With ``across_files`` all lines of a device meet; ``lines`` are then those of all files.

    Args:
        lines: readable lines as they are parsed.
        profile: sensors, and whether receipt is measuring.
        merge: how long a step is.

    Returns:
        the columns of ``raw_sensor_readings``. ``timestamp_device`` is the step's start, ``timestamp_ingested`` the
        newest receipt (the start too, where receipt is measuring). Each sensor has its first value in the order of
        ``_sequence_number``, then ``line_number``, then file; all three are those of the first line.
        ``unreadable`` are the sensors of which any line was. ``merged_lines`` counts the further sensors that were
        named, ``repeated_lines`` the lines that named one of them again.
    """
    micros = F.unix_micros("timestamp_device")
    start = F.timestamp_micros(micros - F.pmod(micros, F.lit(merge.every_seconds * 1_000_000)))
    order = F.struct("_sequence_number", "line_number", "source_file")
    named, n = F.collect_set(NAMED_SENSOR), F.count(F.lit(1))
    told: dict[str, Column] = {
        "_newest": F.max("timestamp_ingested"),
        "_named": F.array_sort(named),
        "merged_lines": F.size(named).cast("long") - 1,
        "repeated_lines": n - F.size(named),
        "_partition_key": F.min("_partition_key"),
        "_first": F.min(order),
        "unreadable": F.array_sort(F.array_distinct(F.flatten(F.collect_list("unreadable")))),
        **{s: F.min_by(s, F.when(F.col(s).isNotNull(), order)) for s in profile.sensor_names},
    }
    step: list[str | Column] = ["device_id", start.alias("timestamp_device")]
    if merge.across_files:
        again = Window.partitionBy("device_id", start, NAMED_SENSOR).orderBy(order)
        lines = lines.withColumn("_again", F.row_number().over(again) > 1)
        told["_lines"] = F.array_sort(F.collect_list(F.struct(order.alias("place"), "_again")))
    else:
        step.append("source_file")
    rows = lines.groupBy(*step).agg(*(value.alias(name) for name, value in told.items()))
    if merge.across_files:
        rows = _with_files(rows)
    received = "timestamp_device" if profile.source.ingested == "same_as_time" else "_newest"
    instant = F.unix_micros("timestamp_device")
    return rows.withColumns(
        {
            "event_id": natural_key_id("reading", F.col("device_id"), instant, F.array_join("_named", ",")),
            "timestamp_ingested": F.col(received),
            "_sequence_number": F.col("_first._sequence_number"),
            "line_number": F.col("_first.line_number"),
        }
    )


def _with_files(rows: DataFrame) -> DataFrame:
    """``source_file`` of the first line; of the others ``merged_files`` where a line names a sensor for the first time,
    and ``repeated_files`` where it names one again.
    """
    others = F.slice("_lines", 2, F.size("_lines"))

    def of(again: bool) -> Column:
        wanted = F.filter(others, lambda line: line["_again"] == F.lit(again))
        return F.transform(wanted, lambda line: line["place"]["source_file"])

    return rows.withColumns(
        {"source_file": F.col("_first.source_file"), "merged_files": of(False), "repeated_files": of(True)}
    )
