"""Builds on real datasets: what runs, what is skipped and why, what a failure leaves behind."""

from __future__ import annotations

import pytest

from mirror.builds import check_history, latest_of, plan, publish
from mirror.builds.errors import (
    UnknownTargetError,
    UnknownTransformError,
    WaitingTargetError,
)
from mirror.builds.preview import preview
from mirror.datasets import TransactionStatus
from mirror.datasets.verify import verify
from mirror.report.catalog import check_lines

CHAIN = """
from pyspark.sql import functions as F

@transform_df(Output("/a", checks=[Check(E.col("v").non_null(), "v is there"),
                                   Check(E.count().gt(100), "many", on_error="WARN")]), raw=Input("/raw"))
def a(raw):
    return raw.withColumn("w", raw.v * 10)

@transform_df(Output("/b"), a=Input("/a"))
def b(a):
    return a.filter("v > 1").agg(F.sum("w").alias("w"))

@transform_df(Output("/c"), x=Input("/nowhere"))
def c(x):
    return x

@transform_df(Output("/d"), c=Input("/c"))
def d(c):
    return c

@transform_df(Output("/e "), a=Input("/a"))
def e(a):
    return a
"""


@pytest.mark.nightly  # by day the command line goes the same way
def test_a_chain_from_first_build_to_new_data(repository) -> None:
    r = repository()
    r.put("/raw", {"v": [1, 2]})
    r.write("chain", CHAIN)
    first = r.build()
    assert r.outcome(first) == {
        "a": ("succeeded", "/a was never built on master"),
        "b": ("succeeded", "input /a will be rebuilt"),
        "c": ("waiting", "input /nowhere was never ingested"),
        "d": ("waiting", "input /c waits: input /nowhere was never ingested"),
        "e": (
            "waiting",
            "'/e ' cannot be the path of a dataset: "
            "it is empty, ends with '/', has blanks at its ends or contains '..'",
        ),
    }
    assert first.exit_code == 0
    made = r.result(first, "a")
    assert [(c.name, c.outcome, c.on_error) for c in made.checks] == [
        ("v is there", "PASS", "FAIL"), ("many", "FAIL", "WARN"),
    ]  # fmt: skip
    assert [(o.dataset, o.rows, o.written, o.type) for o in made.outputs] == [("/a", 2, 2, "SNAPSHOT")]
    assert r.rows("/b") == [(20,)]
    kept = check_history(r.workspace, "/a")
    assert {(k["name"], k["outcome"], k["transaction"]) for k in kept} == {
        ("many", "FAIL", made.outputs[0].transaction),
        ("v is there", "PASS", made.outputs[0].transaction),
    }

    again = r.build()
    assert r.outcome(again)["a"] == r.outcome(again)["b"] == ("skipped", "up to date")
    assert (again.rid, again.status) == (None, "up to date")

    r.put("/raw", {"v": [5]}, "APPEND")
    third = r.build()
    assert r.outcome(third)["a"] == ("succeeded", "input /raw has a new transaction")
    assert r.rows("/b") == [(70,)]

    forced = r.build("/b", force=True)
    assert r.outcome(forced) == {"a": ("succeeded", "forced"), "b": ("succeeded", "forced")}

    with pytest.raises(WaitingTargetError, match="'/d' cannot be built yet: input /c waits: input /nowhere"):
        r.build("/d")
    with pytest.raises(UnknownTargetError, match="Did you mean '/b'"):
        r.build("/bb")


@pytest.mark.nightly
def test_only_what_changed_logic_is_rebuilt(repository) -> None:
    """Vector 10."""
    r = repository()
    r.put("/raw", {"v": [1]})
    helper = r.folder / "helper.py"
    helper.write_text("FACTOR = 2\n")
    r.write(
        "one",
        f"""
    from {r.package}.helper import FACTOR

    @transform_df(Output("/one"), raw=Input("/raw"))
    def one(raw):
        return raw.selectExpr(f"v * {{FACTOR}} AS v")
    """,
    )
    r.write("two", '@transform_df(Output("/two"), raw=Input("/raw"))\ndef two(raw):\n    return raw\n')
    r.write("after", '@transform_df(Output("/after"), one=Input("/one"))\ndef after(one):\n    return one\n')
    r.build()
    helper.write_text('"""Says more now."""\nFACTOR = 2  # and here\n')
    assert r.build().status == "up to date"
    helper.write_text("FACTOR = 3\n")
    assert r.outcome(r.build()) == {
        "one": ("succeeded", "logic changed"),
        "after": ("succeeded", "input /one will be rebuilt"),
        "two": ("skipped", "up to date"),
    }
    assert r.rows("/after") == [(3,)]


