"""The platform's ports: what is written reads back, by row and by file, in every mode, here and in Python workers."""

from __future__ import annotations

import datetime
import io
import json
from pathlib import Path

import pandas as pd
import pytest
from pyspark import cloudpickle
from pyspark.sql import SparkSession

from mirror.datasets import Dataset, DatasetStore, TransactionType
from mirror.datasets.errors import NoSchemaError, NoViewError, SchemaMismatchError, UnreadableDataError
from mirror.datasets.output_port import DatasetWritePort
from mirror.datasets.ports import incremental_input, whole_input
from mirror.datasets.sample import first_rows
from transforms.ports import ReadPort, WriteOptions, WritePort

SNAPSHOT, APPEND, UPDATE = TransactionType.SNAPSHOT, TransactionType.APPEND, TransactionType.UPDATE


def output(store: DatasetStore, dataset: Dataset, kind: TransactionType = SNAPSHOT, **options) -> DatasetWritePort:
    return DatasetWritePort(store.open_transaction(dataset, "master", kind), **options)


def commit(port: DatasetWritePort) -> None:
    assert port._transaction is not None
    port._transaction.commit()


def rows(frame) -> list[tuple]:
    return sorted((tuple(r) for r in frame.toPandas().itertuples(index=False)), key=repr)


@pytest.mark.nightly
def test_partition_columns_come_back_typed_from_the_path(spark: SparkSession, store: DatasetStore, dataset: Dataset):
    names = ["a b", "c/d", "e+f[%]", None]
    frame = spark.createDataFrame(pd.DataFrame({"v": [1, 2, 3, 4], "k": names, "n": [1, 1, 2, 2]}))
    port = output(store, dataset)
    assert isinstance(port, WritePort)
    port.write_dataframe(frame, WriteOptions(partition_cols=("k", "n")))
    commit(port)
    view = store.view(dataset)
    assert view.rows == 4
    assert view.schema is not None
    assert view.schema.path_columns == ("k", "n")
    back = store.read(spark, view)
    assert [(f.name, f.dataType.simpleString()) for f in back.schema] == [
        ("v", "bigint"),
        ("k", "string"),
        ("n", "bigint"),
    ]
    assert rows(back) == rows(frame)
    assert {r["k"] for r in first_rows(view, 10)} == set(names)
    # Under directory() every file opens by its logical path, and Spark finds the partitions itself.
    folder = whole_input(view, store.storage).directory()
    assert all(Path(folder, f.path).stat().st_size == f.size for f in view.files)
    assert sorted(r.v for r in spark.read.parquet(folder).collect()) == [1, 2, 3, 4]


@pytest.mark.nightly
def test_days_are_read_without_the_files_of_other_days(spark: SparkSession, store: DatasetStore, dataset: Dataset):
    frame = spark.sql("SELECT id AS v, date_add(DATE'2026-01-15', int(id)) AS date FROM range(4)")
    for _ in range(2):
        port = output(store, dataset, TransactionType.UPDATE)
        port.write_dataframe(frame, WriteOptions(partition_cols=("date",)))
        commit(port)
    back = store.read(spark, store.view(dataset))
    one = back.where(back["date"] == datetime.date(2026, 1, 17))
    plan = one._jdf.queryExecution().executedPlan()
    assert sorted(r.v for r in one.collect()) == [2, 2]
    scan = plan.collectLeaves().apply(0)
    assert scan.metrics().apply("numFiles").value() == 2  # of the eight files of the view
    assert "regexp" not in plan.toString()  # judged for every row


@pytest.mark.nightly
def test_formats_columns_and_nullability(spark: SparkSession, store: DatasetStore):
    frame = spark.sql("SELECT 1 AS a, 'x,\"y\" z' AS b, named_struct('p', 1) AS s")
    assert not frame.schema["a"].nullable
    for kind, options, expected in (
        ("parquet", {}, ["a", "b", "s"]),
        ("json", {}, ["a", "b", "s"]),
        ("csv", {"header": "true"}, ["a", "b"]),
        ("orc", {}, ["a", "b"]),
        ("text", {}, ["b"]),
    ):
        dataset = store.create(f"/formats/{kind}")
        port = output(store, dataset)
        descriptions = {"b": "what b is"}
        asked = WriteOptions(kind, options=options, column_descriptions=descriptions, sort_by=(expected[0],))
        port.write_dataframe(frame.select(*expected), asked)
        commit(port)
        view = store.view(dataset)
        back = store.read(spark, view)
        assert rows(back) == rows(frame.select(*expected)), kind
        assert [row["b"] for row in first_rows(view, 2)] == ['x,"y" z'], kind
        assert all(f.nullable for f in back.schema), kind
        assert view.rows == (1 if kind == "parquet" else None), kind
        assert whole_input(view, store.storage).column_descriptions == descriptions
        assert view.schema is not None
        assert view.schema.layout == {"sort_by": [expected[0]]}


