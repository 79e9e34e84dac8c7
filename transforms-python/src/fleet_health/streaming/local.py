"""A stream on this machine: readings as files in a folder, alerts as files in another."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from fleet_health.contracts.raw import raw_schema
from fleet_health.profiles.model import Profile
from fleet_health.streaming.runner import stream_alerts


def readings_from(spark: SparkSession, folder: str, profile: Profile) -> DataFrame:
    """A stream of the Parquet files that appear in ``folder``, with the columns of ``raw_sensor_readings``."""
    # no build runs this: a person starts the stream beside the pipeline and names its folder
    return spark.readStream.schema(raw_schema(profile)).parquet(folder)


def start(
    spark: SparkSession,
    folder: str,
    target: str,
    checkpoint: str,
    thresholds: DataFrame,
    registry: DataFrame,
    profile: Profile,
    *,
    until_empty: bool = False,
) -> StreamingQuery:
    """Starts a query from ``folder`` to Parquet files in ``target``; alerts appear there with their micro-batch.

    Args:
        spark: the session that runs the query.
        folder: where readings land.
        target: where alerts go; each alert is written once, whatever happens in between.
        checkpoint: what was read, and the state of every device. The same folder goes on where it stopped.
        thresholds: see :func:`~fleet_health.streaming.runner.stream_alerts`.
        registry: as above.
        profile: the rules.
        until_empty: stop when all files are read instead of waiting for more.
    """
    alerts = stream_alerts(readings_from(spark, folder, profile), thresholds, registry, profile)
    writer = alerts.writeStream.format("parquet").option("path", target).option("checkpointLocation", checkpoint)
    writer = writer.trigger(availableNow=True) if until_empty else writer.trigger(processingTime="0 seconds")
    return writer.start()
