"""Fact sheet section 5: inputs, outputs, file systems and the context of Spark transforms."""

from __future__ import annotations

import io
import os
from unittest.mock import MagicMock

import cloudpickle
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyspark.sql import functions as F
from pyspark.sql import types as T

from transforms.api import (
    Input,
    InputSet,
    JobEnvironment,
    Output,
    OutputSet,
    TransformOutput,
    configure,
    execute,
    transform,
    transform_df,
    transform_pandas,
)
from transforms.api._profiles import RESULT_PROFILES, result_settings
from transforms.errors import (
    BindingError,
    DriverOnlyError,
    NoSchemaError,
    UnknownAttributeError,
)


def test_inputs_read_whole_views_and_outputs_store_nullable_columns(store, run, frame, rows):
    seen = {}
    store.store_dataframe("/in", frame(k=["a", "b"], v=[1, 2]))

    @transform(source=Input("/in"), out=Output("/out"), copy=Output("/copy"))
    def compute(copy, ctx, source, out):
        seen["same"] = source.dataframe() is source.dataframe()
        seen["pandas"] = source.pandas()["v"].sum()
        seen["path"], seen["branch"] = source.path, source.branch
        seen["rids"] = [source.rid, source.start_transaction_rid, source.end_transaction_rid, out.rid]
        seen["batch"] = (source.batch_incremental_configuration, out.batch_incremental_configuration)
        twin = TransformOutput.from_transform_output(copy)
        seen["twin"] = (type(twin).__name__, twin.path, twin.rid == copy.rid)
        copy.set_mode("modify")
        copy.set_mode("replace")
        out.write_dataframe(
            source.dataframe().withColumn("one", F.lit(1)),
            column_descriptions={"k": "the key", "missing": "left out"},
            column_typeclasses={"v": [{"kind": "unit", "name": "kelvin"}]},
        )
        copy.write_pandas(source.pandas().assign(w=[None, "x"]))
        seen["session"] = ctx.spark_session
        seen["checkpointed"] = source.dataframe().limit(1).checkpoint(eager=True).count()
        return "ignored"

    assert not run(compute).aborted
    assert (seen["same"], seen["pandas"], seen["path"], seen["checkpointed"]) == (True, 3, "/in", 1)
    assert [rid.startswith("ri.foundry.main.") for rid in seen["rids"]] == [True] * 4
    assert (seen["batch"], seen["twin"]) == ((None, None), ("TransformOutput", "/copy", True))
    assert rows("/out") == [("a", 1, 1), ("b", 2, 1)]
    assert rows("/copy") == [("a", 1, None), ("b", 2, "x")]
    assert all(field.nullable for field in store.get_dataframe("/out", seen["session"]).schema)

    @transform(source=Input("/out"), out=Output("/described"))
    def describe(source, out):
        seen["descriptions"], seen["typeclasses"] = source.column_descriptions, source.column_typeclasses
        out.abort()

    run(describe)
    assert seen["descriptions"] == {"k": "the key"}
    assert list(seen["typeclasses"]["v"]) == [{"kind": "unit", "name": "kelvin"}]


@pytest.mark.nightly
def test_write_arguments_reach_the_files(store, run, frame, rows):
    store.store_dataframe("/in", frame(day=["2", "1", "1"], v=[3, 2, 1]))

    @transform(
        source=Input("/in"),
        parts=Output("/parts"),
        text=Output("/text"),
        buckets=Output("/buckets"),
        lines=Output("/lines"),
    )
    def compute(source, parts, text, buckets, lines):
        df = source.dataframe()
        parts.write_dataframe(df, partition_cols=["day"])
        text.write_dataframe(df, output_format="csv", options={"header": True, "sep": ";"})
        buckets.write_dataframe(df, bucket_cols=["day"], bucket_count=1, sort_by=["v"])
        lines.write_dataframe(df.select("day"), output_format="text")

    run(compute)
    assert rows("/parts") == [(1, "1"), (2, "1"), (3, "2")]
    assert {os.path.dirname(p) for p in store.get_files("/parts")} == {"day=1", "day=2"}
    csv = [c for c in store.get_files("/text").values() if c]
    assert all(c.startswith(b"day;v\n") for c in csv)
    assert rows("/text") == [("1", 1), ("1", 2), ("2", 3)]
    [bucket] = [pd.read_parquet(io.BytesIO(c)) for c in store.get_files("/buckets").values()]
    assert list(bucket["v"]) == [1, 2, 3]
    assert sorted(b"".join(store.get_files("/lines").values()).split()) == [b"1", b"1", b"2"]


