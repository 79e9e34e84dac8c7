"""Fact sheet section 9: what an incremental transform reads and writes; when it is one is for tests/builds."""

from __future__ import annotations

import pytest
from pyspark.sql import functions as F
from pyspark.sql import types as T

from transforms.api import (
    IncrementalLightweightOutput,
    IncrementalTransformContext,
    IncrementalTransformOutput,
    Input,
    JobEnvironment,
    Output,
    execute,
    incremental,
    transform,
    transform_df,
)
from transforms.api._incremental_runtime import compare_schemas
from transforms.errors import (
    PreviousWithoutSchemaError,
    ReadModeError,
    ReadOnlyError,
    RequireIncrementalError,
    SchemaMismatchError,
    TransformTypeError,
    TransformValueError,
    WriteModeError,
)
from transforms.mediasets import MediaSetInput
from transforms.tables import TableInput
from transforms.verbs.dataframes import union_many
from transforms.verbs.testing._memory_ports import MemoryWritePort


def _values(frames: dict) -> dict[str, list]:
    """The values of column ``v`` of many frames, in one Spark job."""
    tagged = [df.select("v", F.lit(case).alias("case")) for case, df in frames.items()]
    found: dict[str, list] = {case: [] for case in frames}
    for row in union_many(*tagged).collect():
        found[row["case"]].append(row.v)
    return {case: sorted(values) for case, values in found.items()}


def test_read_and_write_modes_over_three_runs(store, run, frame, rows):
    """Sections 9.3 to 9.5 in one transform: a first run, an incremental one, and one after its input was rewritten."""
    seen = []
    store.store_dataframe("/in", frame(v=[1]))
    store.store_dataframe("/whole", frame(v=[10]))
    schema = T.StructType([T.StructField("v", T.LongType())])

    @incremental(snapshot_inputs=["whole"])
    @transform(source=Input("/in"), whole=Input("/whole"), out=Output("/out"))
    def compute(source, out, ctx, whole):
        modes = ("added", "previous", "current")
        frames = {f"in {m}": source.dataframe(m) for m in modes} | {f"whole {m}": whole.dataframe(m) for m in modes}
        frames["out before"] = out.dataframe("previous", schema)
        out.write_dataframe(source.dataframe())
        frames |= {f"out {m}": out.dataframe(schema=schema, mode=m) for m in modes}
        found = {"incremental": ctx.is_incremental, **_values(frames)}
        found["default"] = source.dataframe() is source.dataframe("added")
        found["previous_columns"] = source.dataframe("previous").columns
        seen.append(found)

    run(compute)
    store.store_dataframe("/in", frame(v=[2]), append=True)
    store.store_dataframe("/whole", frame(v=[20]))
    run(compute)
    store.store_dataframe("/in", frame(v=[3]))
    run(compute)
    first, second, third = seen
    assert first == {
        "incremental": False,
        "in added": [1],
        "in previous": [],
        "in current": [1],
        "whole added": [10],
        "whole previous": [],
        "whole current": [10],
        "out before": [],
        "out previous": [],
        "out current": [1],
        "out added": [1],
        "default": True,
        "previous_columns": ["v"],
    }
    assert second == {
        "incremental": True,
        "in added": [2],
        "in previous": [1],
        "in current": [1, 2],
        "whole added": [20],
        "whole previous": [],
        "whole current": [20],
        "out before": [1],
        "out previous": [1],
        "out current": [1, 2],
        "out added": [2],
        "default": True,
        "previous_columns": ["v"],
    }
    assert third["incremental"] is False
    assert [third[f"in {m}"] for m in ("added", "previous", "current")] == [[3], [], [3]]
    assert rows("/out") == [(3,)]


