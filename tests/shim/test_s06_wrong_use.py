"""Fact sheet section 6, and "bad input": every wrong use of a single-node object is a typed error."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from transforms.api import (
    Input,
    Output,
    incremental,
    transform,
)
from transforms.errors import (
    LightweightNotImplementedError,
    LightweightTypeError,
    LightweightValueError,
    ModeAfterWriteError,
    PreviousWithoutSchemaError,
    ReadModeError,
    TransformTypeError,
    UnknownArgumentError,
    UnknownAttributeError,
    WriteArgumentError,
    WriteModeError,
    WrittenTwiceError,
)

TABLE = pa.table({"k": ["a", "b"], "v": [1, 2]})

BAD_USES = {
    "twice": (lambda i, o: [o.write_table(TABLE) for _ in "12"], WrittenTwiceError, "/out"),
    "late": (lambda i, o: [o.write_table(TABLE), o.set_mode("append")], ModeAfterWriteError, "before the first write"),
    "kind": (lambda i, o: o.write_table({"a": [1]}), LightweightTypeError, "got builtins.dict"),
    "argument": (
        lambda i, o: o.write_table(TABLE, mode="x"),
        UnknownArgumentError,
        "write_table has no argument 'mode'",
    ),
    "partitions": (
        lambda i, o: o.write_dataframe(TABLE, partition_cols=["k"]),
        UnknownArgumentError,
        "LightweightOutput.write_dataframe has no argument 'partition_cols'",
    ),
    "nothing_given": (lambda i, o: o.write_table(), TransformTypeError, "needs its argument 'df'"),
    "mode_in": (lambda i, o: i.pandas("added"), UnknownArgumentError, "Read modes exist with @incremental"),
    "lazy": (lambda i, o: i.polars(lazy=[]), TransformTypeError, "lazy of polars is True or False"),
    "mode_polars": (
        lambda i, o: i.polars("added"),
        UnknownArgumentError,
        "LightweightInput.polars has no argument 'added'",
    ),
    "mode_frame": (lambda i, o: i.dataframe(mode="added"), UnknownArgumentError, "LightweightInput.dataframe"),
    "mode_files": (lambda i, o: i.filesystem("added"), UnknownArgumentError, "LightweightInput.filesystem"),
    "mode_out": (lambda i, o: o.polars("current"), UnknownArgumentError, "LightweightOutput.polars"),
    "schema_out": (lambda i, o: o.arrow(schema=1), UnknownArgumentError, "LightweightOutput.arrow has no argument"),
    "glob": (lambda i, o: i.filesystem().ls(["*"]), TransformTypeError, "glob of FoundryDataSidecarFileSystem"),
    "ls": (lambda i, o: i.filesystem().ls(path="*"), UnknownArgumentError, "FoundryDataSidecarFileSystem.ls"),
    "set_mode": (lambda i, o: o.set_mode(modes="x"), UnknownArgumentError, "Did you mean 'mode'"),
    "unknown_mode": (lambda i, o: o.set_mode("overwrite"), WriteModeError, "has no write mode 'overwrite'"),
    "hadoop": (lambda i, o: i.filesystem().hadoop_path, UnknownAttributeError, "no 'hadoop_path'"),
    "twice_a_column": (
        lambda i, o: o.write_table(pa.table([[1], [2]], names=["a", "a"])),
        LightweightValueError,
        "the columns 'a' and 'a' have one name; rename one",
    ),
    "case": (lambda i, o: o.write_table(pl.DataFrame({"a": [1], "A": [2]})), LightweightValueError, "but for case"),
    "time": (
        lambda i, o: o.write_table(pl.DataFrame({"s": [{"t": time(1)}]})),
        LightweightTypeError,
        "column 's' holds time64[ns], which Spark lacks",
    ),
    "description": (
        lambda i, o: [
            pq.write_table(TABLE, f"{o.path_for_write_table}/a.parquet"),
            o.put_metadata({"v": "x" * 801}),
        ],
        WriteArgumentError,
        "at most 800",
    ),
    "both": (lambda i, o: o.write_table(TABLE, {"v": "a"}, {"v": "b"}), LightweightValueError, "not both"),
    "path": (lambda i, o: o.write_table("/somewhere/else"), LightweightValueError, "path_for_write_table"),
    "nothing": (lambda i, o: o.put_metadata(), LightweightValueError, "nothing was put"),
    "suffix": (
        lambda i, o: [Path(o.path_for_write_table, "a.csv").write_text(""), o.put_metadata()],
        LightweightValueError,
        "takes Parquet files",
    ),
    "no_schema": (lambda i, o: i.polars(), LightweightValueError, "has files but no schema"),
    "no_path": (lambda i, o: i.path(), LightweightValueError, "has no schema"),
    "spark": (lambda i, o: i.dataframe().rdd, LightweightValueError, "no schema"),
    "abort": (lambda i, o: o.abort(), UnknownAttributeError, "LightweightOutput has no 'abort'"),
}


@pytest.mark.parametrize("case", BAD_USES)
def test_a_wrong_use_names_the_dataset_and_leaves_it_alone(case, store, run):
    act, error, says = BAD_USES[case]
    store.store_files("/raw", {"a.csv": "1"})
    with pytest.raises(error) as caught:
        run(transform.using(i=Input("/raw"), out=Output("/out"))(lambda i, out: act(i, out)))
    assert says in str(caught.value)
    assert "/out" not in store


def test_incremental_misuse(store, run):
    def refuse(act, error, says):
        with pytest.raises(error, match=says):
            run(incremental()(transform.using(out=Output("/out"))(lambda out: act(out))))

    refuse(lambda out: out.polars(mode="previous"), PreviousWithoutSchemaError, "needs the schema")
    refuse(lambda out: out.pandas("removed"), ReadModeError, "cannot be read in mode 'removed'")
    refuse(lambda out: out.polars(False, "current", 3), LightweightTypeError, "one of Arrow, Polars or Spark, got 3")
    refuse(lambda out: out.filesystem("current"), UnknownArgumentError, "filesystem has no argument 'current'")
    store.store_files("/raw", {"a.csv": "1"})

    def read(act, error, says):
        made = transform.using(i=Input("/raw"), out=Output("/out"))(lambda ctx, i, out: act(ctx, i))
        with pytest.raises(error, match=says):
            run(incremental()(made))

    read(lambda ctx, i: i.path("added"), LightweightNotImplementedError, r"needs @incremental\(v2_semantics=True\)")
    read(lambda ctx, i: i.arrow(modes="added"), UnknownArgumentError, "IncrementalLightweightInput.arrow")
    read(lambda ctx, i: ctx.duckdb({"i": "current"}), LightweightTypeError, "The object itself, not its name")
    read(lambda ctx, i: ctx.duckdb({i: "new"}), ReadModeError, "'/raw' cannot be read in mode 'new'")
    read(lambda ctx, i: ctx.duckdb(i), LightweightTypeError, "read_modes is a dict")
    read(lambda ctx, i: ctx.duckdb().connection, UnknownAttributeError, "DuckDb has no 'connection'")