FAILING = """
@transform_df(Output("/a"), raw=Input("/raw"))
def a(raw):
    return raw

@transform_df(Output("/b"), a=Input("/a"))
def b(a):
    raise ValueError("the sensor table is empty")

@transform_df(Output("/c"), b=Input("/b"))
def c(b):
    return b

@transform_df(Output("/deep"), c=Input("/c"))
def deep(c):
    return c

@transform_df(Output("/none"), raw=Input("/raw"))
def none(raw):
    raw.count()

@transform_df(Output("/pre"), raw=Input("/raw", checks=Check(E.count().gt(10), "enough rows")))
def pre(raw):
    raise AssertionError("must not be called")

@transform_df(Output("/post", checks=Check(E.primary_key("v"), "one row per v")), raw=Input("/raw"))
def post(raw):
    return raw.union(raw)

@transform(good=Output("/good"), quiet=Output("/quiet"), raw=Input("/raw"))
def good(raw, good, quiet):
    good.write_dataframe(raw.dataframe())
"""

# the same on a single node
FAILING_ALONE = """
import pandas as pd
from transforms.api import lightweight, transform_pandas
""" + (
    FAILING.replace("@transform_df(", "@lightweight()\n@transform_pandas(")
    .replace("raw.union(raw)", "pd.concat([raw, raw])")
    .replace("@transform(", "@transform.using(")
    .replace("good.write_dataframe(raw.dataframe())", "good.write_table(raw.pandas())")
)


@pytest.mark.parametrize(
    "code", [pytest.param(FAILING, marks=pytest.mark.nightly), FAILING_ALONE], ids=["spark", "alone"]
)
def test_a_failure_stops_only_what_depends_on_it(repository, code: str) -> None:
    r = repository()
    r.put("/raw", {"v": [1]})
    r.write("failing", code)
    report = r.build(jobs=2)
    assert r.outcome(report) == {
        "a": ("succeeded", "/a was never built on master"),
        "b": ("failed", "input /a will be rebuilt"),
        "c": ("not run", "upstream b failed"),
        "deep": ("not run", "upstream b failed"),
        "none": ("failed", "/none was never built on master"),
        "pre": ("aborted", "/pre was never built on master"),
        "post": ("aborted", "/post was never built on master"),
        "good": ("succeeded", "/good was never built on master"),
    }
    assert report.exit_code == 1
    failed = r.result(report, "b")
    assert "transform 'b' (makes /b) failed at" in failed.error
    assert "failing.py:" in failed.error
    assert "ValueError: the sensor table is empty" in failed.error
    assert "'none'" in r.result(report, "none").error
    assert "DataFrame" in r.result(report, "none").error
    assert "check 'enough rows' on '/raw': row_count is 1, expected > 10" in r.result(report, "pre").error
    post = r.result(report, "post")
    assert "check 'one row per v' on '/post'" in post.error
    assert post.checks[0].document["offending"]
    # A transform that wrote nothing leaves an empty transaction, and is told so.
    assert r.result(report, "good").warnings == ("/quiet: nothing was written; the transaction is empty",)
    store = r.workspace.store
    for path in ("/b", "/none", "/pre", "/post"):
        dataset = store.dataset(path)
        assert [x.status for x in store.history(dataset)] == [TransactionStatus.ABORTED], path
        assert not store.storage.directory(dataset.rid, store.history(dataset)[0].rid).exists()
    verdicts = {(k["name"], k["outcome"], k["transaction"] is None) for k in check_history(r.workspace)}
    assert verdicts == {("enough rows", "FAIL", False), ("one row per v", "FAIL", True)}
    # The next build tries again what is missing, and nothing else.
    again = {name: status for name, (status, _) in r.outcome(r.build()).items()}
    assert again == {name: status for name, (status, _) in r.outcome(report).items()} | {
        "a": "skipped",
        "good": "skipped",
    }


def test_a_build_in_which_everything_waits_is_no_success(repository) -> None:
    r = repository()
    r.write("late", '@transform_df(Output("/b"), a=Input("/a"))\ndef b(a):\n    return a\n')
    report = r.build()
    assert (report.status, int(report.exit_code)) == ("waiting", 0)