@pytest.mark.nightly
def test_tables_of_every_kind_are_taken_by_write_table(store, run, rows):
    tables = {
        "pandas": pd.DataFrame({"a": [1, 2]}),
        "polars": pl.DataFrame({"a": [1, 2]}),
        "lazy": pl.LazyFrame({"a": [1, 2]}),
        "arrow": pa.table({"a": [1, 2]}),
        "empty": pd.DataFrame({"a": pd.Series([], dtype="int64")}),
        "nulls": pa.table({"a": pa.nulls(2)}),
        "pandas_nulls": pd.DataFrame({"a": [None, None]}),
        "exact": pa.table({"a": [2**53 + 1, None]}),
        "nan": pl.DataFrame({"a": [float("nan"), None]}),
        "empty_polars": pl.DataFrame(schema={"a": pl.Int64}),
        "unsigned": pa.table({"a": pa.array([1, 2], pa.uint32())}),
    }
    outputs = {name: Output(f"/{name}") for name in tables}

    @transform(**outputs)
    def compute(**out):
        for name, output in out.items():
            output.write_table(tables[name], engine="gpu")

    run(compute)
    assert {name: rows(f"/{name}") for name in tables if name != "nan"} == {
        **{name: [(1,), (2,)] for name in tables if name != "nan"},
        "empty": [],
        "empty_polars": [],
        "exact": [(2**53 + 1,), (None,)],
        "nulls": [(None,), (None,)],
        "pandas_nulls": [(None,), (None,)],
    }
    assert [value if value is None else value != value for (value,) in rows("/nan")] == [None, True]


def test_frame_functions_get_frames_and_their_result_is_written(store, run, frame, rows):
    store.store_dataframe("/in", frame(v=[1, 2]))
    run(
        transform_df(Output("/df"), a=Input("/in"), b=Input("/in"))(
            lambda b, a, scale=2: a.union(b).select(F.col("v") * scale)
        )
    )
    run(
        transform_pandas(Output("/pd"), a=Input("/in"))(lambda ctx, a: a.assign(w=ctx.parameters["w"])),
        parameters={"w": 7},
    )
    assert rows("/df") == [(2,), (2,), (4,), (4,)]
    assert rows("/pd") == [(1, 7), (2, 7)]


@pytest.mark.nightly
def test_sets_arrive_as_lists_in_declared_order(store, run, frame, rows):
    for name in "ba":
        store.store_dataframe(f"/{name}", frame(v=[name]))

    @transform(many=InputSet(["/b", "/a"]), targets=OutputSet(["/y", "/x"]))
    def compute(many, targets):
        for source, target in zip(many, targets, strict=True):
            target.write_dataframe(source.dataframe())

    run(compute)
    assert (rows("/y"), rows("/x")) == ([("b",)], [("a",)])


def test_profiles_that_change_results_hold_for_their_job_only(store, run, frame, spark):
    seen = {}
    store.store_dataframe("/in", frame(v=[1]))

    @configure(
        profile=[
            *RESULT_PROFILES,
            "LAST_MAP_KEY_WINS",
            "DRIVER_MEMORY_LARGE",
            "LEGACY_TIME_PARSER_POLICY",
            "TIME_PARSER_POLICY_CORRECTED",
        ]
    )
    @transform(source=Input("/in"), out=Output("/out"))
    def compute(ctx, source, out):
        seen["policy"] = ctx.spark_session.conf.get("spark.sql.legacy.timeParserPolicy")
        seen["set"] = {key: ctx.spark_session.conf.get(key) for key in result_settings(RESULT_PROFILES)}
        seen["zone"] = ctx.spark_session.conf.get("spark.sql.session.timeZone")
        df = source.dataframe().select(
            F.map_from_arrays(F.array(F.lit("k"), F.lit("k")), F.array(F.lit(1), F.lit(2))).alias("m")
        )
        seen["map"] = df.first().m
        out.abort()

    run(compute)
    settings = result_settings(RESULT_PROFILES) | {"spark.sql.legacy.timeParserPolicy": "CORRECTED"}
    assert (len(RESULT_PROFILES), len(settings)) == (14, 16)
    assert {key: value for key, value in seen.pop("set").items() if settings[key] != value} == {}
    assert seen == {"policy": "CORRECTED", "zone": "UTC", "map": {"k": 2}}
    assert spark.conf.get("spark.sql.mapKeyDedupPolicy") == "EXCEPTION"


