"""Fact sheet section 5, and "bad input": every wrong use is a typed error, and nothing is committed."""

from __future__ import annotations

from datetime import time

import pandas as pd
import polars as pl
import pytest

from transforms.api import Input, Output, transform, transform_df, transform_pandas
from transforms.errors import (
    FrameTypeError,
    ModeAfterWriteError,
    NoSchemaError,
    PathError,
    ReadOnlyError,
    ReturnTypeError,
    TransformTypeError,
    TransformValueError,
    UnknownArgumentError,
    UnknownAttributeError,
    WriteArgumentError,
    WriteModeError,
    WrittenTwiceError,
)

BAD_USES = {
    "twice": (lambda i, o: [o.write_dataframe(i.dataframe()) for _ in "12"], WrittenTwiceError, "union the frames"),
    "late": (
        lambda i, o: [o.write_dataframe(i.dataframe()), o.set_mode("modify")],
        ModeAfterWriteError,
        "before the first write",
    ),
    "late_file": (
        lambda i, o: [o.filesystem().open("f", "w").close(), o.set_mode("modify")],
        ModeAfterWriteError,
        "set_mode",
    ),
    "mode": (lambda i, o: o.set_mode("apend"), WriteModeError, "Did you mean 'append'"),
    "pandas": (lambda i, o: o.write_dataframe(i.pandas()), FrameTypeError, "Spark DataFrame, got pandas"),
    "spark": (lambda i, o: o.write_pandas(i.dataframe()), FrameTypeError, "pandas DataFrame, got pyspark"),
    "time": (
        lambda i, o: o.write_table(pl.DataFrame({"t": [time(1)]})),
        WriteArgumentError,
        "Spark cannot hold this table",
    ),
    "mixed": (
        lambda i, o: o.write_pandas(pd.DataFrame({"m": [1, "a"]})),
        WriteArgumentError,
        "Cannot write '/out': Spark cannot hold this table",
    ),
    "list": (lambda i, o: o.write_table([1]), FrameTypeError, "got builtins.list"),
    "column": (
        lambda i, o: o.write_dataframe(i.dataframe(), partition_cols=["da"]),
        WriteArgumentError,
        "Did you mean 'day'",
    ),
    "text": (
        lambda i, o: o.write_dataframe(i.dataframe(), partition_cols="day"),
        WriteArgumentError,
        "list of column names",
    ),
    "all": (
        lambda i, o: o.write_dataframe(i.dataframe(), partition_cols=["day", "v"]),
        WriteArgumentError,
        "every column",
    ),
    "bucket": (lambda i, o: o.write_dataframe(i.dataframe(), bucket_cols=["day"]), WriteArgumentError, "go together"),
    "format": (lambda i, o: o.write_dataframe(i.dataframe(), output_format="soho"), WriteArgumentError, "time series"),
    "long": (
        lambda i, o: o.write_dataframe(i.dataframe(), column_descriptions={"v": "x" * 801}),
        WriteArgumentError,
        "800",
    ),
    "class": (
        lambda i, o: o.write_dataframe(i.dataframe(), column_typeclasses={"v": [{"name": "x"}]}),
        WriteArgumentError,
        "kind",
    ),
    "column_3": (
        lambda i, o: o.write_dataframe(i.dataframe(), sort_by=3),
        WriteArgumentError,
        "sort_by is a list of column names",
    ),
    "format_3": (
        lambda i, o: o.write_dataframe(i.dataframe(), output_format=3),
        WriteArgumentError,
        "name of a format",
    ),
    "options_3": (
        lambda i, o: o.write_dataframe(i.dataframe(), options=["a"]),
        WriteArgumentError,
        "options is a dict",
    ),
    "count_0": (
        lambda i, o: o.write_dataframe(i.dataframe(), bucket_cols=["v"], bucket_count=0),
        WriteArgumentError,
        "positive number",
    ),
    "descriptions": (
        lambda i, o: o.write_dataframe(i.dataframe(), column_descriptions=["v"]),
        WriteArgumentError,
        "a dict from column to text",
    ),
    "class_text": (
        lambda i, o: o.write_dataframe(i.dataframe(), column_typeclasses={"v": "unit"}),
        WriteArgumentError,
        "column_typeclasses is a dict from column to a list",
    ),
    "class_long": (
        lambda i, o: o.write_dataframe(i.dataframe(), column_typeclasses={"v": [{"name": "x" * 101, "kind": "k"}]}),
        WriteArgumentError,
        "at most 100",
    ),
    "table_arguments": (
        lambda i, o: o.write_table(i.dataframe(), partition_cols=["v"]),
        UnknownArgumentError,
        "TransformOutput.write_table has no argument 'partition_cols'. Partitions, buckets and formats go with",
    ),
    "no_frame": (lambda i, o: o.write_dataframe(), TransformTypeError, "needs its argument 'df'"),
    "glob": (lambda i, o: i.filesystem().files(["*.csv"]), TransformTypeError, "glob of FileSystem is one pattern"),
    "regex": (lambda i, o: i.filesystem().ls(regex=None), TransformTypeError, "regex of FileSystem is one pattern"),
    "packing": (
        lambda i, o: i.filesystem().files(packing_heuristic="best"),
        TransformValueError,
        "packing_heuristic of FileSystem.files is 'ffd' or 'wfd'",
    ),
    "files_mode": (lambda i, o: i.filesystem("added"), UnknownArgumentError, "Read modes exist with @incremental"),
    "pandas_mode": (lambda i, o: o.pandas(mode="added"), UnknownArgumentError, "TransformOutput.pandas"),
    "abort_of": (lambda i, o: o.abort(True), UnknownArgumentError, "TransformOutput.abort has no argument"),
    "open_3": (lambda i, o: i.filesystem().open(3), TransformTypeError, "FileSystem.open takes the path of a file"),
    "open_mode": (lambda i, o: i.filesystem().open("f", 3), TransformTypeError, "mode of FileSystem.open is a text"),
    "twin": (lambda i, o: type(o).from_transform_output(i), TransformTypeError, "takes an output"),
    "read_only": (lambda i, o: i.filesystem().open("f", "w"), ReadOnlyError, "Write to an output"),
    "missing": (lambda i, o: i.filesystem().open("nope.csv"), FileNotFoundError, "'/in' has no file 'nope.csv'"),
    "outside": (lambda i, o: o.filesystem().open("../../etc/x", "w"), PathError, "may not contain '..'"),
    "raw": (lambda i, o: [o.filesystem().open("f", "w").close(), o.dataframe()], NoSchemaError, "no schema"),
    "mode_in": (
        lambda i, o: i.dataframe("previous"),
        UnknownArgumentError,
        "no argument 'previous'. Read modes exist with @inc",
    ),
    "mode_out": (
        lambda i, o: o.dataframe(mode="previous"),
        UnknownArgumentError,
        "no argument 'mode'. Read modes exist",
    ),
    "keyword": (
        lambda i, o: o.write_dataframe(i.dataframe(), partition_by=["v"]),
        UnknownArgumentError,
        "'partition_cols'",
    ),
    "type": (lambda i, o: i.dataframe(type="pandas"), UnknownArgumentError, "test_s05_wrong_use.py:"),
    "ls": (
        lambda i, o: i.filesystem().ls(globs="*"),
        UnknownArgumentError,
        "FileSystem.ls has no argument 'globs'. Did",
    ),
    "unknown": (lambda i, o: i.read_file("x"), UnknownAttributeError, "TransformInput has no 'read_file'"),
    "lightweight": (lambda i, o: i.polars(), UnknownAttributeError, "no 'polars'"),
    "output_attr": (lambda i, o: o.write_datframe(1), UnknownAttributeError, "Did you mean 'write_dataframe'"),
    "fs_attr": (lambda i, o: i.filesystem().list(), UnknownAttributeError, "FileSystem has no 'list'"),
}


@pytest.mark.filterwarnings("ignore:createDataFrame attempted Arrow:UserWarning")
@pytest.mark.parametrize("case", BAD_USES)
def test_a_wrong_use_names_the_dataset_and_leaves_it_alone(case, store, run, frame):
    act, error, says = BAD_USES[case]
    store.store_dataframe("/in", frame(day=["1"], v=[1]))
    with pytest.raises(error) as caught:
        run(transform(source=Input("/in"), out=Output("/out"))(lambda source, out: act(source, out)))
    assert says in str(caught.value)
    assert "/out" not in store


@pytest.mark.parametrize(
    ("decorator", "returned", "says"),
    [
        (transform_df, None, "must return a pyspark.sql.DataFrame, got NoneType. Did you forget the return"),
        (transform_df, pd.DataFrame(), "got pandas.core.frame.DataFrame"),
        (transform_pandas, [1], "must return a pandas.DataFrame, got builtins.list"),
    ],
)
def test_a_function_that_returns_no_frame_is_named(decorator, returned, says, run):
    with pytest.raises(ReturnTypeError) as caught:
        run(decorator(Output("/o"))(lambda: returned))
    assert says in str(caught.value)
    assert "test_s05_wrong_use.py:" in str(caught.value)
