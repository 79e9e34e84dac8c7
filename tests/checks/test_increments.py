"""A dataset that grows, changes and starts over: kept states give what a full recomputation gives, for less."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from mirror.checks import CheckResult, CheckSubject, StateUnit, evaluate, explain, grouped, key_hashes
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
        T.StructField("floor", T.DoubleType()),
        T.StructField("dec", T.DecimalType(38, 2)),
        T.StructField("day", T.DateType()),
    ]
)
DEVICES = T.StructType([T.StructField("name", T.StringType())])
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
    "floors": E.col("floor").distinct_count().lt(5),
    "fills": E.group_by("floor").count().lt(30),
    "unique by two": E.group_by("floor", "text").is_unique(),
    "full": E.group_by("floor", "text").count().lte(3),
    "floor nulls": E.group_by("floor").col("x").null_percentage().lt(0.5),
    "floor totals": E.group_by("floor").col("id").sum().lt(900),
    "floor sums": E.group_by("floor").col("dec").sum().gte(Decimal("1.1")),
    "floor spread": E.group_by("floor").col("x").standard_deviation_sample().lt(20),
    "floor least": E.group_by("floor").col("dec").min_value().lt(0.3),
    "floor latest": E.group_by("floor").col("at").max_value().timestamp_offset_to_current_time().lt(86400),
    "floor texts": E.group_by("floor").col("text").distinct_count().lt(6),
    "day": E.group_by("day").col("text").max_value().gte("dev-5"),
    "known": E.col("text").is_in_foreign_col(E.dataset_ref("devices").col("name")),
    "as many": E.count().gt(E.dataset_ref("devices").count()),
}
CHECKS = [Check(expectation, name) for name, expectation in ASKED.items()]


class Dataset:
    """Files of a dataset as transactions change them; counts what is read."""

    def __init__(self, spark: SparkSession, folder: Path, seed: int) -> None:
        self.spark, self.folder, self.random = spark, folder, random.Random(seed)
        self.view: dict[str, FileEntry] = {}
        self.read: list[int] = []
        self.next_id = 0
        self.devices: list[FileEntry] = []

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
                "floor": pd.Series([(None, float("nan"), 0.0, -0.0, 1.5)[i % 5] for i in ids], dtype=object),
                # more digits than Python's decimals keep by default
                "dec": [Decimal(10**30 + i) / 10 if i % 3 else Decimal("0.3") for i in ids],
                "day": [date(2024, 4, 1 + i % 3) for i in ids],
            }
        ).astype({"x": "float64", "text": "string", "at": "datetime64[us, UTC]"})
        self.view[logical] = self.write(logical, frame)

    def write(self, logical: str, frame: pd.DataFrame) -> FileEntry:
        kinds = {"id": pa.int64(), "x": pa.float64(), "text": pa.string(), "at": pa.timestamp("us", "UTC")}
        kinds |= {"floor": pa.float64(), "dec": pa.decimal128(38, 2), "day": pa.date32(), "name": pa.string()}
        arrays = {
            name: pa.array(list(column), kinds[name], from_pandas=name != "floor") for name, column in frame.items()
        }
        path = self.folder / f"{uuid.uuid4().hex}.parquet"
        pq.write_table(pa.table(arrays), path)
        return FileEntry(logical, path.stat().st_size, 0, str(path))

    def know(self, names: list[str]) -> None:
        """The other dataset holds these names besides those it has."""
        self.devices.append(self.write(f"part-{len(self.devices)}", pd.DataFrame({"name": names})))

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

    def change_devices(self) -> str:
        if len(self.devices) > 1 and self.random.random() < 0.5:
            del self.devices[0]
            return "fewer devices"
        self.know([f"dev-{self.random.randrange(9)}" for _ in range(4)])
        return "more devices"

    def frame(self, files: list[FileEntry]) -> DataFrame:
        self.read.append(len(files))
        return self.spark.read.schema(SCHEMA).parquet(*[f.location for f in files])

    def subject(self) -> CheckSubject:
        files = sorted(self.view.values(), key=lambda f: f.path)
        known = {"devices": self.reference()} if self.devices else {}
        return CheckSubject(
            "/d", SCHEMA, lambda: self.frame(files), files, known, part=lambda part: self.frame(list(part))
        )

    def reference(self) -> CheckSubject:
        files = list(self.devices)

        def read(some: Sequence[FileEntry]) -> DataFrame:
            return self.spark.read.schema(DEVICES).parquet(*[f.location for f in some])

        return CheckSubject("/devices", DEVICES, lambda: read(files), files, part=read)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CatalogStates]:
    with Workspace.create(tmp_path / "workspace") as workspace:
        yield CatalogStates(workspace.catalog)


def rounded(results: tuple[CheckResult, ...]) -> dict[str, object]:
    def near(value: object) -> object:
        return round(value, 9) if isinstance(value, float) else value

    return {r.name: (r.outcome, {k: near(v) for k, v in r.measured.items()}) for r in results}


@pytest.mark.parametrize("seed", range(9))
@pytest.mark.nightly
def test_random_transactions_equal_a_full_recomputation(
    spark: SparkSession, tmp_path: Path, store: CatalogStates, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # offenders cost a query each and have their own tests
    monkeypatch.setattr("mirror.checks.evaluation.collect", lambda *_, **__: ())
    # in some runs few groups are too many, at once or after a while
    monkeypatch.setattr(grouped, "GROUPS_OF_A_PART", (4_096, 4_096, 9)[seed % 3])
    monkeypatch.setattr(grouped, "GROUPS_IN_ALL", (65_536, 12, 65_536)[seed % 3])
    dataset = Dataset(spark, tmp_path, seed)
    dataset.know([f"dev-{i}" for i in range(6 + seed % 4)])
    kinds = []
    for _ in range(5):
        kinds.append(dataset.change())
        if dataset.random.random() < 0.4:
            kinds.append(dataset.change_devices())
        subject = dataset.subject()
        grown = evaluate(CHECKS, subject, spark=spark, now=NOW, states=store)
        other = CheckSubject("/devices", DEVICES, dataset.reference().frame)
        bare = CheckSubject("/d", SCHEMA, subject.frame, references={"devices": other})
        whole = evaluate(CHECKS, bare, spark=spark, now=NOW)
        assert rounded(grown) == rounded(whole), kinds


@pytest.mark.nightly
def test_groups_and_counterparts_cost_new_files_only(
    spark: SparkSession, tmp_path: Path, store: CatalogStates, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = Dataset(spark, tmp_path, 7)
    dataset.know([f"dev-{i}" for i in range(9)])
    names = ("floors", "fills", "floor totals", "full", "known", "rows")
    asked = [Check(ASKED[name], name) for name in names]

    def judge(expected: list[int]) -> dict[str, object]:
        dataset.read.clear()
        results = evaluate(asked, dataset.subject(), spark=spark, now=NOW, states=store)
        assert sorted(dataset.read) == expected
        return {key: value for result in results for key, value in result.measured.items()}

    dataset.add("part-0", 5)
    # one frame of everything: two key sets, the other dataset
    judge([1])
    dataset.add("part-1", 5)
    # a dataset that grows: both key sets learn all groups, and the other dataset is asked about the new file only
    judge([1, 2, 2])
    dataset.add("part-2", 7)
    for known in (0, 1):
        lines = explain(asked, dataset.subject(), spark=spark, now=NOW, states=store).explain()
        assert lines[0] == f"from the footers of 1 files not seen before ({known} of 1 already known to the catalog)"
        assert "groups by (floor): 1 files not seen before, merged with the groups kept of earlier ones" in lines
        assert lines[-1].endswith("values of 1 files not yet compared with what devices holds")
    measured = judge([1, 1, 1])
    # 17 rows over null, NaN, zero (twice as often as the others) and 1.5
    assert measured["distinct_count(floor)"] == 3
    assert measured["group_violations(E.group_by('floor').count().lt(30))"] == 0
    lines = explain(asked, dataset.subject(), spark=spark, now=NOW, states=store).explain()
    assert "groups by (floor): nothing but the groups kept of earlier ones" in lines
    assert lines[-1].endswith("values of 0 files not yet compared with what devices holds")
    judge([])
    # more devices change nothing, fewer bring every value into doubt
    dataset.know([f"dev-{i}" for i in range(9)])
    judge([])
    del dataset.devices[0]
    judge([3])
    # too many groups: grouped in vain once, and remembered
    monkeypatch.setattr(grouped, "GROUPS_OF_A_PART", 3)
    dataset.add("part-3", 9)
    judge([1, 1, 1, 4])
    dataset.add("part-4", 0)
    judge([1, 5])
    lines = explain(asked, dataset.subject(), spark=spark, now=NOW, states=store).explain()
    assert "groups by (floor): all rows; groups are kept from the second transaction on, up to 3 in each" in lines


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
    assert "scan of 1 columns (text) of 2 files not seen before" in plan.explain()
    timed = explain([Check(ASKED["recent"], "recent")], dataset.subject(), spark=spark, now=NOW, states=store)
    anew = "scan of 1 columns (at) of all files, as what depends on the current time changes without them"
    assert anew in timed.explain()


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