def test_abort_of_one_output_and_of_the_whole_job(store, run, frame, rows):
    store.store_dataframe("/in", frame(v=[1]))
    store.store_dataframe("/kept", frame(v=[0]))

    @transform(source=Input("/in"), kept=Output("/kept"), out=Output("/out"))
    def one(source, kept, out):
        kept.write_dataframe(source.dataframe())
        kept.abort()
        kept.write_dataframe(source.dataframe())
        out.write_dataframe(source.dataframe())

    assert run(one).aborted_outputs == ("kept",)
    assert (rows("/kept"), rows("/out")) == ([(0,)], [(1,)])
    after = []

    @transform(source=Input("/in"), out=Output("/out"))
    def whole(ctx, source, out):
        out.write_dataframe(source.dataframe().withColumn("v", F.lit(9)))
        try:
            ctx.abort_job()
        except Exception:  # noqa: BLE001 -- user code that swallows everything must not swallow an abort
            after.append("swallowed")
        after.append("went on")

    assert run(whole).aborted
    assert (rows("/out"), after) == ([(1,)], [])


def test_nothing_written_is_an_empty_snapshot(store, run, frame, rows, spark):
    store.store_dataframe("/out", frame(v=[1]))
    run(transform(out=Output("/out"))(lambda out: None))
    assert store.get_files("/out") == {}
    with pytest.raises(NoSchemaError, match="'/out' has no schema"):
        store.get_dataframe("/out", spark)


def test_pickled_objects_carry_no_session_and_say_so(store, run, frame):
    store.store_dataframe("/in", frame(v=[1]))
    twins = {}

    @transform(source=Input("/in"), out=Output("/out"))
    def compute(ctx, source, out):
        twins.update({k: cloudpickle.loads(cloudpickle.dumps(o)) for k, o in {"i": source, "o": out, "c": ctx}.items()})
        out.abort()

    run(compute)
    assert next(twins["i"].filesystem().ls()).path.endswith(".parquet")
    for call in (twins["i"].dataframe, twins["i"].filesystem().files, lambda: twins["c"].spark_session):
        with pytest.raises(DriverOnlyError, match="no Spark session"):
            call()


def test_the_context_knows_its_job(spark):
    seen = {}

    class Port:
        path = "/o"

    @transform(out=Output("/o"))
    def compute(ctx, out):
        seen.update(branches=ctx.fallback_branches, parameters=ctx.parameters, token=ctx.auth_header)
        with pytest.raises(UnknownAttributeError, match="TransformContext has no 'is_incremental'"):
            _ = ctx.is_incremental

    environment = JobEnvironment(spark, parameters={"p": 1}, fallback_branches=["develop", "master"], auth_header="t")
    execute(compute, environment, {"out": Port()})
    assert seen == {"branches": ["develop", "master"], "parameters": {"p": 1}, "token": "t"}


@pytest.mark.nightly
def test_a_written_output_reads_back_what_was_there_and_what_was_written(store, run, frame):
    store.store_dataframe("/in", frame(v=[2]))
    store.store_dataframe("/out", frame(v=[1]))
    seen = {}

    @transform(source=Input("/in"), out=Output("/out"))
    def compute(source, out):
        seen["before"] = [r.v for r in out.dataframe().collect()]
        out.write_dataframe(source.dataframe())
        seen["after"] = [r.v for r in out.dataframe().collect()]

    run(compute)
    assert seen == {"before": [1], "after": [2]}


@pytest.mark.nightly
def test_nested_columns_become_nullable_too(store, run, spark, rows):
    inner = T.StructType([T.StructField("x", T.LongType(), False)])
    schema = T.StructType([T.StructField("s", inner, False), T.StructField("a", T.ArrayType(inner, False), False)])
    run(transform(out=Output("/n"))(lambda out: out.write_dataframe(spark.createDataFrame([((1,), [(2,)])], schema))))
    stored = store.get_dataframe("/n", spark).schema
    assert stored["s"].nullable
    assert stored["a"].dataType.containsNull
    assert stored["s"].dataType["x"].nullable


def test_compute_runs_by_hand_with_runtime_objects(spark):
    """As test code of the older generation does, with mocks for inputs and outputs."""
    source, out = MagicMock(), MagicMock()
    source.dataframe.return_value = spark.range(2)
    frames = transform_df(Output("/o"), x=Input("/i"))(lambda x, ctx: x.where("id > 0"))
    assert frames.compute(ctx="ctx", x=source, output=out) == {"output": out}
    assert out.write_dataframe.call_args[0][0].columns == ["id"]
    objects = transform(x=Input("/i"), out=Output("/o"))(lambda x, out: out.write_dataframe(x))
    assert objects.compute(x=1, out=out) == {"out": out}
    with pytest.raises(BindingError, match="x"):
        objects.compute(out=out)
    with pytest.raises(BindingError, match="other"):
        frames.compute(x=source, output=out, other=1)