@pytest.mark.nightly
def test_documented_patterns_of_merging(store, run, frame, rows):
    """Merge and append, and merge and replace, in one transform with two outputs."""
    store.store_dataframe("/in", frame(k=["a", "a"], v=[1, 1]))

    @incremental()
    @transform(source=Input("/in"), distinct=Output("/distinct"), total=Output("/total"))
    def compute(source, distinct, total):
        new = source.dataframe().select("k", "v").distinct()
        distinct.write_dataframe(new.subtract(distinct.dataframe("previous", schema=new.schema)))
        sums = source.dataframe().groupBy("k").agg(F.sum("v").alias("v"))
        merged = sums.unionByName(total.dataframe("previous", sums.schema)).groupBy("k").agg(F.sum("v").alias("v"))
        total.set_mode("replace")
        total.write_dataframe(merged.select(sums.schema.fieldNames()))

    run(compute)
    store.store_dataframe("/in", frame(k=["a", "b"], v=[1, 5]), append=True)
    run(compute)
    assert rows("/distinct") == [("a", 1), ("b", 5)]
    assert rows("/total") == [("a", 3), ("b", 5)]


@pytest.mark.nightly
def test_a_state_file_is_read_and_overwritten_within_one_transaction(store, run, frame, spark, rows):
    counts = []

    @incremental()
    @transform(out=Output("/out"))
    def compute(out):
        fs = out.filesystem()
        known = {s.path for s in fs.ls(show_hidden=True)}
        count = int(fs.open("_state.json").read()) + 1 if "_state.json" in known else 0
        counts.append(count)
        out.write_dataframe(frame(v=[count]))
        with fs.open("_state.json", "w") as state:
            state.write(str(count))

    for _ in range(3):
        run(compute)
    assert counts == [0, 1, 2]
    assert rows("/out") == [(0,), (1,), (2,)]
    assert store.get_files("/out")["_state.json"] == b"2"


@pytest.mark.nightly
def test_a_file_increment_lists_only_new_files_and_an_abort_keeps_them_new(store, run, spark):
    seen = []
    store.store_files("/raw", {"a.csv": "1"})

    @incremental()
    @transform(raw=Input("/raw"), out=Output("/out"))
    def compute(ctx, raw, out):
        seen.append([s.path for s in raw.filesystem().ls()])
        if len(seen) == 2:
            ctx.abort_job()
        out.write_dataframe(spark.read.text([f"{raw.filesystem().hadoop_path}/{p}" for p in seen[-1]]))

    run(compute)
    store.store_files("/raw", {"b.csv": "2"}, append=True)
    run(compute)
    run(compute)
    assert seen == [["a.csv"], ["b.csv"], ["b.csv"]]
    assert sorted(r.value for r in store.get_dataframe("/out", spark).collect()) == ["1", "2"]


def test_frame_functions_use_the_default_modes(store, run, frame, rows):
    store.store_dataframe("/in", frame(v=[1]))
    made = incremental()(transform_df(Output("/out"), x=Input("/in"))(lambda x: x.withColumn("n", F.lit(1))))
    run(made)
    store.store_dataframe("/in", frame(v=[2]), append=True)
    run(made)
    assert rows("/out") == [(1, 1), (2, 1)]


def test_a_semantic_version_resets_and_require_incremental_refuses(store, run, frame):
    seen = []
    store.store_dataframe("/in", frame(v=[1]))

    def made(**settings):
        base = transform(x=Input("/in"), out=Output("/out"))(lambda ctx, x, out: seen.append(ctx.is_incremental))
        return incremental(**settings)(base)

    for settings in ({}, {}, {"semantic_version": 2}, {"semantic_version": 2}):
        run(made(**settings))
    assert seen == [False, True, False, True]
    store.store_dataframe("/in", frame(v=[3]))
    with pytest.raises(RequireIncrementalError, match="input '/in' was rewritten"):
        run(made(semantic_version=2, require_incremental=True))


BAD_USES = {
    "no_schema": (lambda x, o: o.dataframe("previous"), PreviousWithoutSchemaError, "needs the schema"),
    "schema": (
        lambda x, o: o.dataframe("previous", {"v": "long"}),
        TransformTypeError,
        "is a StructType",
    ),
    "mode": (lambda x, o: x.dataframe("adde"), ReadModeError, "Did you mean 'added'"),
    "removed": (lambda x, o: x.dataframe("removed"), ReadModeError, "Known: current, previous, added"),
    "fs_mode": (lambda x, o: o.filesystem("new"), ReadModeError, "'/out' cannot be read"),
    "write_previous": (lambda x, o: o.filesystem("previous").open("f", "w"), ReadOnlyError, "read-only"),
}


