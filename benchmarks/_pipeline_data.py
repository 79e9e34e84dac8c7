"""Synthetic readings as ``mirror synth`` makes them, as raw files and as clean ones, for ``benchmarks/pipeline.py``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_ROWS_A_FILE = 180_000


def synthetic(folder: Path, devices: int, hours: float, *, late: float = 0.01) -> tuple[Path, Path]:
    """Raw readings and registry of a fleet, one percent of its messages late."""
    from mirror.synth import SynthRequest, load_fleet, write_fleet
    from mirror.synth.transport import Transport

    request = SynthRequest(devices=devices, hours=hours, seed=1, transport=Transport(late_share=late))
    made = write_fleet(load_fleet(), request, folder)
    return folder / "raw_sensor_readings", made.registry


def clean(raw: Path, target: Path) -> int:
    """``raw`` in the shape of ``clean_sensor_readings``, by day and in the order of receipt; how many rows that are.

    Written without Spark and without judging: the three engines shall read one and the same.
    """
    from fleet_health.contracts.clean import PARTITION, clean_schema
    from fleet_health.profiles.loader import shipped_profile

    profile = shipped_profile("refrigeration")
    target.mkdir(parents=True)
    rows = pq.read_table(raw).sort_by([("timestamp_ingested", "ascending")])
    count = len(rows)
    columns: dict[str, Any] = {name: rows[name] for name in ("event_id", "device_id", "timestamp_ingested")}
    columns["timestamp_utc"] = rows["timestamp_device"]
    nulls = np.zeros(count, dtype=np.int32)
    for sensor in profile.sensors:
        column = rows[sensor.name]
        if sensor.type == "double":
            column = pc.if_else(pc.is_nan(column), None, column)
        columns[sensor.name] = column
        nulls += pc.is_null(column).to_numpy().astype(np.int32)
    columns["quality_flags"] = pa.array([[]] * count, pa.list_(pa.string()))
    columns["sensor_null_count"] = pa.array(nulls)
    columns["source_file"] = pa.array(["bench"] * count)
    columns["line_number"] = pa.array(np.arange(count))
    columns["date"] = columns["timestamp_utc"].cast(pa.date32())
    table = pa.table({name: columns[name] for name in clean_schema(profile).fieldNames()})
    for day in pc.unique(table["date"]):
        rows_of_day = table.filter(pc.equal(table["date"], day)).drop_columns(list(PARTITION))
        folder = target / f"date={day}"
        folder.mkdir()
        for number, first in enumerate(range(0, len(rows_of_day), _ROWS_A_FILE)):
            part = rows_of_day.slice(first, _ROWS_A_FILE)
            pq.write_table(part, folder / f"part-{number:05d}.parquet", use_dictionary=["device_id", "source_file"])
    return count


def windows(spark: SparkSession, clean_folder: Path, lengths: tuple[int, ...] | None = None) -> DataFrame:
    """All versions of all windows of clean files; ``lengths`` instead of those of the profile."""
    from pyspark.sql import functions as F

    from fleet_health.contracts.clean import clean_schema
    from fleet_health.features.lateness import due
    from fleet_health.features.versions import all_versions
    from fleet_health.profiles.loader import shipped_profile
    from transforms.api import IncrementalTransformInput
    from transforms.verbs.testing._memory_ports import MemoryReadPort
    from transforms.verbs.testing._parts import Part

    profile = shipped_profile("refrigeration")
    if lengths is not None:
        late = tuple(part for part in profile.lateness if part.window_minutes in lengths)
        profile = profile.model_copy(update={"windows_minutes": lengths, "lateness": late})
    # a dataset knows its schema
    frame = spark.read.schema(clean_schema(profile)).parquet(str(clean_folder))
    files = MemoryReadPort("clean", added=[Part(folder=clean_folder, schema=frame.schema)])
    # as a run does: one look at the receipt times, then one pass over the readings
    received = frame.agg(F.max(F.unix_micros("timestamp_ingested"))).first()
    assert received is not None
    dues = due(profile, None, received[0])
    return all_versions(spark, IncrementalTransformInput(files, spark), profile, dues)


def write(versions: DataFrame, target: Path) -> None:
    """As the window job has its features written."""
    from fleet_health.contracts.features import write_options
    from fleet_health.profiles.loader import shipped_profile

    options = write_options(shipped_profile("refrigeration"))
    versions.write.mode("overwrite").options(**options).parquet(str(target))
