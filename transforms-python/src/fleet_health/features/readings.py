"""Clean readings on their way into numpy: few and narrow columns, whole windows, one order whatever they came through.

Handing a row to Python costs by the cell, and sorting text costs more than all statistics together. So Spark orders by
one number, made of a hash of the device and the minute, and the small facts of a reading travel in one whole number.
What that order leaves open (two devices under one hash, readings of one minute) is settled here, exactly: by device,
by time, and for equal times by everything a reading says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.features.errors import NotANumberInCleanError
from fleet_health.features.kernel import Floats, Ints
from fleet_health.features.lateness import MICROS_PER_MINUTE
from fleet_health.profiles.model import Profile

Flags = NDArray[np.bool_]

# the small facts of a reading in one whole number: microseconds into its minute, two flags, the null count
_REST_BITS = 26
_FLAGGED, _LANDED, _NULLS = 1 << _REST_BITS, 1 << (_REST_BITS + 1), _REST_BITS + 2
_ENOUGH_ROWS = 40_000
"""Statistics of a few thousand rows cost as much in calls as in arithmetic."""


@dataclass(frozen=True)
class Readings:
    """Readings ordered by device and time. Nulls of ``values`` are NaN and false in ``present``."""

    devices: pa.Array
    codes: Ints
    """Equal for equal devices."""
    micros: Ints
    received: Ints
    landed: Flags
    """Whether a reading is new in this run."""
    flagged: Floats
    null_count: Floats
    values: dict[str, Floats]
    present: dict[str, Flags]

    def __len__(self) -> int:
        return len(self.micros)

    def take(self, rows: Ints) -> Readings:
        """The readings at ``rows``, in that order."""
        return replace(
            self,
            devices=self.devices.take(pa.array(rows)),
            codes=self.codes[rows],
            micros=self.micros[rows],
            received=self.received[rows],
            landed=self.landed[rows],
            flagged=self.flagged[rows],
            null_count=self.null_count[rows],
            values={name: column[rows] for name, column in self.values.items()},
            present={name: column[rows] for name, column in self.present.items()},
        )


def summarised_sensors(profile: Profile) -> list[str]:
    """The sensors that some feature looks at."""
    return sorted({feature.sensor for feature in profile.features if feature.sensor is not None})


def packed(rows: DataFrame, profile: Profile, landed: Column) -> DataFrame:
    """``rows`` of ``clean_sensor_readings`` in the columns that :func:`ordered` reads; ``landed`` marks new ones."""
    minute = F.expr(f"(unix_micros(timestamp_utc) - {_rest_sql()}) div {MICROS_PER_MINUTE}")
    flagged = F.when(F.size("quality_flags") > 0, F.lit(_FLAGGED)).otherwise(F.lit(0))
    new = F.when(landed, F.lit(_LANDED)).otherwise(F.lit(0))
    facts = F.expr(_rest_sql()) + flagged + new + F.shiftleft(F.col("sensor_null_count").cast("long"), _NULLS)
    return rows.select(
        (F.shiftleft(F.hash("device_id").cast("long"), 32).bitwiseOR(minute.bitwiseAND(F.lit(0xFFFFFFFF)))).alias(
            "key"
        ),
        facts.cast("long").alias("facts"),
        "device_id",
        received_micros().alias("received"),
        *summarised_sensors(profile),
    )


def received_micros() -> Column:
    """Receipt time; a reading without one counts as received when it was measured."""
    return F.unix_micros(F.coalesce("timestamp_ingested", "timestamp_utc"))


def _rest_sql() -> str:
    return f"pmod(unix_micros(timestamp_utc), {MICROS_PER_MINUTE}L)"


def clustered(rows: DataFrame) -> DataFrame:
    """Packed rows with each device in one partition, each window's rows together; bounded memory, as Spark sorts.

    At least as many partitions as there are cores: a small machine sets one for its many small jobs.
    """
    session = rows.sparkSession
    shuffle = int(session.conf.get("spark.sql.shuffle.partitions") or 1)
    partitions = max(shuffle, session.sparkContext.defaultParallelism)
    return rows.repartition(partitions, "device_id").sortWithinPartitions("key")


def whole_spans(batches: Iterable[pa.RecordBatch], span: int) -> Iterator[pa.Table]:
    """The same rows, cut only between spans of ``span`` microseconds of one device: what goes on waits."""
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        waiting.append(batch)
        rows += batch.num_rows
        if rows < _ENOUGH_ROWS:
            continue
        table = pa.Table.from_batches(waiting)
        key = table.column("key").to_numpy()
        device, number = key >> 32, _minute(key) * MICROS_PER_MINUTE // span
        goes_on = (device == device[-1]) & (number == number[-1])
        cut = int(goes_on.argmax())
        if cut:
            yield table.slice(0, cut)
        waiting = table.slice(cut).combine_chunks().to_batches()
        rows -= cut
    if rows:
        yield pa.Table.from_batches(waiting)


def ordered(table: pa.Table, profile: Profile) -> Readings:
    """Packed rows as numpy columns, by device and time.

    Raises:
        NotANumberInCleanError: a sensor holds NaN; the first such device and sensor are named.
    """
    encoded = table.column("device_id").combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy().astype(np.int64)
    facts = table.column("facts").to_numpy()
    values: dict[str, Floats] = {}
    present: dict[str, Flags] = {}
    for name in summarised_sensors(profile):
        column = table.column(name).combine_chunks()
        numbers = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
        there = ~np.isnan(numbers)
        if len(column) - np.count_nonzero(there) != column.null_count:
            wrong = ~there & column.is_valid().to_numpy(zero_copy_only=False)
            raise NotANumberInCleanError(table.column("device_id")[int(wrong.argmax())].as_py(), name)
        values[name], present[name] = numbers, there
    readings = Readings(
        devices=encoded.dictionary.take(encoded.indices),
        codes=codes,
        micros=_minute(table.column("key").to_numpy()) * MICROS_PER_MINUTE + (facts & (_FLAGGED - 1)),
        received=table.column("received").to_numpy(),
        landed=facts & _LANDED != 0,
        flagged=(facts & _FLAGGED != 0).astype(np.float64),
        null_count=(facts >> _NULLS).astype(np.float64),
        values=values,
        present=present,
    )
    order = _order(readings, len(encoded.dictionary), facts)
    return readings if order is None else readings.take(order)


def _minute(key: Ints) -> Ints:
    """The low half, as a signed number: minutes before 1970 are negative."""
    return key.astype(np.int32).astype(np.int64)


def _order(readings: Readings, devices: int, facts: Ints) -> Ints | None:
    """The order by device, time and content; ``None`` when the rows stand in it already."""
    codes, micros = readings.codes, readings.micros
    other = codes[1:] != codes[:-1]
    if np.count_nonzero(other) == devices - 1 and (other | (micros[1:] > micros[:-1])).all():
        return None
    order: Ints = np.lexsort((micros, codes))
    same = (codes[order][1:] == codes[order][:-1]) & (micros[order][1:] == micros[order][:-1])
    if same.any():
        tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
        rows = order[tied]
        content = [column[rows].view(np.int64) for column in readings.values.values()]
        order[tied] = rows[np.lexsort((*content, facts[rows], readings.received[rows], micros[rows], codes[rows]))]
    return order
