"""Fact sheet section 7: ``foundry.transforms.Dataset`` against in-memory ports; no Spark job runs."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import MagicMock, patch

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from foundry.transforms import Column, Dataset, datasets_from, load_aliases
from transforms.api import Output, transform
from transforms.errors import (
    ModeAfterWriteError,
    NotAvailableError,
    ReadModeError,
    TransformTypeError,
    TransformValueError,
    UnknownArgumentError,
    UnknownAttributeError,
    WriteModeError,
)
from transforms.verbs.testing._memory_ports import MemoryReadPort, MemoryWritePort

TABLE = pa.table({"k": ["a", "b", None], "v": [1, 2, 3]})


@pytest.fixture
def opened(store, run):
    """``Dataset.get`` on a store with one table; what was opened for writing is kept by alias."""
    run(transform.using(out=Output("/in"))(lambda out: out.write_table(TABLE)))
    writers: dict[str, MemoryWritePort] = {}

    def opener(alias: str, for_writing: bool):
        if for_writing:
            return writers.setdefault(alias, MemoryWritePort(alias, (), incremental=False))
        return writers.get(alias) or MemoryReadPort(alias, store.parts(alias))

    with datasets_from(opener):
        yield writers


def test_reads_in_every_format(opened):
    dataset = Dataset.get("/in")
    assert dataset.read_table(format="arrow").equals(TABLE)
    assert isinstance(dataset.read_table(), pd.DataFrame)
    assert isinstance(dataset.read_table(format="pandas"), pd.DataFrame)
    assert isinstance(dataset.read_table(format="polars"), pl.DataFrame)
    assert dataset.read_table(format="lazy-polars").collect()["v"].to_list() == [1, 2, 3]
    assert pq.read_table(dataset.read_table(format="path")).num_rows == 3
    assert dataset.schema.names == ["k", "v"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Column.get("v") == 2, [2]),
        (Column.get("v") != 2, [1, 3]),
        (Column.get("v") > 2, [3]),
        (Column.get("v") >= 2, [2, 3]),
        (Column.get("v") < 2, [1]),
        (Column.get("v") <= 2, [1, 2]),
        (Column.get("k").isnull(), [3]),
        (~Column.get("k").isnull(), [1, 2]),
        (Column.get("k").isin(["a", "z"]), [1]),
        (Column.get("v").between(2, 3), [2, 3]),
        ((Column.get("v") == 1) | (Column.get("k") == "b"), [1, 2]),
        ((Column.get("v") > 1) & (Column.get("k") == "b"), [2]),
    ],
)
def test_conditions(opened, condition, expected):
    assert Dataset.get("/in").where(condition).read_table(format="arrow")["v"].to_pylist() == expected


def test_chaining_narrows_and_leaves_the_original(opened):
    base = Dataset.get("/in")
    narrow = base.where(Column.get("v") > 1).where(Column.get("v") < 3).select("v").limit(5)
    assert narrow.read_table(format="arrow").to_pydict() == {"v": [2]}
    assert base.read_table(columns=["k"], row_limit=1, format="arrow").to_pydict() == {"k": ["a"]}
    assert base.read_table(format="arrow").num_rows == 3


def test_writes_and_files(opened, tmp_path):
    out = Dataset.get("/out")
    out.set_write_mode("modify").write_table(TABLE, column_descriptions={"v": "value"})
    assert opened["/out"].column_descriptions == {"v": "value"}
    assert Dataset.get("/out").read_table(format="arrow").num_rows == 3
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.txt").write_text("x")
    (tmp_path / ".hidden").write_text("h")
    raw = Dataset.get("/raw")
    assert raw.upload_file(tmp_path / "deep" / "a.txt", "renamed.txt") == "renamed.txt"
    assert sorted(raw.upload_directory(tmp_path).values()) == [".hidden", "deep/a.txt"]
    assert [f.path for f in raw.files()] == ["deep/a.txt", "renamed.txt"]
    assert len(raw.files(show_hidden_files=True)) == 3
    assert {p: Path(local).read_text() for p, local in raw.files().download().items()} == {
        "deep/a.txt": "x",
        "renamed.txt": "x",
    }
    pushed = Dataset.get("/pushed")
    pq.write_table(TABLE, f"{pushed.lazy_write_table_path}/p.parquet")
    pushed.put_metadata()
    assert pushed.write_table_path
    assert Dataset.get("/pushed").read_table(format="arrow").num_rows == 3
    assert raw.abort() is raw
    assert len(raw.files()) == 0


@pytest.mark.parametrize(
    ("act", "error", "says"),
    [
        (lambda d: d.read_table(format="spark"), TransformValueError, "format is one of"),
        (lambda d: d.read_table(mode="new"), ReadModeError, "cannot be read in mode 'new'"),
        (lambda d: d.limit(1).read_table(format="path"), TransformValueError, "row_limit"),
        (lambda d: d.read_table(columns=["kk"]), UnknownArgumentError, "Did you mean 'k'"),
        (lambda d: [d.write_table(TABLE), d.set_write_mode("append")], ModeAfterWriteError, "first write"),
        (lambda d: d.read_table(columns="k"), TransformTypeError, "columns of Dataset.read_table is a list of names"),
        (lambda d: d.read_table(row_limit="3"), TransformTypeError, "row_limit of Dataset.read_table"),
        (lambda d: d.read_table(rows=3), UnknownArgumentError, "Dataset.read_table has no argument 'rows'"),
        (lambda d: d.limit(-1), TransformTypeError, "Dataset.limit is a number of rows"),
        (lambda d: d.select(["k"]), TransformTypeError, "column names one by one"),
        (lambda d: d.where("v > 1"), TransformTypeError, "Column.get('x') > 1"),
        (lambda d: Dataset.get(3), TransformTypeError, "takes an alias as text"),
        (lambda d: d.files(hidden=True), UnknownArgumentError, "Dataset.files has no argument 'hidden'"),
        (lambda d: d.write_table(), TransformTypeError, "Dataset.write_table needs its argument 'df'"),
        (lambda d: d.set_write_mode("overwrite"), WriteModeError, "has no write mode 'overwrite'"),
        (lambda d: Column.get(3), TransformTypeError, "Column.get takes the name of a column"),
        (lambda d: Column.get("v").isin("abc"), TransformTypeError, "Column.isin takes a list of values"),
        (lambda d: Column.get("v").between(1), TransformTypeError, "Column.between needs its argument 'high'"),
        (lambda d: Column.get("v").like("x"), UnknownAttributeError, "Column has no 'like'"),
        (lambda d: d.set_mode("append"), UnknownAttributeError, "Did you mean 'set_write_mode'"),
        (lambda d: d.upload_file(3), TransformTypeError, "Dataset.upload_file takes a local path, got 3"),
        (lambda d: d.upload_file("/a", 3), TransformTypeError, "logical_path of Dataset.upload_file is a text"),
        (lambda d: d.upload_directory(None), TransformTypeError, "Dataset.upload_directory takes a local path"),
        (lambda d: d.upload_directory("/no/such"), TransformValueError, "/no/such is none"),
        (lambda d: bool(Column.get("v") == 1), TypeError, "combined with &"),
    ],
)
def test_wrong_use(opened, act, error, says):
    with pytest.raises(error) as caught:
        act(Dataset.get("/in"))
    assert says in str(caught.value)


def test_without_a_platform_it_says_who_would_open_datasets():
    with pytest.raises(NotAvailableError, match="datasets_from"):
        Dataset.get("/in").read_table()


def test_documented_unit_tests_patch_get():
    with patch("foundry.transforms.Dataset.get") as get:
        get.return_value = MagicMock(read_table=lambda format: TABLE)
        assert Dataset.get("x").read_table(format="arrow") is TABLE


def test_aliases_of_a_code_workspace(tmp_path):
    file = tmp_path / "aliases.yml"
    file.write_text("people:\n  rid: ri.a\nplain: ri.b\n")
    assert load_aliases(file) == {"people": "ri.a", "plain": "ri.b"}
    file.write_text("people: {}\n")
    with pytest.raises(TransformValueError, match="'people' has no rid"):
        load_aliases(file)
