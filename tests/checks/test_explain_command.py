"""``mirror checks --explain`` and what builds keep, on a built pipeline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from mirror.checks.known_footers import form_of, from_json
from mirror.checks.state_tables import CatalogStates
from mirror.checks.states import identity
from mirror.checks.stored import stored_subject
from mirror.cli import run
from mirror.datasets import Workspace

JOBS = """\
from transforms import expectations as E
from transforms.api import Check, Input, Output, transform_df

@transform_df(
    Output("/t/clean", checks=[
        Check(E.primary_key("id"), "key"),
        Check(E.col("text").rlike("^d"), "pattern"),
        Check(E.count().equals(E.dataset_ref("raw").count()), "as many"),
        Check(E.col("id").is_in_foreign_col(E.dataset_ref("raw").col("id")), "all known"),
        Check(E.group_by("text").count().lt(9), "few", "WARN"),
    ]),
    raw=Input("/t/raw", checks=Check(E.col("id").gte(0), "positive", "WARN")),
)
def clean(raw):
    return raw

@transform_df(Output("/t/unchecked"), raw=Input("/t/raw"))
def unchecked(raw):
    return raw
"""


@pytest.fixture(scope="module")
def workspace(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    tmp_path = tmp_path_factory.mktemp("explained")
    source = tmp_path / "transforms-python" / "src"
    package = source / "guest_explained"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "jobs.py").write_text(JOBS)
    pipeline = "from transforms.api import Pipeline\nfrom guest_explained import jobs\n"
    (package / "pipeline.py").write_text(pipeline + "p = Pipeline()\np.discover_transforms(jobs)\n")
    entry = "root = guest_explained.pipeline:p"
    setup = f"from setuptools import setup\nsetup(name='g', entry_points={{'transforms.pipelines': ['{entry}']}})\n"
    (source / "setup.py").write_text(setup)
    path = tmp_path / ".mirror"
    Workspace.create(path, repository=tmp_path).close()
    pd.DataFrame({"id": [1, 2], "text": ["d1", "d2"]}).to_parquet(tmp_path / "raw.parquet")
    assert run(["--workspace", str(path), "ingest", "/t/raw", str(tmp_path / "raw.parquet")]) == 0
    assert run(["--workspace", str(path), "build"]) == 0
    return path


@pytest.mark.nightly
def test_explains_what_is_kept_and_what_would_be_read(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["--workspace", str(workspace), "--json", "checks"]) == 0
    recorded = json.loads(capsys.readouterr().out)["checks"]
    assert [(c["dataset"], c["side"], c["name"], c["outcome"]) for c in recorded] == [
        ("/t/clean", "output", "all known", "PASS"),
        ("/t/clean", "output", "as many", "PASS"),
        ("/t/clean", "output", "few", "PASS"),
        ("/t/clean", "output", "key", "PASS"),
        ("/t/clean", "output", "pattern", "PASS"),
        ("/t/raw", "input", "positive", "PASS"),
    ]
    assert run(["--workspace", str(workspace), "--json", "checks", "--explain"]) == 0
    plans = {p["dataset"]: p["reads"] for p in json.loads(capsys.readouterr().out)["plans"]}
    assert plans["/t/clean"] == [
        "from states kept of all files",
        "  null_count(id)",
        "  row_count",
        "  violations(E.col('text').rlike('^d'))",
        "groups by (text): 1 files not seen before, merged with the groups kept of earlier ones",
        "  group_violations(E.group_by('text').count().lt(9))",
        "groups by (id): 64-bit hashes from the files, sorted in memory up to 32,000,000 rows; beyond, or where a hash"
        " repeats, the keys are grouped",
        "  duplicate_keys(id)",
        "against raw: reference_row_count(raw)",
        "against raw: values_without_counterpart(raw, id, id), values of 0 files not yet compared with what raw holds",
    ]
    assert plans["/t/raw"][0] == "from states kept of all files"
    assert run(["--workspace", str(workspace), "checks", "clean", "--explain"]) == 0
    out = capsys.readouterr().out
    assert "/t/clean as output of clean" in out
    assert "/t/raw as input" not in out


LATER = """
@transform_df(
    Output("/t/later"),
    source=Input("/t/clean", checks=Check(E.count().equals(E.dataset_ref("other").count()), "as many as there")),
    other=Input("/t/never"),
)
def later(source, other):
    return source