def test_verdicts_of_removed_checks_are_history(repository) -> None:
    code = """
    from transforms.api import Check, Input, Output, transform
    from transforms import expectations as E

    @transform.using(out=Output("/out"), raw=Input("/raw", checks={checks}))
    def copy(out, raw):
        out.write_table(raw.pandas())
    """
    r = repository()
    r.put("/raw", {"v": [1]})
    both = 'Check(E.col("v").exists(), "there"), Check(E.col("w").exists(), "missing", on_error="WARN")'
    standing = []
    for checks in (f"[{both}]", '[Check(E.col("v").exists(), "there")]', "[]"):
        r.write("copying", code.format(checks=checks))
        assert r.build().status == "succeeded"
        standing.append([entry["name"] for entry in latest_of(check_history(r.workspace))])
    assert standing == [["missing", "there"], ["there"], []]
    assert len(check_history(r.workspace)) == 3


def test_verdicts_of_a_replaced_transform_are_history(repository) -> None:
    code = """
    from transforms.api import Check, Input, Output, transform
    from transforms import expectations as E

    @transform.using(out=Output("/out", checks=Check(E.col("v").exists(), "{check}")), raw=Input("/raw"))
    def {name}(out, raw):
        out.write_table(raw.pandas())
    """
    r = repository()
    r.put("/raw", {"v": [1]})
    for name, check in (("copy", "there"), ("again", "present")):
        r.write("copying", code.format(name=name, check=check))
        assert r.build().status == "succeeded"
    assert [entry["name"] for entry in latest_of(check_history(r.workspace))] == ["present"]
    assert [line.name for line in check_lines(r.workspace, "master")] == ["present"]


@pytest.mark.nightly
def test_branches_read_through_and_write_their_own(repository) -> None:
    r = repository()
    r.put("/A", {"v": [1]})
    r.write(
        "jobs",
        """
    @transform_df(Output("/B"), a=Input("/A"))
    def b(a):
        return a.selectExpr("v + 1 AS v")

    @transform_df(Output("/C"), b=Input("/B"), pinned=Input("/A", branch="master"))
    def c(b, pinned):
        return b.union(pinned)
    """,
    )
    r.build()
    before = {path: r.workspace.store.view(r.workspace.store.dataset(path)).end_rid for path in ("/A", "/B", "/C")}
    report = r.build(branch="feature", fallbacks=("master",))
    assert r.outcome(report)["b"] == ("succeeded", "/B was never built on feature")
    store = r.workspace.store
    names = {path: [b.name for b in store.branches(store.dataset(path))] for path in ("/A", "/B", "/C")}
    assert names == {"/A": ["master"], "/B": ["master", "feature"], "/C": ["master", "feature"]}
    assert {path: store.view(store.dataset(path)).end_rid for path in before} == before
    assert r.rows("/C", "feature") == [(1,), (2,)]
    assert r.build(branch="feature", fallbacks=("master",)).status == "up to date"
    # A branch made on purpose inherits its parent's data and the record of how they were made.
    for path in ("/B", "/C"):
        store.create_branch(store.dataset(path), "copy", parent="master")
    assert r.build(branch="copy", fallbacks=("master",)).status == "up to date"


@pytest.mark.nightly
def test_abort_job_and_partial_abort(repository) -> None:
    """Vector 11."""
    r = repository()
    r.put("/raw", {"v": [1]})
    r.write(
        "jobs",
        """
    @transform(out=Output("/out"), raw=Input("/raw"))
    def stops(ctx, raw, out):
        if raw.dataframe().count() > 1:
            out.write_dataframe(raw.dataframe())
            ctx.abort_job()
        out.write_dataframe(raw.dataframe())

    @transform_df(Output("/after"), out=Input("/out"))
    def after(out):
        return out

    @transform(one=Output("/one"), two=Output("/two"), raw=Input("/raw"))
    def half(raw, one, two):
        one.write_dataframe(raw.dataframe())
        two.write_dataframe(raw.dataframe())
        two.abort()
    """,
    )
    first = r.build()
    assert r.outcome(first)["stops"][0] == "succeeded"
    assert [(o.dataset, o.transaction is None) for o in r.result(first, "half").outputs] == [
        ("/one", False),
        ("/two", True),
    ]
    # An output that was aborted was never built: it is tried again.
    assert r.outcome(r.build())["half"] == ("succeeded", "/two was never built on master")
    r.put("/raw", {"v": [2]}, "APPEND")
    second = r.build("/after")
    assert r.outcome(second) == {
        "stops": ("nothing committed", "input /raw has a new transaction"),
        "after": ("skipped", "up to date: nothing upstream was committed"),
    }
    assert second.exit_code == 0
    assert r.rows("/out") == [(1,)]


