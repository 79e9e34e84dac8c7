"""Fact sheet section 6: single-node objects. No Spark job runs in most of these."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from transforms.api import (
    Input,
    InputSet,
    IntegerParam,
    LightweightContext,
    Output,
    OutputSet,
    incremental,
    lightweight,
    transform,
    transform_pandas,
    transform_polars,
)
from transforms.errors import (
    LightweightValueError,
    ReadOnlyError,
    ReturnTypeError,
    UnknownAttributeError,
)
from transforms.verbs.testing._memory_ports import MemoryReadPort

TABLE = pa.table({"k": ["a", "b"], "v": [1, 2]})


@pytest.fixture
def seeded(store, run):
    """A dataset written by a single-node transform, so that no Spark job is needed."""
    run(transform.using(out=Output("/in"))(lambda out: out.write_table(TABLE)))
    return store


def _read(store, alias: str) -> pd.DataFrame:
    import io

    frames = [pd.read_parquet(io.BytesIO(content)) for content in store.get_files(alias).values()]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def test_inputs_read_in_every_form(seeded, run):
    seen = {}

    @transform.using(source=Input("/in"), out=Output("/out"))
    def compute(source, out):
        seen["kinds"] = [
            type(x).__name__
            for x in (source.polars(), source.polars(lazy=True), source.pandas(), source.dataframe(), source.arrow())
        ]
        seen["sums"] = [
            source.polars()["v"].sum(),
            source.polars(lazy=True).collect()["v"].sum(),
            source.pandas()["v"].sum(),
            source.arrow()["v"].to_pylist(),
        ]
        seen["path"] = pq.read_table(source.path()).num_rows
        seen["range"] = [source.start_transaction_rid, source.end_transaction_rid]
        seen["names"] = (source.alias, source.branch, source.rid.startswith("ri."))
        seen["hashable"] = {source: 1}[source]
        out.write_table(source.arrow())

    run(compute)
    assert seen["kinds"] == ["DataFrame", "LazyFrame", "DataFrame", "DataFrame", "Table"]
    assert seen["sums"] == [3, 3, 3, [1, 2]]
    assert [rid.startswith("ri.foundry.main.transaction.") for rid in seen["range"]] == [True, True]
    assert (seen["path"], seen["names"], seen["hashable"]) == (2, ("/in", "master", True), 1)


WRITES = {
    "pandas": lambda out: out.write_pandas(pd.DataFrame({"v": [1, 2]})),
    "polars": lambda out: out.write_table(pl.DataFrame({"v": [1, 2]}), engine="gpu"),
    "lazy": lambda out: out.write_dataframe(pl.LazyFrame({"v": [1, 2]})),
    "arrow": lambda out: out.write_table(pa.table({"v": [1, 2]}), column_descriptions={"v": "d"}),
    "duckdb": lambda out: out.write_table(duckdb.sql("select unnest([1::bigint, 2::bigint]) as v")),
    "path": lambda out: (
        pq.write_table(pa.table({"v": [1, 2]}), Path(out.path_for_write_table) / "x.parquet"),
        out.write_table(out.path_for_write_table),
    ),
    "path_object": lambda out: (
        pq.write_table(pa.table({"v": [1, 2]}), Path(out.path_for_write_table) / "x.parquet"),
        out.write_table(Path(out.path_for_write_table)),
    ),
    "put_metadata": lambda out: (
        pl.LazyFrame({"v": [1, 2]}).sink_parquet(f"{out.path_for_object_store_write_table}/x.parquet"),
        out.put_metadata(),
    ),
    "files_then_schema": lambda out: (
        pq.write_table(pa.table({"v": [1, 2]}), out.filesystem().open("deep/x.parquet", "wb")),
        out.write_table(None),
    ),
}


@pytest.mark.parametrize("form", WRITES)
def test_outputs_take_every_kind_of_table(form, store, run):
    seen = {}

    @transform.using(out=Output("/out"))
    def compute(out):
        WRITES[form](out)
        seen["unstaged"] = out.read_unstaged_dataset_as_polars_lazy().collect()["v"].to_list()

    run(compute)
    assert list(_read(store, "/out")["v"]) == [1, 2]
    assert seen["unstaged"] == [1, 2]
    [part] = store.parts("/out")
    assert part.schema.simpleString() == "struct<v:bigint>"


def test_outputs_read_back_and_the_mode_may_change_until_something_is_written(seeded, run):
    seen = []

    @transform.using(out=Output("/in"))
    def compute(out):
        def every_form():
            frames = (out.polars(), out.polars(lazy=True).collect(), out.pandas(), out.dataframe(), out.arrow())
            return [*(len(frame["v"]) for frame in frames), pq.read_table(out.path()).num_rows]

        for mode in ("replace", "append", "modify"):
            out.set_mode(mode)
        seen.append(every_form())
        out.write_table(pa.table({"k": ["c"], "v": [3]}), column_descriptions={"v": "value", "no": "column"})
        seen.append(every_form())
        seen.append([out.alias, out.branch, out.rid.startswith("ri."), out.transaction_rid.startswith("ri.")])

    run(compute)
    assert seen == [[2] * 6, [3] * 6, ["/in", "master", True, True]]
    assert list(_read(seeded, "/in")["v"]) == [1, 2, 3]
    assert MemoryReadPort("/in", seeded.parts("/in")).column_descriptions == {"v": "value"}


def test_sets_and_typed_parameters_reach_single_node_functions(seeded, run):
    seen = {}
    many, few = InputSet(["/in", "/in"]), IntegerParam(3)

    @transform.using(many=many, targets=OutputSet(["/x", "/y"]), few=few)
    def objects(targets, many, few):
        for source, target in zip(many, targets, strict=True):
            target.write_table(source.polars(lazy=True).head(few.value - 2))

    run(objects)
    run(transform_polars(Output("/z"), many=many, few=few)(lambda few, many: pl.concat(many).head(few.value)))
    for alias in ("/x", "/y", "/z"):
        seen[alias] = list(_read(seeded, alias)["v"])
    assert seen == {"/x": [1], "/y": [1], "/z": [1, 2, 1]}


def test_types_that_only_polars_knows_are_written_as_spark_reads_them(store, run, rows):
    odd = pl.DataFrame(
        {"c": ["x"], "u": [7], "t": [datetime(2024, 1, 2, tzinfo=UTC)], "l": [[1]], "n": [None]}
    ).with_columns(pl.col("c").cast(pl.Categorical), pl.col("u").cast(pl.UInt32))
    run(transform.using(out=Output("/odd"))(lambda out: out.write_table(odd)))
    assert (
        store.parts("/odd")[0].schema.simpleString() == "struct<c:string,u:bigint,t:timestamp,l:array<bigint>,n:string>"
    )
    assert rows("/odd") == [("x", 7, datetime(2024, 1, 2, tzinfo=UTC), [1], None)]


def test_lightweight_reads_what_spark_wrote_partitions_included(store, run, frame):
    store.store_dataframe("/in", frame(day=[2, 1], v=["b", "a"]))
    run(
        transform(s=Input("/in"), out=Output("/parts"))(
            lambda s, out: out.write_dataframe(s.dataframe(), partition_cols=["day"])
        )
    )
    seen = []
    run(transform.using(s=Input("/parts"), out=Output("/o"))(lambda s, out: seen.extend(s.polars().sort("day").rows())))
    assert seen == [("a", 1), ("b", 2)]


def test_frame_functions_on_one_node(seeded, run):
    run(transform_polars(Output("/pl"), x=Input("/in"))(lambda x: x.with_columns(w=pl.col("v") * 2)))
    run(lightweight()(transform_pandas(Output("/pd"), x=Input("/in"))(lambda x, ctx: x.assign(i=ctx.is_incremental))))
    assert list(_read(seeded, "/pl")["w"]) == [2, 4]
    assert list(_read(seeded, "/pd")["i"]) == [False, False]
    with pytest.raises(ReturnTypeError, match=r"must return a polars.DataFrame, got pandas"):
        run(transform_polars(Output("/pl"), x=Input("/in"))(lambda x: x.to_pandas()))


def test_files_are_read_and_written_from_threads(store, run):
    store.store_files("/raw", {f"f{i}.txt": str(i) for i in range(8)} | {"_hidden.txt": "h"})
    seen = {}

    @transform.using(raw=Input("/raw"), out=Output("/out"))
    def compute(raw, out):
        fs, target = raw.filesystem(), out.filesystem()

        def copy(status):
            with fs.open(status.path) as source, target.open(f"copy/{status.path}", "w") as sink:
                sink.write(source.read() * 2)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(copy, fs.ls(glob="*.txt")))
        seen["ls"] = [s.path for s in fs.ls(regex=r"f[0-2]")]
        with pytest.raises(ReadOnlyError):
            fs.open("x", "w")
        with pytest.raises(UnknownAttributeError, match="no 'files'"):
            fs.files()

    run(compute)
    assert seen["ls"] == ["f0.txt", "f1.txt", "f2.txt"]
    assert store.get_files("/out") == {f"copy/f{i}.txt": str(i).encode() * 2 for i in range(8)}


def test_duckdb_sees_every_input_as_a_table_and_its_files(seeded, store, run, tmp_path):
    store.store_files("/raw", {"a.csv": "x,y\n1,2\n", "_skip.csv": "x,y\n9,9\n"})
    (tmp_path / "q.sql").write_text("select count(*) as n from source")
    seen = {}

    @transform.using(source=Input("/in"), raw=Input("/raw"), out=Output("/out"))
    def compute(ctx, source, raw, out):
        conn = ctx.duckdb().conn
        seen["rows"] = conn.sql("select k, v from source order by v desc").fetchall()
        seen["files"] = conn.sql("select x, y from read_csv(raw_files())").fetchall()
        seen["listed"] = [path[-6:] for (path,) in conn.sql("select file from raw_files()").fetchall()]
        seen["from_file"] = conn.sql_from_file(str(tmp_path / "q.sql")).fetchall()
        with pytest.raises(LightweightValueError, match=r"no file at .*shim/nothing\.sql"):
            conn.sql_from_file("nothing.sql")
        seen["execute"] = conn.execute("select 5").fetchall()
        out.write_table(conn.sql("select sum(v)::bigint as s from source"))

    run(compute)
    assert seen.pop("listed") == ["/a.csv"]
    assert seen == {"rows": [("b", 2), ("a", 1)], "files": [(1, 2)], "from_file": [(2,)], "execute": [(5,)]}
    assert list(_read(store, "/out")["s"]) == [3]


def test_incremental_objects_read_by_mode(store, run):
    seen = []

    def seed(alias: str, value: int):
        return lambda out: (out.set_mode("modify"), out.write_table(pa.table({"v": [value]})))

    @incremental(v2_semantics=True, snapshot_inputs=["whole"])
    @transform.using(source=Input("/in"), whole=Input("/whole"), out=Output("/out"))
    def compute(ctx, source, whole, out):
        schema = pa.schema([("v", pa.int64())])
        seen.append(
            {
                "incremental": ctx.is_incremental,
                **{mode: source.polars(mode=mode)["v"].to_list() for mode in ("added", "previous", "current")},
                "positional": source.polars("added")["v"].to_list(),
                "lazy": source.polars(True, "added").collect().height,
                "default": list(source.pandas()["v"]),
                "whole": whole.arrow()["v"].to_pylist(),
                "whole_previous": whole.arrow("previous").num_rows,
                "out_previous": out.polars(False, "previous", schema)["v"].to_list(),
                "files": len(list(source.filesystem().ls())),
                "path": pq.read_table(source.path()).num_rows,
                "duckdb": ctx.duckdb({whole: "current"}).conn.sql("select count(*) from source").fetchall()[0][0],
            }
        )
        out.write_table(source.arrow())

    for alias in ("/in", "/whole"):
        run(transform.using(out=Output(alias))(seed(alias, 1)))
    run(compute)
    for alias in ("/in", "/whole"):
        run(transform.using(out=Output(alias))(seed(alias, 2)))
    run(compute)
    first, second = seen
    assert first == {
        "incremental": False,
        "added": [1],
        "previous": [],
        "current": [1],
        "positional": [1],
        "lazy": 1,
        "default": [1],
        "whole": [1],
        "whole_previous": 0,
        "out_previous": [],
        "files": 1,
        "path": 1,
        "duckdb": 1,
    }
    assert second == {
        "incremental": True,
        "added": [2],
        "previous": [1],
        "current": [1, 2],
        "positional": [2],
        "lazy": 1,
        "default": [2],
        "whole": [1, 2],
        "whole_previous": 0,
        "out_previous": [1],
        "files": 1,
        "path": 1,
        "duckdb": 1,
    }
    assert list(_read(store, "/out")["v"]) == [1, 2]


def test_the_context_has_no_spark_and_aborts(store, run):
    assert LightweightContext().is_incremental is False
    with pytest.raises(UnknownAttributeError, match="has no Spark"):
        _ = LightweightContext().spark_session
    with pytest.raises(UnknownAttributeError, match=r"has no 'parameters'\. Declare a parameter"):
        _ = LightweightContext().parameters
    store.store_files("/raw", {"a.csv": "1"})
    with pytest.raises(LightweightValueError, match="'/raw' has no mode 'added'"):
        run(transform.using(i=Input("/raw"), out=Output("/out"))(lambda ctx, i, out: ctx.duckdb({i: "added"})))

    @transform.using(out=Output("/out"))
    def compute(ctx, out):
        out.write_table(TABLE)
        ctx.abort_job()

    assert run(compute).aborted
    assert "/out" not in store
