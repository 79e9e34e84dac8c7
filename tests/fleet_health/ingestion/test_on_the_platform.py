"""Ingestion as it runs: files ingested one after the other, real transactions, every check on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from fleet_health.contracts.raw import raw_schema
from fleet_health.contracts.registry import REGISTRY_SCHEMA
from fleet_health.ingestion.cleansing import judge
from fleet_health.profiles.loader import shipped_profile

pytestmark = pytest.mark.nightly

ROOT = Path(__file__).resolve().parents[3]
PROFILE = shipped_profile("refrigeration")
FLEET = "/Fleet/refrigeration"
KNOWN, LATER = "REF-1", "REF-2"


def message_file(folder: Path, name: str, messages: list[tuple[str, str, int]]) -> str:
    """``messages``: event, device, minute."""
    columns = PROFILE.source.header
    lines = [",".join(column.aliases[0] for column in columns)]
    for number, (event, device, minute) in enumerate(messages):
        instant = (pd.Timestamp("2026-01-15T23:30:00Z") + pd.Timedelta(minutes=minute)).isoformat()
        known = {"event_id": event, "device_id": device, "sequence_number": str(number)}
        known |= dict.fromkeys(("timestamp_device", "timestamp_ingested"), instant)
        lines.append(",".join(known.get(column.name, "") for column in columns[:-2]) + f",5,{number}")
    (folder / name).write_text("\n".join(lines) + "\n")
    return str(folder / name)


@pytest.mark.timeout(600)
def test_increments_append_and_a_release_rewrites_quarantine_alone(spark: SparkSession, tmp_path: Path) -> None:
    from mirror.builds import build
    from mirror.datasets import TransactionType, Workspace
    from mirror.datasets.ingest import ingest

    workspace = Workspace.create(tmp_path / ".mirror", repository=ROOT)
    store = workspace.store

    def step(name: str | None, messages: list[tuple[str, str, int]], registered: list[str]) -> Any:
        if name is not None:
            file = message_file(tmp_path, name, messages)
            ingest(workspace, f"{FLEET}/landing", [file], branch="master")
        text = "device_id,site_id,status,updated_at\n" + "".join(f"{d},S,active,2026-01-01\n" for d in registered)
        (tmp_path / "registry.csv").write_text(text)
        kind = TransactionType.UPDATE
        ingest(workspace, f"{FLEET}/registry_landing", [str(tmp_path / "registry.csv")], branch="master", kind=kind)
        return build(workspace, [f"{FLEET}/clean_sensor_readings"], spark=lambda: spark)

    def kinds(dataset: str) -> list[str]:
        return [t.type.value for t in store.view(store.dataset(f"{FLEET}/{dataset}")).transactions]

    def rows(dataset: str) -> list[str]:
        found = store.dataset(f"{FLEET}/{dataset}")
        return sorted(r["event_id"] for r in store.read(spark, store.view(found)).select("event_id").collect())

    report = step("0.csv", [("a", KNOWN, 0), ("b", LATER, 1), ("c", KNOWN, 40)], [KNOWN])
    assert report.exit_code == 0, [job.error for job in report.jobs]
    assert (rows("clean_sensor_readings"), rows("quarantine_sensor_readings")) == (["a", "c"], ["b"])
    assert step("1.csv", [("a", KNOWN, 0), ("d", KNOWN, 50)], [KNOWN]).exit_code == 0
    assert rows("clean_sensor_readings") == ["a", "c", "d"]
    assert kinds("clean_sensor_readings") == ["SNAPSHOT", "UPDATE"]
    report = step(None, [], [KNOWN, LATER])
    assert report.exit_code == 0, [job.error for job in report.jobs]
    assert (rows("clean_sensor_readings"), rows("quarantine_sensor_readings")) == (["a", "b", "c", "d"], [])
    assert kinds("clean_sensor_readings") == ["SNAPSHOT", "UPDATE", "UPDATE"]
    assert kinds("quarantine_sensor_readings") == ["SNAPSHOT"]
    report = step("2.csv", [("b", LATER, 1), ("e", LATER, 60)], [KNOWN, LATER])
    assert report.exit_code == 0, [job.error for job in report.jobs]
    assert rows("clean_sensor_readings") == ["a", "b", "c", "d", "e"]
    assert kinds("clean_sensor_readings") == ["SNAPSHOT", "UPDATE", "UPDATE", "UPDATE"]  # still incremental
    clean = store.view(store.dataset(f"{FLEET}/clean_sensor_readings"))
    assert {entry.path.split("/")[0] for entry in clean.entries} == {"date=2026-01-15", "date=2026-01-16"}


@pytest.mark.case("ING-EC-08")
def test_half_a_million_rows_in_one_batch_and_ten_times_that(spark: SparkSession) -> None:
    """One five-minute batch of the whole fleet; the runtime is printed, the rows are counted."""
    registry = spark.range(1_000).select(
        *(
            F.concat(F.lit("REF-"), F.col("id")).alias("device_id")
            if field.name == "device_id"
            else (F.array(*map(F.lit, PROFILE.sensor_names)) if field.name == "expected_sensors" else F.lit(None))
            .cast(field.dataType)
            .alias(field.name)
            for field in REGISTRY_SCHEMA
        )
    )
    healthy = {
        s.name: True if s.type == "boolean" else float(np.mean([s.min or 0, s.max or 0])) for s in PROFILE.sensors
    }
    for count in (500_000, 5_000_000):
        device = F.concat(F.lit("REF-"), F.col("id") % 1_000)
        instant = F.timestamp_seconds(F.lit(1_768_521_600) + F.col("id") / 1_000)
        known = {
            "event_id": F.concat(F.lit("e"), F.col("id") % (count - count // 100)),  # one in a hundred is sent again
            "device_id": device,
            "_partition_key": device,
            "_sequence_number": F.col("id"),
            "timestamp_device": instant,
            "timestamp_ingested": instant,
            "source_file": F.lit("batch.csv"),
            "unreadable": F.array().cast("array<string>"),
            **{name: F.lit(value) for name, value in healthy.items()},
        }
        raw = spark.range(count).select(
            *(known.get(f.name, F.lit(None)).cast(f.dataType).alias(f.name) for f in raw_schema(PROFILE))
        )
        started = time.monotonic()
        told = {
            row["outcome"]: row["count"] for row in judge(raw, registry, PROFILE).groupBy("outcome").count().collect()
        }
        print(f"{count:,} rows judged in {time.monotonic() - started:.1f} s")  # noqa: T201 - the matrix asks for it
        assert told == {"CLEAN": count - count // 100, "DUPLICATE": count // 100}
