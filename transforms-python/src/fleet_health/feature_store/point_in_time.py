"""Feature rows and labels as they were known at one instant; nothing that came later can be seen.

A reading that arrives late makes a new version of its window, with a later ``computed_at``. Reading as of an instant
takes the newest version not after it, so a pinned assembly sees what was there, whatever was recomputed since.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from fleet_health.feature_store.labels import as_class, as_origin
from fleet_health.profiles.learning import Training

KEY = ("device_id", "window_start", "window_duration_minutes")
_HOUR = 3_600_000_000


def as_of(versions: DataFrame, instant: datetime | Column | None) -> DataFrame:
    """The newest version of every window with ``computed_at <= instant``.

    Args:
        versions: rows in the shape of ``device_features``, one or several per device, window and length.
        instant: aware, or a naive one in UTC; ``None`` reads everything.

    Returns:
        the same columns, one row per key.
    """
    known = versions if instant is None else versions.where(F.col("computed_at") <= literal(instant))
    # a batch that landed late can write one version twice; the one that knows more readings counts
    newest_first = Window.partitionBy(*KEY).orderBy(F.desc("computed_at"), F.desc("reading_count"))
    ranked = known.withColumn("_version", F.row_number().over(newest_first))
    return ranked.where(F.col("_version") == 1).drop("_version")


def literal(instant: datetime | Column) -> Column:
    """A timestamp column; a naive instant is UTC, as everywhere in a profile."""
    if isinstance(instant, Column):
        return instant
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return F.timestamp_micros(F.lit((aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)))


def labelled(rows: DataFrame, labels: DataFrame, instant: datetime | Column, training: Training) -> DataFrame:
    """``rows`` plus the one label each may learn from.

    An event labels the windows of its own device with ``event - buffer - lookback <= window_end < event - buffer``,
    if it was recorded (``labeled_at``) by ``instant`` and its type has a training class. Of several, the earliest event
    speaks; at the same time the more certain one.

    Args:
        rows: one row per window, with ``device_id`` and ``window_end``.
        labels: ``label_events``.
        instant: what was recorded later stays unseen.
        training: buffer and look-back of the profile.

    Returns:
        the same rows, none lost and none doubled, with ``label``, ``label_source`` and ``label_timestamp`` (all null
        without a label) and ``label_delay_buffer_hours``. Labels of a device are gathered and shipped to its rows, so
        the rows do not move.
    """
    buffer = int(training.label_delay_buffer_hours.value)
    known = labels.where((F.col("labeled_at") <= literal(instant)) & as_class(F.col("label_type")).isNotNull())
    # the order of these fields is the order of precedence; the last ones only break ties the same way every time
    event = F.struct(
        F.unix_micros("event_timestamp").alias("event"),
        (-F.col("label_confidence")).alias("doubt"),
        as_class(F.col("label_type")).alias("label"),
        as_origin(F.col("label_source")).alias("label_source"),
        F.col("event_timestamp").alias("label_timestamp"),
    )
    per_device = known.groupBy("device_id").agg(F.array_sort(F.collect_list(event)).alias("_events"))
    end, last = F.unix_micros("window_end"), F.lit(buffer * _HOUR)
    first = F.lit(round(training.label_lookback_hours.value * _HOUR)) + last
    reached = F.filter("_events", lambda one: (end < one["event"] - last) & (end >= one["event"] - first))
    chosen = F.get(reached, F.lit(0))
    joined = rows.join(F.broadcast(per_device), "device_id", "left").withColumn("_label", chosen)
    return joined.select(
        *rows.columns,
        *(F.col(f"_label.{name}").alias(name) for name in ("label", "label_source", "label_timestamp")),
        F.lit(buffer).alias("label_delay_buffer_hours"),
    )


def unlabelled(rows: DataFrame, training: Training) -> DataFrame:
    """``rows`` with the columns of :func:`labelled`, all null."""
    nothing = F.lit(None)
    return rows.withColumns(
        {
            "label": nothing.cast("string"),
            "label_source": nothing.cast("string"),
            "label_timestamp": nothing.cast("timestamp"),
            "label_delay_buffer_hours": F.lit(int(training.label_delay_buffer_hours.value)),
        }
    )
