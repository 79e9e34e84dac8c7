"""What a workspace's own file adds to a build: outputs that are never up to date, columns nobody may see."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mirror.builds import check_history
from mirror.builds import errors as e
from mirror.checks.sensitivity import sensitive_columns
from mirror.datasets import Workspace
from mirror.datasets.errors import WorkspaceConfigError
from mirror.datasets.records import StoredSchema

CHAIN = """
from transforms.api import Input, Output, transform

CALLS = []

@transform.using(out=Output("/quiet"))
def quiet(ctx, out):
    CALLS.append("quiet")
    if len(CALLS) > 2:
        ctx.abort_job()
    with out.filesystem().open("x", "w") as stream:
        stream.write("x")

@transform.using(out=Output("/asked"), before=Input("/quiet"))
def asked(out, before):
    with out.filesystem().open("x", "w") as stream:
        stream.write("x")

@transform.using(out=Output("/after"), before=Input("/asked"))
def after(out, before):
    with out.filesystem().open("x", "w") as stream:
        stream.write("x")
"""


@pytest.mark.nightly
def test_what_is_always_stale_runs_in_every_build_that_reaches_it(repository) -> None:
    r = repository()
    r.write("chain", CHAIN)
    assert r.build().status == "succeeded"
    r.workspace.config = replace(r.workspace.config, always_stale=("/asked",))
    assert r.outcome(r.build()) == {
        "quiet": ("skipped", "up to date"),
        "asked": ("succeeded", "always stale, as the workspace says"),
        "after": ("succeeded", "input /asked will be rebuilt"),
    }
    # Also when what it waited for commits nothing.
    r.write("chain", CHAIN + "\nTAG = 2\n")
    r.workspace.config = replace(r.workspace.config, always_stale=("/asked", "/quiet"))
    r.build()
    assert r.outcome(r.build("/quiet"))["quiet"][0] == "succeeded"
    quiet = r.build("/asked")
    assert [status for status, _ in r.outcome(quiet).values()] == ["nothing committed", "succeeded"]
    r.workspace.config = replace(r.workspace.config, always_stale=("/askd",))
    with pytest.raises(e.UnknownTargetError, match="Did you mean '/asked'"):
        r.build()


def test_the_file_is_read_and_refused_by_name(tmp_path) -> None:
    Workspace.create(tmp_path / "w").close()
    file = tmp_path / "w" / "config.toml"
    text = file.read_text()
    said = text.replace("always_stale = []", 'always_stale = ["/a"]').replace(
        "[sensitive]", '[sensitive]\n"/b" = ["c"]'
    )
    file.write_text(said)
    with Workspace.open(tmp_path / "w") as workspace:
        assert workspace.config.always_stale == ("/a",)
        assert workspace.config.sensitive == {"/b": frozenset({"c"})}
    for bad, told in (
        (text.replace("always_stale = []", 'always_stale = "/a"'), r"\[builds\] always_stale lists dataset paths"),
        (
            text.replace("[sensitive]", '[sensitive]\n"/b" = "c"'),
            r"\[sensitive\] maps dataset paths to lists of columns",
        ),
    ):
        file.write_text(bad)
        with pytest.raises(WorkspaceConfigError, match=told):
            Workspace.open(tmp_path / "w")


def test_columns_are_sensitive_by_type_class_or_by_name() -> None:
    classes = {"a": [{"kind": "privacy", "name": "Sensitive"}], "b": [{"kind": "sensitive", "name": "x"}], "c": [{}]}
    schema = StoredSchema("parquet", (), column_typeclasses=classes)
    assert sensitive_columns(schema, ["d"]) == {"a", "b", "d"}
    assert sensitive_columns(None) == frozenset()


@pytest.mark.nightly
def test_sensitive_values_stay_out_of_results(repository) -> None:
    r = repository()
    r.put("/raw", {"id": [1, 2], "name": ["Ann", "Bob"], "mail": ["a@x", "b@x"], "n": [1, -1]})
    r.write(
        "masked",
        """
    @transform_df(Output("/out", checks=[Check(E.col("n").gt(0), "n", on_error="WARN"),
                                         Check(E.col("name").is_in("Ann"), "names", on_error="WARN")]),
                  raw=Input("/raw"))
    def masked(raw):
        return raw
    """,
    )
    r.workspace.config = replace(r.workspace.config, sensitive={"/out": frozenset({"name", "mail"})})
    assert r.build().status == "succeeded"
    offending = [entry["result"]["offending"] for entry in check_history(r.workspace)]
    assert [row for rows in offending for row in rows] != []
    text = str(check_history(r.workspace))
    assert "Bob" not in text
    assert "b@x" not in text
