"""A dataset that grows, changes and starts over: kept states give what a full recomputation gives, for less."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from mirror.checks import CheckResult, CheckSubject, StateUnit, evaluate, explain, key_hashes
from mirror.checks.state_tables import CatalogStates
from mirror.datasets import Workspace
from transforms import expectations as E
from transforms.api import Check
from transforms.ports import FileEntry

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
SCHEMA = T.StructType(
    [
        T.StructField("id", T.LongType()),
        T.StructField("x", T.DoubleType()),
        T.StructField("text", T.StringType()),
        T.StructField("at", T.TimestampType()),
    ]
)
ASKED = {
    "rows": E.count().gt(0),
    "nulls": E.col("x").null_percentage().lt(0.9),
    "range": E.col("x").lte(40),
    "pattern": E.col("text").rlike("^dev-[0-4]"),
    "total": E.col("id").sum().gt(10**6),
    "spread": E.col("x").standard_deviation_sample().lt(30),
    "smallest": E.col("x").min_value().gt(0),
    "latest": E.col("text").max_value().lt("dev-7"),
    "fresh": E.col("at").max_value().timestamp_offset_to_current_time().lt(86400),
    "recent": E.col("at").timestamp_offset_to_current_time().lt(86400),
    "about": E.col("text").approx_distinct_count().lt(9),
    "key": E.primary_key("id"),
}
CHECKS = [Check(expectation, name) for name, expectation in ASKED.items()]


class Dataset:
    """Files of a dataset as transactions change them; counts what is read."""

    def __init__(self, spark: SparkSession, folder: Path, seed: int) -> None:
        self.spark, self.folder, self.random = spark, folder, random.Random(seed)
        self.view: dict[str, FileEntry] = {}
        self.read: list[int] = []
        self.next_id = 0

    def add(self, logical: str, rows: int | None = None) -> None:
        n = self.random.randrange(0, 12) if rows is None else rows
        ids = range(self.next_id, self.next_id + n)
        self.next_id += n
        frame = pd.DataFrame(
            {
                "id": pd.array(ids, dtype="Int64"),
                "x": [self.random.choice([None, float(i % 50), self.random.random() * 60]) for i in ids],
                "text": [f"dev-{i % 9}" for i in ids],
                "at": [pd.Timestamp("2024-04-29", tz="UTC") + pd.Timedelta(minutes=37 * i) for i in ids],
            }
        ).astype({"x": "float64", "text": "string", "at": "datetime64[us, UTC]"})
        path = self.folder / f"{uuid.uuid4().hex}.parquet"
        frame.to_parquet(path, coerce_timestamps="us")
        self.view[logical] = FileEntry(logical, path.stat().st_size, 0, str(path))

    def change(self) -> str:
        kind = self.random.choice(["APPEND", "APPEND", "UPDATE", "DELETE", "SNAPSHOT"])
        if kind == "SNAPSHOT":
            self.view.clear()
        if kind in ("UPDATE", "DELETE") and self.view:
            for logical in self.random.sample(sorted(self.view), k=min(2, len(self.view))):
                del self.view[logical]
                if kind == "UPDATE":
                    self.add(logical)
        if kind in ("APPEND", "SNAPSHOT") or not self.view:
            for _ in range(self.random.randrange(1, 3)):
                self.add(f"part-{uuid.uuid4().hex}")
        return kind

    def frame(self, files: list[FileEntry]) -> DataFrame:
        self.read.append(len(files))
        return self.spark.read.schema(SCHEMA).parquet(*[f.location for f in files])

    def subject(self) -> CheckSubject:
        files = sorted(self.view.values(), key=lambda f: f.path)
        return CheckSubject("/d", SCHEMA, lambda: self.frame(files), files, part=lambda part: self.frame(list(part)))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CatalogStates]:
    with Workspace.create(tmp_path / "workspace") as workspace:
        yield CatalogStates(workspace.catalog)


def rounded(results: tuple[CheckResult, ...]) -> dict[str, object]:
    def near(value: object) -> object:
        return round(value, 9) if isinstance(value, float) else value

    return {r.name: (r.outcome, {k: near(v) for k, v in r.measured.items()}) for r in results}


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.nightly) for n in range(1, 12))])
@pytest.mark.nightly
def test_random_transactions_equal_a_full_recomputation(
    spark: SparkSession, tmp_path: Path, store: CatalogStates, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # offenders cost a query each and have their own tests
    monkeypatch.setattr("mirror.checks.evaluation.collect", lambda *_, **__: ())
    dataset = Dataset(spark, tmp_path, seed)
    kinds = []
    for _ in range(4):
        kinds.append(dataset.change())
        subject = dataset.subject()
        grown = evaluate(CHECKS, subject, spark=spark, now=NOW, states=store)
        whole = evaluate(CHECKS, CheckSubject("/d", SCHEMA, subject.frame), spark=spark, now=NOW)
        assert rounded(grown) == rounded(whole), kinds


@pytest.mark.nightly
def test_only_new_files_are_read(spark: SparkSession, tmp_path: Path, store: CatalogStates) -> None:
    dataset = Dataset(spark, tmp_path, 7)
    passing = {"pattern": E.col("text").rlike("^dev"), "about": E.col("text").approx_distinct_count().lt(99)}
    scanned = [Check(expectation, name) for name, expectation in passing.items()]
    # a check that joins later reads everything once, for itself alone
    for step, expected in enumerate([[1], [1], [1, 3], [1]]):
        dataset.add(f"part-{step}", 5)
        dataset.read.clear()
        asked = scanned if step > 1 else scanned[:1]
        evaluate(asked, dataset.subject(), spark=spark, now=NOW, states=store)
        assert sorted(dataset.read) == expected
    dataset.view.pop("part-0")
    plan = explain(scanned, dataset.subject(), spark=spark, now=NOW, states=store)
    assert plan.increments is not None
    # part-0 stood alone in its unit: the other units stay whole, except where one read joined all three
    left = {m.key: len(p.files) for p in plan.increments.parts for m in p.metrics}
    assert left == {"approx_distinct_count(text)": 2}
    assert "footers, else a scan, of 2 files not seen before" in plan.explain()


@pytest.mark.nightly
def test_keys_of_new_files_are_held_against_kept_hashes(
    spark: SparkSession, tmp_path: Path, store: CatalogStates, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = Dataset(spark, tmp_path, 3)
    hashed: list[int] = []
    real = key_hashes._from_files
    monkeypatch.setattr(key_hashes, "_from_files", lambda s, k, files: hashed.append(len(files)) or real(s, k, files))

    def repeated() -> object:
        (result,) = evaluate([Check(ASKED["key"], "key")], dataset.subject(), spark=spark, now=NOW, states=store)
        return result.measured["duplicate_keys(id)"]

    for step in range(3):
        dataset.add(f"part-{step}", 4)
        assert repeated() == 0
    assert hashed == [1, 1, 1]
    # a key committed earlier comes again; it is counted on the keys, and its hashes are not kept
    dataset.next_id = 2
    dataset.add("again", 3)
    assert repeated() == 3
    del dataset.view["again"], dataset.view["part-1"]
    hashed.clear()
    assert repeated() == 0
    assert hashed == []
    dataset.next_id = 8
    dataset.add("part-3", 1)
    assert repeated() == 1
    way = f'duckdb {key_hashes.duckdb.__version__}|["id"]'
    assert len(store.key_units("/d", way)) == 3


def test_states_are_kept_by_files_and_types(store: CatalogStates) -> None:
    store.keep("/d", StateUnit(frozenset({"a|1"}), {"k": 1}))
    store.keep("/d", StateUnit(frozenset({"b|1"}), {"k": 2}))
    store.keep("/d", StateUnit(frozenset({"a|1"}), {"other": 3}))
    assert [(sorted(u.files), dict(u.states)) for u in store.units("/d")] == [
        (["a|1"], {"k": 1, "other": 3}),
        (["b|1"], {"k": 2}),
    ]
    assert store.units("/e") == []
