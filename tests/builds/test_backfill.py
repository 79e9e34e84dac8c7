"""Backfills: chunk by chunk, one input, one set of formulas, and on again from where the last run ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mirror.builds.backfill import declared_backfills, plan_backfill, run_backfill
from mirror.builds.errors import ForeignDatasetError, NothingToBackfillError, OtherFormulasError
from mirror.cli import run
from mirror.datasets import Workspace

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

DECLARED = """
import os
from dataclasses import dataclass
from datetime import date, timedelta
from types import SimpleNamespace
from pyspark.sql import functions as F

FORMULA = 7
DIES_AT = {dies_at!r}

@dataclass(frozen=True)
class Chunk:
    first: date
    last: date

class Doubled:
    source, target = "/Fleet/clean", "/Fleet/doubled"

    def plan(self, first, last):
        days = [first + timedelta(days=n) for n in range(0, (last - first).days + 1, 2)]
        chunks = [Chunk(day, min(day + timedelta(days=1), last)) for day in days]
        return SimpleNamespace(chunks=chunks, formula_version=FORMULA)

    def begin(self, session, clean):
        rows = clean.dataframe("current")
        newest = rows.agg(F.max("v")).first()[0]

        def of(chunk):
            if chunk.first.isoformat() == DIES_AT:
                {death}
            inside = rows.where(F.to_date("t").between(chunk.first, chunk.last))
            return inside.select("t", (F.col("v") * 2).alias("twice"), F.lit(newest).alias("newest"))
        return of

    def missing_days(self, rows, first, last):
        found = {{row.day for row in rows.select(F.to_date("t").alias("day")).distinct().collect()}}
        return tuple(first + timedelta(days=n) for n in range((last - first).days + 1)
                     if first + timedelta(days=n) not in found)

BACKFILLS = (Doubled(),)
"""
FIRST, LAST = date(2026, 1, 1), date(2026, 1, 5)
DAYS = (1, 1, 2, 4, 5, 6)


@pytest.fixture
def guest(repository: Any) -> Any:
    made = repository()
    made.put("/Fleet/clean", {"t": [datetime(2026, 1, day, 12, tzinfo=UTC) for day in DAYS], "v": list(range(6))})
    (made.folder / "feature_store").mkdir()
    (made.folder / "feature_store" / "__init__.py").write_text("")
    declare(made)
    return made


def declare(guest: Any, dies_at: str = "", death: str = "raise RuntimeError('the disk is full')") -> None:
    file = guest.folder / "feature_store" / "backfills.py"
    file.write_text(DECLARED.format(dies_at=dies_at, death=death))


def plan(guest: Any, **options: Any) -> Any:
    return plan_backfill(guest.workspace, "doubled", FIRST, LAST, "master", **options)


ROWS = [(datetime(2026, 1, day, 12, tzinfo=UTC), 2 * v, 5) for v, day in enumerate(DAYS) if day < 6]


@pytest.mark.nightly
def test_a_run_that_fails_goes_on_with_its_own_input(guest: Any, spark: SparkSession) -> None:
    declare(guest, dies_at="2026-01-03")
    told: list[tuple[str, int]] = []
    with pytest.raises(RuntimeError, match="the disk is full"):
        run_backfill(guest.workspace, plan(guest), spark, lambda chunk, rows: told.append((str(chunk.first), rows)))
    assert told == [("2026-01-01", 3)]
    # what lands meanwhile is another snapshot: the rest of this backfill must not see it
    guest.put("/Fleet/clean", {"t": [datetime(2026, 1, 3, tzinfo=UTC)], "v": [99]}, "APPEND", file="later.parquet")
    declare(guest)
    going_on = plan(guest)
    assert [str(chunk.first) for chunk in going_on.left] == ["2026-01-03", "2026-01-05"]
    missing = run_backfill(guest.workspace, going_on, spark, lambda chunk, rows: told.append((str(chunk.first), rows)))
    assert told == [("2026-01-01", 3), ("2026-01-03", 1), ("2026-01-05", 1)]
    assert guest.rows("/Fleet/doubled_backfill") == ROWS
    assert missing == (date(2026, 1, 3),)
    assert plan(guest).left == ()
    again = plan(guest, restart=True)
    assert (len(again.left), again.input != going_on.input) == (3, True)


@pytest.mark.nightly
def test_formulas_days_and_strangers_are_not_mixed(guest: Any, spark: SparkSession) -> None:
    declare(guest, dies_at="2026-01-03")
    with pytest.raises(RuntimeError):
        run_backfill(guest.workspace, plan(guest), spark)
    file = guest.folder / "feature_store" / "backfills.py"
    file.write_text(file.read_text().replace("FORMULA = 7", "FORMULA = 8"))
    with pytest.raises(OtherFormulasError, match="formula version 7, and the code computes version 8"):
        plan(guest)
    declare(guest)
    with pytest.raises(ForeignDatasetError, match="2026-01-01 to 2026-01-05"):
        plan_backfill(guest.workspace, "doubled", FIRST, date(2026, 1, 9), "master")
    guest.put("/Fleet/doubled_backfill", {"v": [1]})
    with pytest.raises(ForeignDatasetError, match="not hold exactly what a backfill wrote"):
        plan(guest)
    with pytest.raises(NothingToBackfillError, match="/Fleet/doubled"):
        plan_backfill(guest.workspace, "dubled", FIRST, LAST, "master")


def test_dry_run_prints_the_chunks_and_starts_nothing(guest: Any, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--workspace", str(guest.root / ".mirror"), "--repository", str(guest.root)]
    arguments += ["--json", "backfill", "/Fleet/doubled", "--from", "2026-01-01", "--to", "2026-01-05", "--dry-run"]
    assert run(arguments) == 0
    document = json.loads(capsys.readouterr().out)
    assert [(chunk["first"], chunk["last"], chunk["done"]) for chunk in document["chunks"]] == [
        ("2026-01-01", "2026-01-02", False),
        ("2026-01-03", "2026-01-04", False),
        ("2026-01-05", "2026-01-05", False),
    ]
    assert (document["into"], document["formula_version"]) == ("/Fleet/doubled_backfill", 7)
    assert [dataset.path for dataset in guest.workspace.store.datasets()] == ["/Fleet/clean"]


RUN = """
import sys
from mirror.cli import run
sys.exit(run(["--workspace", sys.argv[1] + "/.mirror", "--repository", sys.argv[1], "backfill", "/Fleet/doubled",
              "--from", "2026-01-01", "--to", "2026-01-05"]))
