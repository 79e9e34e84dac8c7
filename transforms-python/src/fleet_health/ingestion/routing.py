"""Judged rows to the datasets they belong to, and the ledger that proves that nothing was lost on the way.

A row is routed at the newest receipt time in its file: the rows of a file become known together. Nothing here depends
on the build in which a file is judged, so any sequence of builds ends with the rows of a single one.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.clean import (
    ALL_DEVICES,
    CONSERVATION_SCHEMA,
    DEAD_LETTER_SCHEMA,
    DEVICE_UNKNOWN,
    DUPLICATE,
    MERGED,
    NARROW_LINE,
    RELEASED,
    SENSOR_REPEATED,
    clean_schema,
    quarantine_schema,
)
from fleet_health.contracts.conform import conform
from fleet_health.contracts.raw import LINE_COUNTS, LINE_FILES
from fleet_health.data_time import EPOCH
from fleet_health.ids import natural_key_id
from fleet_health.ingestion.cleansing import file_times, utc_day
from fleet_health.profiles.model import Profile


def clean_rows(judged: DataFrame, profile: Profile) -> DataFrame:
    """``clean_sensor_readings``."""
    return conform(judged.where(F.col("outcome") == "CLEAN"), clean_schema(profile))


def quarantined_rows(judged: DataFrame, profile: Profile) -> DataFrame:
    """``quarantine_sensor_readings``, of judged or of freed rows."""
    held = judged.where(F.col("outcome") == "QUARANTINE")
    names = {"reason": "quarantine_reason", "rule": "quarantine_rule", "known_at": "quarantined_at"}
    return conform(held.withColumnsRenamed(names), quarantine_schema(profile))


def dead_letters(judged: DataFrame, malformed: DataFrame) -> DataFrame:
    """``dead_letter``: what the deserialiser could not read, and the rows in which every sensor was null.

    A message without a readable time lies on the day it was routed; one from a file in which no line could be read was
    routed at the epoch, because nothing in the data says when it came.
    """
    known = malformed.join(F.broadcast(file_times(judged)), "source_file", "left")
    routed = known.withColumn("routed_at", F.coalesce("known_at", F.lit(EPOCH).cast("timestamp")))
    return _dead_letters(routed, "routed_at").unionByName(empty_rows(judged))


def empty_rows(judged: DataFrame) -> DataFrame:
    """The rows of ``dead_letter`` in which every sensor was null, of judged or of freed rows."""
    empty = judged.where(F.col("outcome") == "DEAD_LETTER")
    position = F.concat_ws(":", F.col("source_file"), F.col("line_number").cast("string"))
    rows = empty.withColumns(
        {
            "dead_letter_id": natural_key_id(
                "dead_letter", F.col("reason"), F.col("_partition_key"), F.col("_sequence_number"), position
            ),
            "payload": F.lit(None).cast("string"),
            "error_detail": F.lit("every sensor of the row is null"),
            "routed_at": F.col("known_at"),
        }
    )
    return _dead_letters(rows, "timestamp_utc")


def _dead_letters(rows: DataFrame, time: str) -> DataFrame:
    return conform(rows.withColumn("date", utc_day(F.col(time))), DEAD_LETTER_SCHEMA)


def conservation(judged: DataFrame, malformed: DataFrame) -> DataFrame:
    """Rows per source file, outcome and reason. The sum over a file is the number of its data lines.

    A merged reading counts once for the first of its lines, whatever became of it, and once for each other line.
    """
    one = F.lit(1).cast("long").alias("n")
    told = judged.select("source_file", "outcome", F.coalesce("reason", F.lit("NONE")).alias("reason"), one)
    unread = malformed.select("source_file", F.lit("DEAD_LETTER").alias("outcome"), "reason", one)
    lines = told.unionByName(unread)
    if set(LINE_COUNTS) <= set(judged.columns):
        fates = ((MERGED, NARROW_LINE), (DUPLICATE, SENSOR_REPEATED))
        across = set(LINE_FILES) <= set(judged.columns)
        for count, files, (outcome, reason) in zip(LINE_COUNTS, LINE_FILES, fates, strict=True):
            fate = (F.lit(outcome).alias("outcome"), F.lit(reason).alias("reason"))
            whose = (F.explode(files).alias("source_file"), *fate, one)
            own = ("source_file", *fate, F.col(count).alias("n"))
            lines = lines.unionByName(judged.where(F.col(count) > 0).select(*(whose if across else own)))
    counted = lines.groupBy("source_file", "outcome", "reason").agg(F.sum("n").alias("rows"))
    return _entries(counted.withColumn("device_id", F.lit(ALL_DEVICES)))


def release_entries(freed: DataFrame) -> DataFrame:
    """What a release adds to ``row_conservation``: per file and device the rows that quarantine loses, below zero, and
    where they went. The sum over a file stays the number of its lines.
    """
    clean = F.col("outcome") == "CLEAN"
    gained = freed.select(
        "source_file",
        "device_id",
        _either(clean, RELEASED, "outcome").alias("outcome"),
        _either(clean, DEVICE_UNKNOWN, "reason").alias("reason"),
        F.lit(1).alias("n"),
    )
    quarantine = {"outcome": F.lit("QUARANTINE"), "reason": F.lit(DEVICE_UNKNOWN), "n": F.lit(-1)}
    lost = freed.select("source_file", "device_id", *(value.alias(name) for name, value in quarantine.items()))
    moved = gained.unionByName(lost).groupBy("source_file", "outcome", "reason", "device_id")
    return _entries(moved.agg(F.sum("n").alias("rows")))


def _either(condition: Column, value: str, otherwise: str) -> Column:
    return F.when(condition, F.lit(value)).otherwise(F.col(otherwise))


def _entries(counted: DataFrame) -> DataFrame:
    return conform(counted, CONSERVATION_SCHEMA)