@pytest.mark.nightly
def test_read_modes_of_an_incremental_input(spark: SparkSession, store: DatasetStore, dataset: Dataset):
    for value, kind in ((1, SNAPSHOT), (2, APPEND), (3, APPEND)):
        port = output(store, dataset, kind)
        port.write_dataframe(spark.createDataFrame(pd.DataFrame({"v": [value]})), WriteOptions())
        commit(port)
    history = store.history(dataset)
    view, before = store.view(dataset), store.view(dataset, at=history[0].rid)
    port = incremental_input(view, before, store.storage)
    assert isinstance(port, ReadPort)
    seen = {mode: [r[0] for r in rows(port.dataframe(spark, mode))] for mode in ("current", "previous", "added")}
    assert seen == {"current": [1, 2, 3], "previous": [1], "added": [2, 3]}
    assert (port.start_transaction_rid, port.end_transaction_rid) == (history[0].rid, history[2].rid)
    plain = whole_input(view, store.storage)
    assert plain.files("previous") == ()
    assert plain.dataframe(spark, "previous").columns == ["v"]
    assert plain.files("added") == plain.files("current")


@pytest.mark.nightly
def test_output_reads_follow_the_write_mode(spark: SparkSession, store: DatasetStore, dataset: Dataset):
    first = output(store, dataset)
    first.write_dataframe(spark.createDataFrame(pd.DataFrame({"v": [1]})), WriteOptions())
    commit(first)
    port = output(store, dataset, UPDATE, incremental=True)
    assert port.mode == "modify"
    assert rows(port.dataframe(spark, "current")) == [(1,)]
    assert port.files("added") == ()
    port.write_dataframe(spark.createDataFrame(pd.DataFrame({"v": [2], "new": ["n"]})), WriteOptions())
    seen = {mode: rows(port.dataframe(spark, mode)) for mode in ("current", "previous", "added")}
    assert seen["previous"] == [(1,)]
    assert seen["added"] == [(2, "n")]
    assert seen["current"] == [(1, None), (2, "n")]
    commit(port)
    # The new column is null in old rows; a column that is missing or of another type is refused.
    assert rows(store.read(spark, store.view(dataset))) == [(1, None), (2, "n")]
    replaced = output(store, dataset, UPDATE, incremental=True)
    replaced.set_mode("replace")
    replaced.write_dataframe(spark.createDataFrame(pd.DataFrame({"v": [9]})), WriteOptions())
    assert rows(replaced.dataframe(spark, "current")) == [(9,)]
    commit(replaced)
    assert rows(store.read(spark, store.view(dataset))) == [(9,)]
    assert store.view(dataset).transactions[0].type is SNAPSHOT


def test_rows_that_do_not_fit_the_view_are_refused(spark: SparkSession, store: DatasetStore, dataset: Dataset):
    first = output(store, dataset)
    first.write_dataframe(spark.createDataFrame(pd.DataFrame({"v": [1], "w": ["x"]})), WriteOptions())
    commit(first)
    port = output(store, dataset, APPEND)
    port.write_dataframe(spark.createDataFrame(pd.DataFrame({"v": ["text"], "W": ["x"]})), WriteOptions())
    with pytest.raises(SchemaMismatchError) as caught:
        commit(port)
    said = str(caught.value)
    assert "column 'v' is string instead of long" in said
    assert "column 'w' is missing" in said
    assert "'W' differs from 'w' only in case" in said
    port.abort()
    assert port._transaction is not None
    port._transaction.abort()
    assert store.view(dataset).rows == 1


