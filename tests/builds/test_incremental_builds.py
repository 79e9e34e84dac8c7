"""Incremental runs over real transactions: what is read, what is added, when it starts over."""

from __future__ import annotations

import pytest

from mirror.datasets import TransactionType
from mirror.datasets.ingest import ingest

JOBS = """
from pyspark.sql import functions as F

@incremental({settings})
@transform(out=Output("/out", checks=Check(E.primary_key("v"), "whole output")), raw=Input("/raw"), ref=Input("/ref"))
def copy(ctx, raw, ref, out):
    out.write_dataframe(raw.dataframe().withColumn("run", F.lit(ref.dataframe("current").count())))

@incremental(semantic_version={version})
@transform_df(Output("/sum"), out=Input("/out"))
def total(out):
    return out.agg(F.sum("v").alias("v"))
"""


@pytest.mark.nightly
def test_additions_are_added_and_rewrites_start_over(repository) -> None:
    r = repository()
    r.put("/raw", {"v": [1]})
    r.put("/ref", {"x": [0]})
    r.write("jobs", JOBS.format(settings='snapshot_inputs=["ref"]', version=1))
    modes = {job.spec.name: job.mode for job in r.build().jobs}
    assert modes == {"copy": "snapshot: first build", "total": "snapshot: first build"}

    r.put("/raw", {"v": [2]}, "APPEND")
    r.put("/ref", {"x": [0, 0]})
    report = r.build()
    assert r.result(report, "copy").mode == "incremental: only additions since the last run"
    assert [(o.type, o.rows, o.written) for o in r.result(report, "copy").outputs] == [("UPDATE", 2, 1)]
    assert r.rows("/out") == [(1, 1), (2, 2)]
    assert r.rows("/sum") == [(1,), (2,)]

    # A check sees the whole output, not only what was added: v=2 twice is refused, and nothing is lost.
    r.put("/raw", {"v": [2]}, "APPEND")
    refused = r.build("/out")
    assert refused.jobs[0].status.value == "aborted"
    assert r.rows("/out") == [(1, 1), (2, 2)]

    # The same input is read again after an aborted run; a SNAPSHOT upstream starts over.
    r.put("/raw", {"v": [7]})
    again = r.build()
    assert r.result(again, "copy").mode == "snapshot: input /raw was replaced by a SNAPSHOT"
    assert r.result(again, "total").mode == "snapshot: input /out was replaced by a SNAPSHOT"
    assert r.rows("/sum") == [(7,)]

    r.write("jobs", JOBS.format(settings='snapshot_inputs=["ref"]', version=2))
    third = r.build()
    assert r.result(third, "total").mode == "snapshot: semantic version 2 instead of 1"
    assert r.result(third, "copy").mode == "incremental: only additions since the last run"


def test_required_and_strict(repository, tmp_path) -> None:
    r = repository()
    r.write(
        "jobs",
        """
    @incremental(require_incremental=True, strict_append=True)
    @transform(out=Output("/out"), files=Input("/files"))
    def names(files, out):
        for status in files.filesystem().ls():
            with out.filesystem().open(status.path, "w") as stream:
                stream.write(status.path)
    """,
    )
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)

    def take(name: str, kind: TransactionType) -> None:
        ingest(r.workspace, "/files", [str(tmp_path / name)], branch="master", kind=kind)

    take("a", TransactionType.SNAPSHOT)
    assert r.result(r.build(), "names").mode == "snapshot: first build"
    # An UPDATE that only adds a file does not break it.
    take("b", TransactionType.UPDATE)
    added = r.result(r.build(), "names")
    assert [(o.type) for o in added.outputs] == ["APPEND"]
    (tmp_path / "a").write_text("changed")
    take("a", TransactionType.UPDATE)
    refused = r.build()
    assert refused.exit_code == 1
    error = refused.jobs[0].error
    assert "must run incrementally and cannot: files of input /files were changed (UPDATE" in error
    assert "semantic_version" in error
    view = r.workspace.store.view(r.workspace.store.dataset("/out"))
    assert [f.path for f in view.files] == ["a", "b"]


@pytest.mark.nightly
def test_transaction_limit_takes_batches(repository) -> None:
    r = repository()
    r.put("/raw", {"v": [1]})
    for v in (2, 3, 4):
        r.put("/raw", {"v": [v]}, "APPEND")
    r.write(
        "jobs",
        """
    from pyspark.sql import functions as F

    @incremental(v2_semantics=True)
    @transform(out=Output("/out"), raw=Input("/raw", transaction_limit=2))
    def batches(raw, out):
        current = raw.dataframe("current").count()
        out.write_dataframe(raw.dataframe().withColumn("current", F.lit(current)))
    """,
    )
    for expected in ([(1, 2), (2, 2)], [(1, 2), (2, 2), (3, 4), (4, 4)]):
        assert r.build().status == "succeeded"
        assert r.rows("/out") == expected
    assert r.build().status == "up to date"
    r.put("/raw", {"v": [5]}, "UPDATE")
    refused = r.build()
    assert "its view holds a UPDATE" in refused.jobs[0].error


@pytest.mark.nightly
def test_a_new_branch_goes_on_where_its_parent_stands(repository) -> None:
    r = repository()
    r.put("/raw", {"v": [1]})
    r.write(
        "jobs",
        """
    @incremental()
    @transform_df(Output("/out"), raw=Input("/raw"))
    def copy(raw):
        return raw
    """,
    )
    r.build()
    r.put("/raw", {"v": [2]}, "APPEND")
    report = r.build(branch="feature", fallbacks=("master",))
    assert r.result(report, "copy").mode == "incremental: only additions since the last run"
    assert (r.rows("/out", "feature"), r.rows("/out")) == ([(1,), (2,)], [(1,)])
