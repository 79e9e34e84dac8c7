"""``device_features`` when versions were added: what they supersede leaves the files in which it lies, nothing else.

Most runs add windows that had no row, and those are appended. A late reading gives a window a newer version, whose row
is appended like any other; the older row is left out of its file, which is written again under its own name. A late
version so costs the files of its day that hold such a row, whatever lies before. Files are never emptied of a name,
because a transaction can replace a file and not remove one.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.features import PARTITION
from fleet_health.features.files import instants_of_group
from fleet_health.features.newest import KEY, RANK
from fleet_health.ingestion.cleansing import utc_day
from fleet_health.ingestion.look_back import within

_INSTANT = pa.timestamp("us", "UTC")


@dataclass(frozen=True)
class Gained:
    """Where added rows lie: their days, and per window length the first and the last start in microseconds."""

    days: tuple[date, ...]
    starts: Mapping[int, tuple[int, int]]

    @classmethod
    def of(cls, versions: DataFrame) -> Gained:
        """One look at the keys of added rows."""
        start, day = F.unix_micros("window_start"), utc_day(F.col("window_start"))
        limits = (F.min(start).alias("first"), F.max(start).alias("last"), F.collect_set(day).alias("days"))
        # one row per window length
        rows = versions.groupBy("window_duration_minutes").agg(*limits).collect()
        starts = {row["window_duration_minutes"]: (row["first"], row["last"]) for row in rows}
        return cls(tuple(sorted({day for row in rows for day in row["days"]})), starts)

    def near(self, rows: DataFrame) -> DataFrame:
        """The rows that may be of the same windows; files of other days and row groups of other times are not read."""
        start, minutes = F.col("window_start"), F.col("window_duration_minutes")
        of_length = (
            (minutes == length) & start.between(*(F.timestamp_micros(F.lit(limit)) for limit in limits))
            for length, limits in self.starts.items()
        )
        return rows.where(within(self.days, 0)).where(functools.reduce(operator.or_, of_length))


def meeting(added: DataFrame, before: DataFrame, gained: Gained) -> DataFrame:
    """The windows of ``added`` that have a row already.

    Args:
        added: newest versions among those that came into being.
        before: ``device_features`` so far.
        gained: where ``added`` lies.

    Returns:
        the key and ``stays``: whether the row that is there is the newer one.
    """
    there = gained.near(before).select(*KEY, F.struct(*RANK).alias("there"))
    here = added.select(*KEY, F.struct(*RANK).alias("here"))
    return there.join(here, list(KEY)).select(*KEY, (F.col("there") > F.col("here")).alias("stays"))


def leave_out(gone: DataFrame, features: Any, days: Collection[date]) -> None:
    """Writes the files again in which these windows lie, without them; workers do, each for one day at a time.

    Args:
        gone: keys of rows that are there, few or many.
        features: the output ``device_features``, in whose earlier files they lie.
        days: the days of these keys.
    """
    before, after = features.filesystem("previous"), features.filesystem()
    paths = _paths_by_day(before, days)

    def rewrite(rows: pd.DataFrame) -> pd.DataFrame:
        windows = _Windows.of(rows)
        written = [path for path in paths[rows["day"].iloc[0]] if windows.left_out(before, after, path)]
        return pd.DataFrame({"path": written}, dtype=object)

    day = utc_day(F.col("window_start")).cast("string").alias("day")
    keys = gone.select(day, "device_id", "window_duration_minutes", F.unix_micros("window_start").alias("start"))
    keys.groupBy("day").applyInPandas(rewrite, "path string").count()


def _writer(out: Any, schema: pa.Schema) -> pq.ParquetWriter:
    # as `write_options` has Spark write it: values of features hardly repeat
    return pq.ParquetWriter(out, schema, use_dictionary=["device_id"], store_schema=False)


def _paths_by_day(filesystem: Any, days: Collection[date]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {str(day): [] for day in days}
    for status in filesystem.ls(glob=f"{PARTITION[0]}=*/*.parquet"):
        day = status.path.partition("/")[0].partition("=")[2]
        if day in found:
            found[day].append(status.path)
    return found


@dataclass(frozen=True)
class _Windows:
    """Windows to leave out: their keys, and their starts in ascending order."""

    keys: pd.MultiIndex
    starts: Sequence[int]

    @classmethod
    def of(cls, rows: pd.DataFrame) -> _Windows:
        keys = pd.MultiIndex.from_arrays([rows["device_id"], rows["start"], rows["window_duration_minutes"]])
        return cls(keys, np.unique(rows["start"]))

    def left_out(self, before: Any, after: Any, path: str) -> bool:
        """Writes one file again unless it holds none of them; whether it did."""
        with before.open(path, "rb") as stream:
            file = pq.ParquetFile(stream, coerce_int96_timestamp_unit="us")
            kept = [self._kept(file, group) for group in range(file.num_row_groups)]
            if all(rows is None for rows in kept):
                return False
            with after.open(path, "wb") as out, _writer(out, file.schema_arrow) as writer:
                for group, rows in enumerate(kept):
                    whole = file.read_row_group(group)
                    left = whole if rows is None else whole.filter(rows)
                    if len(left):
                        writer.write_table(left)
        return True

    def _kept(self, file: pq.ParquetFile, group: int) -> pa.Array | None:
        """Which rows of a row group stay; ``None`` for all of them."""
        limits = instants_of_group(file, group, "window_start")
        if limits is not None:
            first, last = np.searchsorted(self.starts, limits[0]), np.searchsorted(self.starts, limits[1], "right")
            if first == last:
                return None
        rows = file.read_row_group(group, columns=list(KEY))
        start = rows["window_start"].cast(_INSTANT).cast(pa.int64())
        columns = (rows["device_id"], start, rows["window_duration_minutes"])
        gone = pd.MultiIndex.from_arrays([column.to_numpy() for column in columns]).isin(self.keys)
        return pa.array(~gone) if gone.any() else None