@pytest.mark.nightly
def test_files_are_created_and_read_by_workers(spark: SparkSession, store: DatasetStore, dataset: Dataset):
    port = output(store, dataset)
    shipped = cloudpickle.loads(cloudpickle.dumps(port))
    with pytest.raises(RuntimeError, match="Python worker"):
        shipped.set_mode("append")

    def make(i: int) -> int:
        with port.create(f"part/{i}.txt", "w") as stream:
            stream.write(f"grüße {i}\n")
        return i

    assert spark.sparkContext.parallelize([1, 2], 2).map(make).collect() == [1, 2]
    with port.create("_state.json") as stream:
        json.dump({"seen": 2}, stream)
    assert json.load(port.open("_state.json")) == {"seen": 2}
    commit(port)
    read = whole_input(store.view(dataset), store.storage)
    assert [f.path for f in read.files()] == ["_state.json", "part/1.txt", "part/2.txt"]

    def text(path: str) -> str:
        with read.open(path, "rb") as stream:
            return io.TextIOWrapper(stream, "utf-8").read()

    assert spark.sparkContext.parallelize(["part/1.txt"], 1).map(text).collect() == ["grüße 1\n"]
    with pytest.raises(NoSchemaError, match="holds raw files"):
        read.dataframe(spark)
    with pytest.raises(FileNotFoundError, match="'/Fleet/raw/readings' holds no file 'nope'"):
        read.open("nope")
    with pytest.raises(ValueError, match="reading only"):
        read.open("_state.json", "w")
    appending = output(store, dataset, APPEND)
    with pytest.raises(FileExistsError, match="only appends"):
        appending.create("part/1.txt")
    # A file in its place again (UPDATE) is what the next reader sees.
    appending.set_mode("modify")
    with appending.create("part/1.txt") as stream:
        stream.write("new")
    commit(appending)
    assert whole_input(store.view(dataset), store.storage).open("part/1.txt").read() == "new"


def test_unfinished_files_are_never_committed(store: DatasetStore, dataset: Dataset):
    port = output(store, dataset)
    half = port.create("half.txt")
    half.write("not closed")
    commit(port)
    assert store.view(dataset).files == ()
    with pytest.raises(FileNotFoundError):
        half.close()
    # A job that ended well may have left a stream open, and Spark may have written below hadoop_path.
    port = output(store, dataset)
    left = port.create("left open.txt")
    left.write("whole")
    below = Path(port.directory().removeprefix("file://"), "csv_out")
    below.mkdir(parents=True)
    (below / "part-0.csv").write_text("1\n")
    assert port.written
    commit(port)
    assert [f.path for f in store.view(dataset).files] == ["csv_out/part-0.csv", "left open.txt"]
    assert whole_input(store.view(dataset), store.storage).open("left open.txt").read() == "whole"
    # So may it in an incremental run: the folders of what was committed are only shown.
    port = output(store, dataset, UPDATE, incremental=True)
    before = Path(port.directory("previous").removeprefix("file://"))
    assert (before / "left open.txt").read_text() == "whole"
    below = Path(port.directory().removeprefix("file://"))
    assert below != before
    below.mkdir(parents=True, exist_ok=True)
    (below / "more.csv").write_text("2\n")
    assert port.written
    commit(port)
    assert [f.path for f in store.view(dataset).files] == ["csv_out/part-0.csv", "left open.txt", "more.csv"]
    assert not list(before.rglob("more.csv"))


def test_written_folders_bring_their_schema(spark: SparkSession, store: DatasetStore, dataset: Dataset, tmp_path: Path):
    folder = tmp_path / "made"
    (folder / "day=1").mkdir(parents=True)
    pd.DataFrame({"v": [1, 2]}).to_parquet(folder / "day=1" / "x.parquet")
    port = output(store, dataset)
    port.write_files(str(folder), {"v": "a number"})
    commit(port)
    assert whole_input(store.view(dataset), store.storage).column_descriptions == {"v": "a number"}
    assert rows(store.read(spark, store.view(dataset))) == [(1, "1"), (2, "1")]
    (folder / "day=1" / "y.parquet").write_bytes(b"no parquet")
    again = output(store, dataset)
    with pytest.raises(UnreadableDataError, match=r"file 'day=1/y.parquet' of dataset '/Fleet/raw/readings'"):
        again.write_files(str(folder))
    assert again._transaction is not None
    again._transaction.abort()


def test_nothing_written_and_nothing_there(spark: SparkSession, store: DatasetStore, dataset: Dataset):
    port = output(store, dataset)
    assert not port.written
    with pytest.raises(NoViewError, match="no committed transaction"):
        port.dataframe(spark)
    commit(port)
    assert store.view(dataset).transactions[0].type is SNAPSHOT
    with pytest.raises(NoSchemaError):
        store.read(spark, store.view(dataset))
