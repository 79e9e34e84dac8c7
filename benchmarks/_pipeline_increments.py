"""A workspace that gets five minutes of a fleet at a time, and what each build of it costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchmarks._pipeline_cpu import cpu_seconds

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from mirror.datasets import Workspace

ROOT = Path(__file__).resolve().parent.parent
FLEET = "/Fleet/refrigeration"
SLOT = pd.Timedelta(minutes=5)


@dataclass(frozen=True)
class Materialisation:
    """One build: CPU seconds in all, wall seconds by dataset, and which window lengths had something due.

    ``choosing`` are the CPU seconds of ``device_features`` alone, which is built after the rest; not in ``cpu``.
    """

    cpu: float
    seconds: dict[str, float]
    due: tuple[int, ...]
    choosing: float = 0.0


def slots(folder: Path, devices: int, count: int) -> tuple[list[Path], Path]:
    """CSV files of what the gateway received in each five minutes, and the registry's CSV."""
    from mirror.synth import SynthRequest, load_fleet, write_fleet
    from mirror.synth.transport import Transport

    hours = count * SLOT / pd.Timedelta(hours=1)
    request = SynthRequest(devices=devices, hours=hours, seed=2, transport=Transport(late_share=0.01), format="csv")
    made = write_fleet(load_fleet(), request, folder / "fleet")
    rows = pd.concat([pd.read_csv(file, dtype=str, keep_default_na=False) for file in made.files])
    slot = pd.to_datetime(rows["timestamp_ingested"], format="ISO8601", utc=True).dt.floor(SLOT)
    files = []
    for number, start in enumerate(sorted(slot.unique())[:count]):
        file = folder / f"slot-{number:03d}.csv"
        rows[slot == start].to_csv(file, index=False)
        files.append(file)
    return files, made.registry


def through_the_pipeline(
    spark: SparkSession, folder: Path, files: list[Path], registry: Path
) -> Iterator[Materialisation]:
    """Ingests and builds slot by slot: from landing files to versions of windows, then the newest of each window."""
    from mirror.datasets import Workspace
    from mirror.datasets.ingest import ingest

    workspace = Workspace.create(folder / ".mirror", repository=ROOT)
    branch = workspace.config.default_branch
    ingest(workspace, f"{FLEET}/registry_landing", [str(registry)], branch=branch)
    known: set[Any] = set()
    for file in files:
        ingest(workspace, f"{FLEET}/landing", [str(file)], branch=branch)
        made = _built(spark, workspace, [f"{FLEET}/feature_versions"], known)
        before = cpu_seconds()
        _build(spark, workspace, [f"{FLEET}/device_features"])
        yield replace(made, choosing=cpu_seconds() - before)
    workspace.close()


def windows_alone(
    spark: SparkSession, folder: Path, clean: Any, slots_of_clean: list[Any]
) -> Iterator[Materialisation]:
    """The window job alone: each slot is appended to a clean dataset that is kept by day."""
    from pyspark.sql import functions as F

    from mirror.builds import build
    from mirror.builds.scope import Scope
    from mirror.datasets import TransactionType, Workspace
    from mirror.datasets.output_port import DatasetWritePort
    from transforms.ports import WriteOptions

    workspace = Workspace.create(folder / ".mirror", repository=ROOT)
    build(workspace, [f"{FLEET}/feature_definitions"], spark=lambda: spark)
    dataset = workspace.store.create(f"{FLEET}/clean_sensor_readings")
    known: set[Any] = set()
    for first, last in slots_of_clean:
        opened = workspace.store.open_transaction(dataset, workspace.config.default_branch, TransactionType.APPEND)
        received = F.col("timestamp_ingested")
        rows = clean.where((received >= F.lit(first)) & (received < F.lit(last)))
        dated = rows.withColumn("date", F.to_date("timestamp_utc")).coalesce(1)
        DatasetWritePort(opened).write_dataframe(dated, WriteOptions(partition_cols=("date",)))
        opened.commit()
        yield _built(spark, workspace, Scope((f"{FLEET}/feature_versions",), only=True), known)
    workspace.close()


def _built(spark: SparkSession, workspace: Workspace, scope: Any, known: set[Any]) -> Materialisation:
    """``known`` are the watermarks of earlier runs; that of this one is added."""
    before = cpu_seconds()
    report = _build(spark, workspace, scope)
    cpu = cpu_seconds() - before
    seconds = {job.spec.output_paths[0].rsplit("/", 1)[1]: job.seconds for job in report.jobs}
    return Materialisation(cpu, seconds, _due(spark, workspace, known))


def _build(spark: SparkSession, workspace: Workspace, scope: Any) -> Any:
    from mirror.builds import build

    report = build(workspace, scope, spark=lambda: spark)
    assert int(report.exit_code) == 0, report.to_json()
    return report


def _due(spark: SparkSession, workspace: Workspace, known: set[Any]) -> tuple[int, ...]:
    """The lengths of which this run wrote windows; none when it had nothing to write and was aborted."""
    store = workspace.store
    dataset = store.dataset(f"{FLEET}/feature_runs")
    view = store.view(dataset, workspace.config.default_branch)
    runs = store.read(spark, view).toPandas()
    newest = runs["watermark"].max()
    if newest in known:
        return ()
    known.add(newest)
    last = runs[runs["watermark"] == newest]
    return tuple(sorted(last[last["windows_written"] > 0]["window_duration_minutes"]))