@pytest.mark.nightly
def test_failure_strategy_continue_uses_the_last_version(repository) -> None:
    r = repository()
    r.put("/raw", {"v": [1]})
    code = """
    @transform_df(Output("/a"), raw=Input("/raw"))
    def a(raw):
        {body}

    @transform_df(Output("/b"), a=Input("/a", failure_strategy="continue"))
    def b(a):
        return a
    """
    r.write("jobs", code.format(body="return raw"))
    r.build()
    # Leaving the interpreter is a failure of the job, not the end of the build.
    r.write("jobs", code.format(body="raise SystemExit(3)"))
    assert {n: s for n, (s, _) in r.outcome(r.build()).items()} == {"a": "failed", "b": "succeeded"}


@pytest.mark.nightly
def test_preview_shows_and_stores_nothing(repository) -> None:
    r = repository()
    r.put("/raw", {"v": list(range(50))})
    r.write(
        "jobs",
        """
    @incremental(require_incremental=True)
    @transform(
        out=Output("/out", checks=[
            Check(E.primary_key("v"), "key"), Check(E.count().equals(E.dataset_ref("raw").count()), "rows"),
        ]),
        raw=Input("/raw", checks=Check(E.count().gt(10), "enough")),
    )
    def clean(ctx, raw, out):
        assert not ctx.is_incremental
        out.write_dataframe(raw.dataframe().selectExpr("v * 2 AS v"))
    """,
    )
    pipeline = publish(r.workspace, "master")
    found = preview(r.workspace, pipeline, "clean", branch="master", rows=3, sample=10, spark=lambda: r.spark)
    assert [(o.dataset, o.columns, len(o.rows)) for o in found.outputs] == [("/out", {"v": "bigint"}, 3)]
    assert {row["v"] for row in found.outputs[0].rows} <= set(range(0, 100, 2))
    # judged on the ten rows that were read, of fifty
    assert {(c.side, c.dataset, c.name, c.outcome) for c in found.checks} == {
        ("input", "/raw", "enough", "FAIL"), ("output", "/out", "key", "PASS"), ("output", "/out", "rows", "PASS"),
    }  # fmt: skip
    assert [d.path for d in r.workspace.store.datasets()] == ["/raw"]
    with pytest.raises(UnknownTransformError, match="Did you mean 'clean'"):
        preview(r.workspace, pipeline, "cleen", branch="master", spark=lambda: r.spark)


def test_a_plan_can_be_looked_at_without_running(repository) -> None:
    r = repository()
    r.put("/raw", {"v": [1]})
    r.write("chain", CHAIN)
    decided = plan(r.workspace, publish(r.workspace, "master"), ["/b"])
    assert [(j.spec.name, j.decision.value) for j in decided.jobs] == [("a", "run"), ("b", "run")]
    assert decided.to_json()["jobs"][0]["inputs"]["/raw"]["branch"] == "master"
    assert r.workspace.store.find("/a") is None


@pytest.mark.nightly
def test_a_damaged_view_fails_its_readers_and_heals(repository) -> None:
    r = repository()
    r.put("/raw", {"v": [1, 2]})
    r.write("jobs", '@transform_df(Output("/out"), raw=Input("/raw"))\ndef out(raw):\n    return raw\n')
    view = r.workspace.store.view(r.workspace.store.dataset("/raw"))
    stored = r.workspace.config.data_root / view.files[0].location
    whole = stored.read_bytes()
    for damage in (b"no parquet at all", None):
        stored.unlink() if damage is None else stored.write_bytes(damage)
        failed = r.result(r.build(), "out")
        assert failed.status.value == "failed"
        assert "`mirror verify` names damaged files" in failed.error
        assert len(failed.error) < 800
        assert [d.path for d in verify(r.workspace.store)] == [view.files[0].path]
    stored.write_bytes(whole)
    assert verify(r.workspace.store) == ()
    assert r.result(r.build(), "out").status.value == "succeeded"
    assert r.rows("/out") == [(1,), (2,)]
