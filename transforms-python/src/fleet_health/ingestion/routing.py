"""Judged rows to the datasets they belong to, and the count that proves that nothing was lost on the way."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.clean import (
    CONSERVATION_SCHEMA,
    DEAD_LETTER_COLUMNS,
    clean_schema,
    quarantine_schema,
)
from fleet_health.contracts.conform import conform
from fleet_health.data_time import with_data_time
from fleet_health.ids import natural_key_id
from fleet_health.profiles.model import Profile


def clean_rows(judged: DataFrame, profile: Profile) -> DataFrame:
    """``clean_sensor_readings``."""
    return conform(judged.where(F.col("outcome") == "CLEAN"), clean_schema(profile))


def quarantined_rows(judged: DataFrame, profile: Profile) -> DataFrame:
    """``quarantine_sensor_readings``."""
    held = judged.where(F.col("outcome") == "QUARANTINE")
    held = held.withColumnsRenamed({"reason": "quarantine_reason", "rule": "quarantine_rule"})
    return conform(with_data_time(held, judged, "quarantined_at"), quarantine_schema(profile))


def dead_letters(judged: DataFrame, malformed: DataFrame) -> DataFrame:
    """``dead_letter``: what the deserialiser could not read, and the rows in which every sensor was null."""
    empty = judged.where(F.col("outcome") == "DEAD_LETTER")
    position = F.concat_ws(":", F.col("source_file"), F.col("line_number").cast("string"))
    empty = empty.select(
        natural_key_id(
            "dead_letter", F.col("reason"), F.col("_partition_key"), F.col("_sequence_number"), position
        ).alias("dead_letter_id"),
        "reason",
        "event_id",
        "device_id",
        "timestamp_ingested",
        "_partition_key",
        "_sequence_number",
        F.lit(None).cast("string").alias("payload"),
        F.lit("every sensor of the row is null").alias("error_detail"),
        "source_file",
        "line_number",
    )
    return with_data_time(malformed.unionByName(empty), judged, "routed_at").select(*DEAD_LETTER_COLUMNS)


def conservation(judged: DataFrame, malformed: DataFrame) -> DataFrame:
    """Rows per source file, outcome and reason. The sum over a file is the number of its data lines."""
    told = judged.select("source_file", "outcome", F.coalesce("reason", F.lit("NONE")).alias("reason"))
    unread = malformed.select("source_file", F.lit("DEAD_LETTER").alias("outcome"), "reason")
    counted = told.unionByName(unread).groupBy("source_file", "outcome", "reason").agg(F.count(F.lit(1)).alias("rows"))
    return counted.select(*CONSERVATION_SCHEMA.fieldNames())