@pytest.mark.parametrize("case", BAD_USES)
def test_wrong_reads_are_named(case, store, run, frame):
    act, error, says = BAD_USES[case]
    store.store_dataframe("/in", frame(v=[1]))
    with pytest.raises(error) as caught:
        run(incremental()(transform(x=Input("/in"), out=Output("/out"))(lambda x, out: act(x, out))))
    assert says in str(caught.value)
    assert "/out" not in store


def _schema(*fields) -> T.StructType:
    return T.StructType([T.StructField(name, kind, nullable) for name, kind, nullable in fields])


STORED = _schema(("a", T.LongType(), True), ("b", T.StringType(), True))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (_schema(("a", T.LongType(), False), ("b", T.StringType(), True)), "column 'a' is nullable"),
        (_schema(("a", T.IntegerType(), True), ("b", T.StringType(), True)), "column 'a' is bigint, not int"),
        (_schema(("b", T.StringType(), True), ("a", T.LongType(), True)), "another order (b, a instead of a, b)"),
        (_schema(("a", T.LongType(), True)), "missing: b; not stored: none"),
    ],
)
def test_a_schema_for_the_previous_output_must_be_the_stored_one(given, says):
    with pytest.raises(SchemaMismatchError) as caught:
        compare_schemas("/out", given, STORED)
    assert says in str(caught.value)
    assert "'/out'" in str(caught.value)
    compare_schemas("/out", STORED, STORED)


def test_the_context_says_whether_and_what():
    ctx = IncrementalTransformContext(True, ["x"], parameters={"p": 1})
    assert (ctx.is_incremental, ctx.snapshot_inputs, ctx.parameters) == (True, ("x",), {"p": 1})


@pytest.mark.parametrize("made", [IncrementalTransformOutput, IncrementalLightweightOutput])
def test_strict_append_appends_also_when_told_to_modify(made):
    """Section 9.1; on a run that starts over it holds for nothing (C16)."""
    found = {}
    for incremental_run in (True, False):
        for strict in (True, False):
            port = MemoryWritePort("/out", (), incremental=incremental_run)
            output = made(port, is_incremental=incremental_run, strict_append=strict)
            output.set_mode("modify")
            found[incremental_run, strict] = port.mode
    assert found == {(True, True): "append", (True, False): "modify", (False, True): "modify", (False, False): "modify"}
    with pytest.raises(WriteModeError, match="Did you mean 'modify'"):
        output.set_mode("modfy")


V2 = incremental(v2_semantics=True)
LIMITED = {"x": Input("/in", transaction_limit=3), "out": Output("/out")}
MEDIA = {"x": MediaSetInput("/media"), "out": Output("/out")}
TABLE = {"x": TableInput("/table"), "out": Output("/out")}


@pytest.mark.parametrize(
    ("declared", "settings", "says"),
    [
        (LIMITED, None, "input 'x' of transform 'compute' has a transaction_limit, which needs @incremental(v2"),
        (LIMITED, incremental(), "has a transaction_limit, which needs @incremental(v2_semantics=True)"),
        (LIMITED, incremental(v2_semantics=True, snapshot_inputs=["x"]), "is a snapshot input, which is always read"),
        (LIMITED, V2, None),
        (MEDIA, incremental(), "media sets in an incremental transform need @incremental(v2_semantics=True)"),
        (MEDIA, V2, None),
        (MEDIA, None, None),
        (TABLE, incremental(), "'x' of transform 'compute': tables in an incremental transform need"),
        (TABLE, V2, None),
    ],
)
def test_what_needs_the_second_semantics(declared, settings, says):
    """Sections 9.1 and 9.9: decorators stack in any order, so the finished transform is asked, and before it runs."""

    def compute(x, out):
        raise AssertionError("it must not run")

    made = transform(**declared)(compute)
    made = made if settings is None else settings(made)
    problem = made.incremental_problem()
    if says is None:
        assert problem is None
        return
    assert says in str(problem)
    assert f"{__file__}:" in str(problem)
    with pytest.raises(TransformValueError, match="of transform 'compute'"):
        execute(made, JobEnvironment(), {})
