"""Fact sheet section 6: single-node objects. No Spark job runs in most of these."""

from __future__ import annotations

import bz2
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import types as T

from transforms.api import (
    Input,
    LightweightContext,
    LightweightInput,
    Output,
    incremental,
    lightweight,
    transform,
    transform_pandas,
    transform_polars,
)
from transforms.errors import (
    LightweightNotImplementedError,
    LightweightTypeError,
    LightweightValueError,
    ModeAfterWriteError,
    PreviousWithoutSchemaError,
    ReadModeError,
    ReadOnlyError,
    ReturnTypeError,
    TransformTypeError,
    UnknownArgumentError,
    UnknownAttributeError,
    WriteModeError,
    WrittenTwiceError,
)
from transforms.ports import WriteOptions
from transforms.verbs.testing._memory_ports import MemoryReadPort
from transforms.verbs.testing._parts import Part, scratch_folder

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
        seen["names"] = (source.alias, source.branch, source.rid.startswith("ri."))
        seen["hashable"] = {source: 1}[source]
        out.write_table(source.arrow())

    run(compute)
    assert seen["kinds"] == ["DataFrame", "LazyFrame", "DataFrame", "DataFrame", "Table"]
    assert seen["sums"] == [3, 3, 3, [1, 2]]
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


def test_types_that_only_polars_knows_are_written_as_spark_reads_them(store, run, rows):
    odd = pl.DataFrame(
        {"c": ["x"], "u": [7], "t": [datetime(2024, 1, 2, tzinfo=UTC)], "l": [[1]], "n": [None]}
    ).with_columns(pl.col("c").cast(pl.Categorical), pl.col("u").cast(pl.UInt32))
    run(transform.using(out=Output("/odd"))(lambda out: out.write_table(odd)))
    assert (
        store.parts("/odd")[0].schema.simpleString() == "struct<c:string,u:bigint,t:timestamp,l:array<bigint>,n:string>"
    )
    assert rows("/odd") == [("x", 7, datetime(2024, 1, 2, tzinfo=UTC), [1], None)]


@pytest.mark.nightly
def test_both_engines_read_the_same_rows_of_every_format(store, run, frame, rows):
    columns = {"k": ['say "hi", C:\\tmp;', "", None], "v": [1, 2, 3], "x": [1.5, float("nan"), None], "b": [True] * 3}
    moments = [pd.Timestamp("2024-01-02T03:04:05.123456", tz="UTC")] * 3
    store.store_dataframe("/in", frame(**columns, t=moments, day=[date(2024, 1, 2)] * 3, part=["a", "b", "a"]))
    forms = {
        "csv": {},
        "csv_headed": {"header": True, "sep": ";", "nullValue": "nil"},
        "json": {},
        "orc": {},
        "parquet": {},
    }
    seen = {}
    for name, options in forms.items():
        kind = name.partition("_")[0]

        def write(s, out, kind=kind, options=options):
            out.write_dataframe(s.dataframe(), output_format=kind, options=options, partition_cols=["part"])

        def copy(s, out):
            out.write_dataframe(s.dataframe())

        run(transform(s=Input("/in"), out=Output(f"/{name}"))(write))
        run(transform(s=Input(f"/{name}"), out=Output(f"/{name}_spark"))(copy))
        run(
            transform.using(s=Input(f"/{name}"), out=Output(f"/{name}_node"))(lambda s, out: out.write_table(s.arrow()))
        )
        seen[name] = [str(rows(f"/{name}_{engine}")) for engine in ("spark", "node")]
        assert len(rows(f"/{name}_node")) == 3
    assert {name: pair for name, pair in seen.items() if pair[0] != pair[1]} == {}


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


