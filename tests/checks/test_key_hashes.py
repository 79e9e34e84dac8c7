"""Keys proved unique from hashes, and every case in which hashes must not be believed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import types as T

from mirror.checks import CheckSubject, evaluate, key_hashes
from mirror.checks.state_tables import CatalogStates
from mirror.datasets import Workspace
from transforms import expectations as E
from transforms.api import Check
from transforms.ports import FileEntry

NOW = datetime(2024, 5, 1, tzinfo=UTC)
BOTH = T.StructType([T.StructField("k", T.StringType()), T.StructField("n", T.LongType())])

CASES = {
    "unique": ([("a", 1), ("a", 2), ("b", 1)], 0),
    "repeated": ([("a", 1), ("a", 1), ("b", 1), ("b", 1), ("b", 1), ("c", 1)], 2),
    "null is a value": ([(None, 1), (None, 1), ("a", None)], 1),
    "null beside a value": ([(None, 1), (None, 2), ("a", None), ("b", None)], 0),
}


def subject(spark: SparkSession, folder: Path, rows: list[tuple[str | None, int | None]], local: bool) -> CheckSubject:
    half = len(rows) // 2
    for name, part in (("a", rows[:half]), ("b", rows[half:])):
        columns = {"k": pa.array([r[0] for r in part], pa.string()), "n": pa.array([r[1] for r in part], pa.int64())}
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")
    files = tuple(FileEntry(f.name, 0, 0, str(f)) for f in sorted(folder.glob("*.parquet")))
    frame = spark.read.schema(BOTH).parquet(*[f.location for f in files])
    return CheckSubject("/d", BOTH, lambda: frame, files if local else ())


@pytest.mark.parametrize("local", [True, False], ids=["in the files", "through Spark"])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.nightly
def test_counts_repeated_keys(spark: SparkSession, tmp_path: Path, case: str, local: bool) -> None:
    rows, repeated = CASES[case]
    about = subject(spark, tmp_path, rows, local)
    (result,) = evaluate([Check(E.group_by("k", "n").is_unique(), "c")], about, spark=spark, now=NOW)
    assert result.measured["duplicate_keys(k, n)"] == repeated
    assert len(result.offending) == repeated


def test_colliding_hashes_are_counted_on_the_keys(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = subject(spark, tmp_path, CASES["unique"][0], True)
    monkeypatch.setattr(key_hashes, "_from_files", lambda *_: np.zeros(3, np.uint64))
    assert not key_hashes.proved_unique(about.frame(), ["k", "n"], about.files)
    (result,) = evaluate([Check(E.primary_key("k", "n"), "c")], about, spark=spark, now=NOW)
    assert result.outcome == "PASS"


@pytest.mark.nightly
def test_beyond_the_memory_bound_nothing_is_gathered(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = subject(spark, tmp_path, CASES["repeated"][0], True)
    monkeypatch.setattr("mirror.checks.execution.MEMORY_BOUND_ROWS", 5)
    monkeypatch.setattr("mirror.checks.execution.proved_unique", lambda *_: pytest.fail("hashes were gathered"))
    (result,) = evaluate([Check(E.group_by("k", "n").is_unique(), "c")], about, spark=spark, now=NOW)
    assert result.measured["duplicate_keys(k, n)"] == 2


@pytest.mark.nightly
def test_floats_are_never_hashed(spark: SparkSession) -> None:
    frame = spark.sql("SELECT * FROM VALUES (0.0D), (double('-0.0')), (double('NaN')) t(x)")
    assert not key_hashes.hashable(frame.schema, ["x"])
    about = CheckSubject("/d", frame.schema, lambda: frame)
    (result,) = evaluate([Check(E.group_by("x").is_unique(), "c")], about, spark=spark, now=NOW)
    # the two zeros are one key
    assert result.measured["duplicate_keys(x)"] == 1


def test_files_that_only_spark_reads_the_same_way(spark: SparkSession, tmp_path: Path) -> None:
    odd = tmp_path / "part[1]*.parquet"
    pq.write_table(pa.table({"k": ["a"], "n": [1]}), odd)
    pq.write_table(pa.table({"n": [1]}), tmp_path / "old.parquet")
    pq.write_table(pa.table({"k": ["a"], "n": [2]}), tmp_path / "new.parquet")

    def hashes(*names: str) -> object:
        files = [FileEntry(n, 0, 0, str(tmp_path / n)) for n in names]
        return key_hashes._from_files(BOTH, ["k"], files)

    assert hashes(odd.name) is None
    assert hashes("new.parquet", "old.parquet") is None
    assert hashes("old.parquet", "new.parquet") is None
    assert len(hashes("new.parquet")) == 1  # type: ignore[arg-type]


TIMED = T.StructType([T.StructField("k", T.StringType()), T.StructField("at", T.TimestampType())])


@pytest.mark.nightly
def test_only_keys_of_the_same_days_are_looked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that lie elsewhere in time share no key with new ones, however many there are."""
    store = CatalogStates(Workspace.create(tmp_path / "w", repository=tmp_path).catalog)
    view: list[FileEntry] = []
    asked: list[int] = []
    real = CatalogStates.key_marks
    monkeypatch.setattr(CatalogStates, "key_marks", lambda *about: asked.append(1) or real(*about))

    def unique(name: str, *keys: tuple[str | None, datetime | None]) -> bool | None:
        at = pa.array([key[1] for key in keys], pa.timestamp("us", "UTC"))
        pq.write_table(pa.table({"k": pa.array([key[0] for key in keys], pa.string()), "at": at}), tmp_path / name)
        view.append(FileEntry(name, 0, 0, str(tmp_path / name)))
        asked.clear()
        about = CheckSubject("/d", TIMED, lambda: pytest.fail("rows were read"), view)
        return key_hashes.proved_unique_with(about, TIMED, ["k", "at"], store)

    days = [datetime(2024, 5, day, tzinfo=UTC) for day in (1, 2, 3, 4)]
    for number, day in enumerate(days):
        assert unique(f"{number}.parquet", ("a", day), ("b", day)) is True
        assert asked == []
    # between the first and the third, so the fourth is not asked
    assert unique("5.parquet", ("c", days[0]), ("c", days[2])) is True
    assert len(asked) == 3
    assert unique("6.parquet", ("b", days[1])) is False
    view.pop()
    # null is a value, which no limit speaks of
    assert unique("7.parquet", ("a", None), ("a", days[0])) is False
    view.pop()
    assert unique("8.parquet", ("d", None)) is True
    assert len(asked) == 5
    # in the calendar before 1900 two readers may see two instants
    assert unique("9.parquet", ("a", datetime(1890, 1, 1, tzinfo=UTC))) is None
