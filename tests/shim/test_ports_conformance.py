"""One set of laws for every implementation of ``transforms.ports``: a new one joins with a constructor."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark import cloudpickle

from transforms.api import Input, Output, transform
from transforms.api._execute import execute
from transforms.api._job import JobEnvironment
from transforms.ports import ReadPort, WriteOptions, WritePort
from transforms.verbs.testing._memory_ports import MemoryReadPort, MemoryWritePort

# Every law on both kinds of port; the sections of the fact sheet prove the memory port every time.
pytestmark = pytest.mark.nightly


class Memory:
    """The in-memory store of ``transforms.verbs.testing``."""

    def __init__(self) -> None:
        self._parts: dict[str, list[Any]] = {}

    def writer(self, alias: str, *, incremental: bool = False) -> WritePort:
        return MemoryWritePort(alias, self._parts.get(alias, []), incremental=incremental)

    def commit(self, port: Any) -> None:
        parts = port.commit()
        if parts is not None:
            self._parts[port.path] = parts

    def reader(self, alias: str) -> ReadPort:
        return MemoryReadPort(alias, (), self._parts[alias])


class Platform:
    """Transactions on a branch of a real workspace."""

    def __init__(self, folder: Path) -> None:
        from mirror.datasets import Workspace

        ticks = itertools.count()
        start = datetime(2026, 1, 1, tzinfo=UTC)
        self.workspace = Workspace.create(
            folder / ".mirror", repository=folder, clock=lambda: start + timedelta(seconds=next(ticks))
        )

    def writer(self, alias: str, *, incremental: bool = False) -> WritePort:
        from mirror.datasets import TransactionType
        from mirror.datasets.output_port import DatasetWritePort

        store = self.workspace.store
        kind = TransactionType.UPDATE if incremental else TransactionType.SNAPSHOT
        dataset = store.create(alias, exist_ok=True)
        return DatasetWritePort(store.open_transaction(dataset, "master", kind), incremental=incremental)

    def commit(self, port: Any) -> None:
        if port.aborted:
            port._transaction.abort()
        else:
            port._transaction.commit()

    def reader(self, alias: str) -> ReadPort:
        from mirror.datasets.ports import whole_input

        store = self.workspace.store
        return whole_input(store.view(store.dataset(alias)), store.storage)


@pytest.fixture(params=["memory", "platform"])
def backend(request, tmp_path: Path) -> Iterator[Any]:
    if request.param == "memory":
        yield Memory()
        return
    platform = Platform(tmp_path)
    yield platform
    platform.workspace.close()


def _put(port: WritePort, **files: str) -> None:
    for name, text in files.items():
        with port.create(name.replace("__", "/") + ".txt", "w") as stream:
            stream.write(text)


def _texts(port: ReadPort, mode: str = "current") -> dict[str, str]:
    found = {}
    for entry in port.files(mode):
        with port.open(entry.path, "r", read_mode=mode) as stream:
            found[entry.path] = stream.read()
    return found


def _table(port: WritePort, folder: Path, name: str, *values: int) -> None:
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    pq.write_table(pa.table({"v": pa.array(values, pa.int64())}), folder / f"{name}.parquet")
    port.write_files(str(folder), {"v": "a value"})


def test_both_are_ports(backend):
    writer = backend.writer("/d")
    assert isinstance(writer, WritePort)
    assert writer.path == "/d"
    assert writer.rid.startswith("ri.foundry.main.dataset.")
    assert writer.transaction_rid.startswith("ri.foundry.main.transaction.")
    assert writer.mode == "replace"
    _put(writer, a="1")
    backend.commit(writer)
    reader = backend.reader("/d")
    assert isinstance(reader, ReadPort)
    assert not isinstance(reader, WritePort)
    assert (reader.path, reader.branch) == ("/d", "master")
    assert reader.end_transaction_rid == writer.transaction_rid


def test_files_are_ordered_hidden_ones_included_and_open_below_the_directory(backend):
    writer = backend.writer("/d")
    _put(writer, b="2", deep__a="1", _hidden="h")
    assert list(writer.files("previous")) == []
    backend.commit(writer)
    reader = backend.reader("/d")
    assert _texts(reader) == {"_hidden.txt": "h", "b.txt": "2", "deep/a.txt": "1"}
    assert [f.path for f in reader.files()] == ["_hidden.txt", "b.txt", "deep/a.txt"]
    assert [f.size for f in reader.files()] == [1, 1, 1]
    folder = Path(reader.directory().removeprefix("file://"))
    assert (folder / "deep/a.txt").read_text() == "1"
    assert reader.schema() is None
    with reader.open("b.txt", "rb") as stream:
        assert stream.read() == b"2"
    with pytest.raises(FileNotFoundError, match=r"/d.*nope|nope.*/d"):
        reader.open("nope.txt")
    twin = cloudpickle.loads(cloudpickle.dumps(reader))
    assert _texts(twin) == _texts(reader)


def test_replace_modify_and_append(backend):
    for incremental, mode, files in (
        (False, None, {"a": "1", "b": "1"}),
        (True, None, {"b": "2", "c": "2"}),
        (True, "append", {"d": "3"}),
    ):
        writer = backend.writer("/d", incremental=incremental)
        if mode:
            writer.set_mode(mode)
        _put(writer, **files)
        backend.commit(writer)
    assert _texts(backend.reader("/d")) == {"a.txt": "1", "b.txt": "2", "c.txt": "2", "d.txt": "3"}
    writer = backend.writer("/d", incremental=True)
    writer.set_mode("append")
    with pytest.raises(FileExistsError, match=r"b\.txt"):
        writer.create("b.txt", "w").close()
    writer.abort()
    backend.commit(writer)
    writer = backend.writer("/d", incremental=True)
    writer.set_mode("replace")
    _put(writer, z="9")
    backend.commit(writer)
    assert _texts(backend.reader("/d")) == {"z.txt": "9"}


def test_an_open_transaction_reads_itself_and_what_was_there(backend):
    first = backend.writer("/d")
    _put(first, a="1")
    backend.commit(first)
    for mode, current in (("modify", {"a.txt": "1", "b.txt": "2"}), ("replace", {"b.txt": "2"})):
        writer = backend.writer("/d", incremental=True)
        writer.set_mode(mode)
        _put(writer, b="2")
        assert _texts(writer, "previous") == {"a.txt": "1"}
        assert _texts(writer, "added") == {"b.txt": "2"}
        assert _texts(writer, "current") == current
        writer.abort()
        assert _texts(writer, "added") == {}
        backend.commit(writer)
    assert _texts(backend.reader("/d")) == {"a.txt": "1"}


def test_tables_bring_their_schema_and_descriptions(backend, tmp_path, spark):
    writer = backend.writer("/d")
    _table(writer, tmp_path / "t", "one", 1, 2)
    assert writer.schema("current").simpleString() == "struct<v:bigint>"
    assert dict(writer.column_descriptions) == {"v": "a value"}
    backend.commit(writer)
    writer = backend.writer("/d", incremental=True)
    _table(writer, tmp_path / "t", "two", 3)
    backend.commit(writer)
    reader = backend.reader("/d")
    assert reader.schema().simpleString() == "struct<v:bigint>"
    assert dict(reader.column_descriptions) == {"v": "a value"}
    assert sorted(r.v for r in reader.dataframe(spark).collect()) == [1, 2, 3]


def test_frames_are_stored_nullable_and_read_by_mode(backend, spark):
    writer = backend.writer("/d")
    writer.write_dataframe(
        spark.createDataFrame(pd.DataFrame({"v": [1], "k": ["x"]})), WriteOptions(partition_cols=("k",))
    )
    backend.commit(writer)
    writer = backend.writer("/d", incremental=True)
    more = spark.createDataFrame(pd.DataFrame({"v": [2], "k": ["y"]}))
    writer.write_dataframe(more, WriteOptions(partition_cols=("k",)))
    read = {
        mode: sorted(tuple(r) for r in writer.dataframe(spark, mode).collect())
        for mode in ("previous", "added", "current")
    }
    assert read == {"previous": [(1, "x")], "added": [(2, "y")], "current": [(1, "x"), (2, "y")]}
    backend.commit(writer)
    assert all(field.nullable for field in backend.reader("/d").schema())


def test_a_file_of_rows_that_is_written_again_holds_the_rows_that_are_read(backend, spark):
    """In one transaction with rows that are added; the file keeps its name, and with it the value in its path."""
    writer = backend.writer("/d")
    by_k = WriteOptions(partition_cols=("k",))
    writer.write_dataframe(spark.createDataFrame(pd.DataFrame({"v": [1, 2], "k": ["x", "y"]})), by_k)
    backend.commit(writer)
    writer = backend.writer("/d", incremental=True)
    writer.write_dataframe(spark.createDataFrame(pd.DataFrame({"v": [3], "k": ["y"]})), by_k)
    (path,) = (entry.path for entry in writer.files("previous") if entry.path.startswith("k=x/"))
    with writer.create(path, "wb") as stream:
        pq.write_table(pa.table({"v": pa.array([10, 11], pa.int64())}), stream)
    expected = [(2, "y"), (3, "y"), (10, "x"), (11, "x")]
    assert sorted(tuple(r) for r in writer.dataframe(spark, "previous").collect()) == [(1, "x"), (2, "y")]
    assert sorted(tuple(r) for r in writer.dataframe(spark, "current").collect()) == expected
    backend.commit(writer)
    reader = backend.reader("/d")
    assert sorted(tuple(r) for r in reader.dataframe(spark).collect()) == expected
    assert len(reader.files()) == 3


def test_workers_read_and_stage_files_for_the_same_transaction(backend, spark):
    source = backend.writer("/in")
    _put(source, a="1", b="22")
    backend.commit(source)
    writer = backend.writer("/out")

    @transform(source=Input("/in"), out=Output("/out"))
    def copy(source, out):
        def one(row):
            with source.filesystem().open(row.path) as stream, out.filesystem().open(f"copy/{row.path}", "w") as sink:
                sink.write(json.dumps([row.size, stream.read()]))

        source.filesystem().files().foreach(one)

    execute(copy, JobEnvironment(spark), {"source": backend.reader("/in"), "out": writer})
    backend.commit(writer)
    assert _texts(backend.reader("/out")) == {"copy/a.txt": '[1, "1"]', "copy/b.txt": '[2, "22"]'}


@pytest.mark.parametrize("path", ["../x", "a/../../x", ""])
def test_no_path_leaves_the_dataset(backend, path):
    writer = backend.writer("/d")
    refused: Callable[[], Any] = lambda: writer.create(path, "w")  # noqa: E731
    with pytest.raises(Exception, match=r"(?s)/d") as caught:
        refused()
    assert not isinstance(caught.value, FileNotFoundError | IsADirectoryError)
    writer.abort()