"""


@pytest.mark.nightly
def test_a_reference_that_was_never_written_is_told(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    jobs = workspace.parent / "transforms-python" / "src" / "guest_explained" / "jobs.py"
    jobs.write_text(JOBS + LATER)
    with Workspace.open(workspace) as opened:
        opened.store.create("/t/never")
    try:
        for without in ("a transaction", "a dataset"):
            capsys.readouterr()
            assert run(["--workspace", str(workspace), "--json", "checks", "clean", "--explain"]) == 0, without
            plans = {p["transform"]: p["reads"] for p in json.loads(capsys.readouterr().out)["plans"]}
            assert plans["later"] == [
                "not computable",
                "  E.count().equals(E.dataset_ref('other').count()): E.dataset_ref('other'), used by a check of"
                " /t/clean, has no schema or no data on this branch.",
            ]
            jobs.write_text(JOBS + LATER.replace("never", "unheard"))
    finally:
        jobs.write_text(JOBS)


@pytest.mark.nightly
def test_footers_are_collected_at_commit_whether_or_not_anything_is_checked(workspace: Path) -> None:
    with Workspace.open(workspace) as opened:
        view = opened.store.view(opened.store.dataset("/t/unchecked"), "master")
        subject = stored_subject(cast("SparkSession", None), view)
        assert subject.schema is not None
        names = [identity(file) for file in subject.files]
        facts = CatalogStates(opened.catalog).facts("/t/unchecked", form_of(subject.schema), names)
    assert list(facts) == names
    assert from_json(facts[names[0]]).column("id").high == 2


@pytest.mark.nightly
def test_suggests_code_for_a_stored_dataset(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["--workspace", str(workspace), "checks", "suggest", "clean"]) == 0
    assert (
        "Check(E.primary_key('id'), 'id is a key', 'WARN', 'unique and never null in 2 rows'),"
        in capsys.readouterr().out
    )
    assert run(["--workspace", str(workspace), "checks", "suggest"]) == 2
    assert "suggest DATASET" in capsys.readouterr().err


@pytest.mark.nightly
def test_suggestions_are_code_to_paste(workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # every kind of suggestion: key, presence, share of nulls, range, allowed values, and a quote in a value
    states = ["it's on", 'o"ff', "a\\b\n"]
    frame = pd.DataFrame({"id": range(200), "v": [None if i % 10 == 0 else i % 7 / 3 for i in range(200)]})
    frame["state"] = [states[i % 3] for i in range(200)]
    frame.to_parquet(tmp_path / "more.parquet")
    at = ["--workspace", str(workspace)]
    assert run([*at, "ingest", "/t/more", str(tmp_path / "more.parquet")]) == 0
    capsys.readouterr()
    assert run([*at, "checks", "suggest", "/t/more"]) == 0
    suggested = capsys.readouterr().out
    assert all(word in suggested for word in ("primary_key", "null_percentage", "E.all(", "is_in("))
    jobs = workspace.parent / "transforms-python" / "src" / "guest_explained" / "jobs.py"
    pasted = f"""
@transform_df(Output("/t/copied", checks=[
{suggested}]), source=Input("/t/more"))
def copied(source):
    return source
"""
    jobs.write_text(JOBS + pasted)
    try:
        assert run([*at, "build", "/t/copied"]) == 0
        capsys.readouterr()
        assert run([*at, "--json", "checks", "/t/copied"]) == 0
        recorded = json.loads(capsys.readouterr().out)["checks"]
        assert len(recorded) == suggested.count("Check(")
        failed = {c["name"] for c in recorded if c["outcome"] != "PASS"}
        # the thousandth outside a range may be real values
        assert failed <= {"v range"}
        assert all(c["result"]["description"] for c in recorded)
    finally:
        jobs.write_text(JOBS)
