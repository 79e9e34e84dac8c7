"""Undoing a change, as a person does it: code, data, or both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mirror.cli import run

JOBS = """
from transforms.api import Input, Output, transform

@transform.using(out=Output("/clean"), raw=Input("/raw"))
def clean(out, raw):
    with out.filesystem().open("x", "w") as stream:
        stream.write(raw.filesystem().open("day.txt").read() + "one")
"""


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    source = tmp_path / "transforms-python" / "src"
    name = f"undo_{tmp_path.name.replace('-', '_')}"
    (source / name).mkdir(parents=True)
    (source / name / "__init__.py").write_text("")
    (source / name / "jobs.py").write_text(JOBS)
    (source / name / "pipeline.py").write_text(
        f"from transforms.api import Pipeline\nfrom {name} import jobs\np = Pipeline()\np.discover_transforms(jobs)\n"
    )
    (source / "setup.py").write_text(f"setup(entry_points={{'transforms.pipelines': ['root = {name}.pipeline:p']}})\n")
    monkeypatch.chdir(tmp_path)
    Path("day.txt").write_text("data ")
    assert run(["init"]) == run(["ingest", "/raw", "day.txt"]) == run(["build"]) == 0
    return source / name / "jobs.py"


@pytest.mark.nightly
def test_code_and_data_are_undone_apart(jobs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Vector 15."""

    def told(*command: str) -> Any:
        capsys.readouterr()
        assert run(["--json", *command]) == 0
        return json.loads(capsys.readouterr().out.splitlines()[-1])

    def plan() -> tuple[str, str]:
        (job,) = told("build", "--dry-run")["jobs"]
        return job["decision"], job["reason"]

    jobs.write_text(JOBS.replace('"one"', '"two"'))
    assert run(["build"]) == 0
    first = told("history", "clean")["transactions"][0]["transaction"]
    # Code back, data not: the output is out of date with the logic, and the plan says so.
    jobs.write_text(JOBS)
    assert plan() == ("run", "logic changed")
    # Data back, code not: the next build would overwrite it, and the rollback says so.
    jobs.write_text(JOBS.replace('"one"', '"two"'))
    assert told("rollback", "clean", "--to", first)["applied"] is False
    done = told("rollback", "clean", "--to", first, "--apply")
    assert (len(done["undone"]), done["next_build"]) == (1, {"clean": "logic changed"})
    # Both back: nothing is to be done.
    jobs.write_text(JOBS)
    assert plan()[0] == "skip"
    entries = told("history", "clean")["transactions"]
    assert [(e["status"], e["rolled_back"]) for e in entries] == [("COMMITTED", False), ("COMMITTED", True)]
    assert run(["history", "clean"]) == 0
    assert "ROLLED BACK" in capsys.readouterr().out
    assert run(["rollback", "clean", "--to", first, "--branch", "feature"]) == 2
    assert "no branch 'feature'" in capsys.readouterr().err
    assert told("rollback", "clean", "--snapshot", "--apply")["snapshot"] is True
    assert run(["rollback", "clean"]) == run(["rollback", "clean", "--to", first, "--snapshot"]) == 2