MOMENT = datetime(2024, 1, 2, 3, 4, 5, 120000, tzinfo=UTC)
TEXTS = {
    "spark_default": ({}, 'a,1,2024-01-02T03:04:05.120Z\n"",,2024-01-02 03:04:05.12\n'),
    "header_by_position": (
        {"header": "true"},
        'x,y,z\na,1,2024-01-02T05:04:05.12+02:00\n"",,2024-01-02T03:04:05.120Z\n',
    ),
    "separator": (
        {"sep": ";", "HEADER": "True"},
        'k;v;t\na;1;2024-01-02T03:04:05.120Z\n"";;2024-01-02T03:04:05.120Z\n',
    ),
    "null_and_encoding": (
        {"delimiter": "\t", "nullValue": "-", "encoding": "latin-1"},
        'a\t1\t2024-01-02T03:04:05.120Z\n""\t-\t2024-01-02T03:04:05.120Z\n',
    ),
}


def _stored(path: str, content: bytes, kind: str, options: dict[str, str]) -> MemoryReadPort:
    folder = scratch_folder()
    (folder / path).write_bytes(content)
    schema = T.StructType([T.StructField(*f) for f in (("k", T.StringType()), ("v", T.LongType()))])
    schema = schema.add("t", T.TimestampType()) if kind != "text" else T.StructType(schema.fields[:1])
    return MemoryReadPort("/texts", [Part(folder=folder, schema=schema, options=WriteOptions(kind, options=options))])


@pytest.mark.parametrize("case", TEXTS)
def test_csv_is_parsed_as_spark_parses_it(case):
    options, text = TEXTS[case]
    port = _stored("part-0.csv", text.encode(options.get("encoding", "utf-8")), "csv", options)
    empty = "" if "nullValue" in options else None
    assert LightweightInput(port).arrow().to_pylist() == [
        {"k": "a", "v": 1, "t": MOMENT},
        {"k": empty, "v": None, "t": MOMENT},
    ]


def test_text_files_of_every_kind():
    quoted = _stored("a.csv", b'"say \\"hi\\", C:\\\\a\\b",2\nC:\\\\a\\b,3\n', "csv", {})
    assert LightweightInput(quoted).arrow()["k"].to_pylist() == ['say "hi", C:\\a\\b', "C:\\\\a\\b"]
    assert LightweightInput(quoted).arrow()["t"].to_pylist() == [None, None]
    packed = _stored("a.csv.bz2", bz2.compress(b"z,26\n"), "csv", {})
    assert LightweightInput(packed).polars().rows() == [("z", 26, None)]
    lines = _stored("part-0.txt", b"one\r\ntwo, 2\n", "text", {})
    assert LightweightInput(lines).arrow().to_pydict() == {"k": ["one", "two, 2"]}
    objects = b'{"v": 1, "t": "2024-01-02T03:04:05.120Z"}\n{"k": "a"}\n'
    found = LightweightInput(_stored("part-0.json", objects, "json", {})).arrow().to_pylist()
    assert found == [{"k": None, "v": 1, "t": MOMENT}, {"k": "a", "v": None, "t": None}]
    for kind, content in (("csv", b""), ("csv", b"k,v,t\n"), ("json", b"")):
        assert LightweightInput(_stored(f"part-0.{kind}", content, kind, {"header": "true"})).pandas().empty


@pytest.mark.parametrize(
    ("path", "content", "options", "says"),
    [
        ("a.csv", b"x,y\n", {}, "'a.csv' does not hold what the schema says"),
        ("a.csv", b"x,1\ny\n", {}, "Expected 2 columns, got 1"),
        ("a.csv", b"x,1\n", {"dateFormat": "yyyy"}, "option 'dateformat', which only Spark honours"),
        ("a.csv", b"x||1\n", {"sep": "||"}, "separated by '||', which only Spark reads"),
        ("a.json", b"[1]", {}, "'a.json' is no sequence of JSON objects"),
        ("a.xml", b"<a/>", {}, "'a.xml' is no table file"),
    ],
)
def test_what_one_node_cannot_parse_is_refused_and_never_guessed(path, content, options, says):
    kind = "xml" if path.endswith("xml") else path[2:]
    with pytest.raises(LightweightValueError) as caught:
        LightweightInput(_stored(path, content, kind, options)).arrow()
    assert says in str(caught.value)


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
