"""Five million telemetry rows and thirty checks on them, said once for us and for every peer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from transforms.api import Check

ROWS = 5_000_000
FILES = 8
SENSORS = tuple(f"s{i}" for i in range(14))
PRESENT = ("event_id", "device_id", "timestamp_event", "timestamp_ingested", "status", "s0")
LOW, HIGH = 0.0, 100.0
STATES = ("ok", "warn", "fault", "off")
DEVICE = "^device-[0-9]{4}$"
NULL_SHARES = ("s5", "s6", "s7", "s8", "s9", "s10")
MOST_NULLS = 0.05
KEY = "event_id"


def telemetry(spark: SparkSession, start: int, stop: int) -> DataFrame:
    """Rows ``start`` to ``stop``: ids, devices, times, a status, and sensors of which all but four hold 2 % nulls."""
    from pyspark.sql import functions as F

    ident = F.concat(F.lit("ev-"), F.lower(F.hex(F.xxhash64("id"))), F.lit("-"), F.col("id").cast("string"))
    columns = [
        ident.alias("event_id"),
        F.format_string("device-%04d", F.col("id") % 1000).alias("device_id"),
        F.timestamp_micros(F.lit(1_704_067_200_000_000) + F.col("id") * 15_000).alias("timestamp_event"),
        F.timestamp_micros(F.lit(1_704_067_205_000_000) + F.col("id") * 15_000).alias("timestamp_ingested"),
        F.element_at(F.array(*map(F.lit, STATES)), (F.col("id") % 4 + 1).cast("int")).alias("status"),
    ]
    for i, name in enumerate(SENSORS):
        value = F.xxhash64("id", F.lit(i)).bitwiseAND(F.lit((1 << 53) - 1)) / F.lit(float(1 << 53)) * HIGH
        present = (F.col("id") * 7 + i) % 50 != 0
        columns.append((value if i < 4 else F.when(present, value)).alias(name))
    return spark.range(start, stop, numPartitions=FILES).select(*columns)


def checks(*, key: bool) -> list[Check]:
    """The thirty checks; without the key there are twenty-nine."""
    from transforms import expectations as E
    from transforms.api import Check

    asked = [E.col(name).non_null() for name in PRESENT]
    asked += [E.all(E.col(name).gte(LOW), E.col(name).lte(HIGH)) for name in SENSORS]
    asked += [E.col("status").is_in(*STATES), E.col("device_id").rlike(DEVICE), E.count().gte(1)]
    asked += [E.col(name).null_percentage().lt(MOST_NULLS) for name in NULL_SHARES]
    if key:
        asked.append(E.group_by(KEY).is_unique())
    return [Check(expectation, f"check {i}") for i, expectation in enumerate(asked)]


def fused(frame: DataFrame, *, key: bool) -> None:
    """The same by hand: one aggregation, and one grouping for the key."""
    from pyspark.sql import functions as F

    def offending(passes: object) -> object:
        return F.count(F.when(~passes, 1))  # type: ignore[operator]

    wanted = [F.count(F.lit(1))]
    wanted += [F.count(F.when(F.col(name).isNull(), 1)) for name in PRESENT]
    for name in SENSORS:
        within = (F.col(name) >= LOW) & (F.col(name) <= HIGH)
        wanted.append(offending(F.coalesce(within, F.lit(True))))
    wanted.append(offending(F.coalesce(F.col("status").isin(*STATES), F.lit(False))))
    wanted.append(offending(F.coalesce(F.col("device_id").rlike(DEVICE), F.lit(True))))
    wanted += [F.count(F.when(F.col(name).isNull(), 1)) for name in NULL_SHARES]
    frame.agg(*wanted).collect()
    if key:
        frame.groupBy(KEY).count().agg(F.count(F.when(F.col("count") > 1, 1))).collect()


def duckdb_counts(folder: Path) -> dict[str, float]:
    """Every number the checks are judged by, recomputed without Spark: metric key -> value."""
    import duckdb

    source = f"read_parquet('{folder}/*.parquet')"
    wanted = {"row_count": "count(*)"}
    wanted |= {f"null_count({name})": f"count(*) - count({name})" for name in PRESENT}
    wanted |= {f"null_percentage({name})": f"(count(*) - count({name})) / count(*)" for name in NULL_SHARES}
    for name in SENSORS:
        text = f"E.all(E.col('{name}').gte({LOW}), E.col('{name}').lte({HIGH}))"
        wanted[f"violations({text})"] = f"count(*) FILTER (NOT ({name} >= {LOW} AND {name} <= {HIGH}))"
    listed = ", ".join(map(repr, STATES))
    wanted[f"violations(E.col('status').is_in({listed}))"] = f"count(*) FILTER ((status IN ({listed})) IS NOT TRUE)"
    pattern = f"count(*) FILTER (NOT regexp_matches(device_id, '{DEVICE}'))"
    wanted[f"violations(E.col('device_id').rlike('{DEVICE}'))"] = pattern
    wanted[f"duplicate_keys({KEY})"] = f"count(*) - count(DISTINCT {KEY})"
    (row,) = duckdb.sql(f"SELECT {', '.join(wanted.values())} FROM {source}").fetchall()  # noqa: S608 - our own names
    return dict(zip(wanted, row, strict=True))