"""


@pytest.mark.nightly
def test_a_run_that_was_killed_goes_on(guest: Any, spark: SparkSession) -> None:
    declare(guest, dies_at="2026-01-03", death="os.kill(os.getpid(), 9)")
    command = [sys.executable, "-c", RUN, str(guest.root)]
    killed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=dict(os.environ))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert "[1/3] 2026-01-01 to 2026-01-02: 3 rows" in killed.stderr
    declare(guest)
    going_on = plan(guest)
    assert len(going_on.left) == 2
    run_backfill(guest.workspace, going_on, spark)
    assert guest.rows("/Fleet/doubled_backfill") == ROWS


@pytest.mark.nightly
def test_chunks_of_windows_equal_the_windows_of_one_computation(
    spark: SparkSession, tmp_path: Path, frame_of_cases: Callable[[], Any]
) -> None:
    """The shipped declaration over readings of two months, row for row and bit for bit."""
    import pandas as pd
    from case_fleet import PROFILE

    from fleet_health.features.lateness import due
    from fleet_health.features.runs import measure
    from fleet_health.features.versions import all_versions
    from mirror.datasets import TransactionType
    from mirror.datasets.output_port import DatasetWritePort
    from mirror.datasets.ports import whole_input
    from transforms.api import IncrementalTransformInput
    from transforms.ports import WriteOptions

    workspace = Workspace.create(tmp_path / ".mirror", repository=Path(__file__).resolve().parents[2])
    (declared,) = [one for one in declared_backfills(workspace.guest.source_root) if "refrigeration" in one.target]
    clean = frame_of_cases()
    opened = workspace.store.open_transaction(
        workspace.store.create(declared.source), "master", TransactionType.SNAPSHOT
    )
    DatasetWritePort(opened).write_dataframe(clean, WriteOptions(partition_cols=("date",)))
    opened.commit()
    first, last = date(2026, 1, 1), date(2026, 4, 15)
    planned = plan_backfill(workspace, declared.target, first, last, "master")
    assert len(planned.chunks) == 4
    run_backfill(workspace, planned, spark)
    view = workspace.store.view(workspace.store.dataset(planned.into), "master")
    found = whole_input(view, workspace.store.storage).dataframe(spark).toPandas()
    source = workspace.store.view(workspace.store.dataset(declared.source), "master")
    readings = IncrementalTransformInput(whole_input(source, workspace.store.storage), spark)
    watermark = measure(clean, PROFILE, None).watermark
    assert watermark is not None
    wanted = all_versions(spark, readings, PROFILE, due(PROFILE, None, watermark)).toPandas()
    wanted = wanted[wanted["window_start"].dt.date.between(first, last)]
    key = ["device_id", "window_duration_minutes", "window_start", "computed_at"]
    assert len(wanted) > 100
    pd.testing.assert_frame_equal(
        found.sort_values(key, ignore_index=True), wanted.sort_values(key, ignore_index=True), check_exact=True
    )
    workspace.close()


@pytest.fixture
def frame_of_cases(spark: SparkSession) -> Callable[[], Any]:
    def made() -> Any:
        import case_fleet as cases

        from fleet_health.contracts.clean import clean_schema

        schema = clean_schema(cases.PROFILE)
        return spark.createDataFrame(cases.frame(cases.plain_rows(), seed=1), schema)

    return made
