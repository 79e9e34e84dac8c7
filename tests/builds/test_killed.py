"""``kill -9`` at every stage of a build: every committed view stays as it was, and the next build completes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mirror.builds import build
from mirror.datasets import Workspace
from mirror.datasets.collect import collect
from mirror.datasets.verify import verify

JOBS = """
import os
from pathlib import Path
from transforms.api import Input, Output, transform

STAGE = {stage!r}
VALUE = {value!r}

def die(stage):
    if stage == STAGE:
        os.kill(os.getpid(), 9)

@transform.using(out=Output("/out"), other=Output("/other"))
def two(out, other):
    die("before write")
    with out.filesystem().open("a.txt", "w") as stream:
        stream.write(VALUE)
        stream.flush()
        die("mid write")
    with other.filesystem().open("b.txt", "w") as stream:
        stream.write(VALUE)
    die("after write")

@transform.using(after=Output("/after"), out=Input("/out"))
def after(out, after):
    with after.filesystem().open("c.txt", "w") as stream:
        stream.write(out.filesystem().open("a.txt").read())
"""

# A binder's commit runs inside the job's SQL transaction: the process dies between its statements.
RUN = """
import os, sys
from pathlib import Path
from mirror.builds import build
from mirror.datasets import Workspace

class Dies:
    kinds = frozenset({"dies"})
    def resolve(self, param, branch): raise AssertionError
    def bind(self, param, resolved, job): raise AssertionError
    def abort(self, job): pass
    def commit(self, connection, job):
        os.kill(os.getpid(), 9)

stage = sys.argv[2]
with Workspace.open(Path(sys.argv[1])) as workspace:
    build(workspace, binders=[Dies()] if stage == "during commit" else [], spark=lambda: None)
"""

STAGES = ("before write", "mid write", "after write", "during commit")


def guest(root: Path, stage: str, value: str) -> None:
    package = root / "transforms-python" / "src" / "killed_guest"
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text("")
    (package / "jobs.py").write_text(JOBS.format(stage=stage, value=value))
    (package / "pipeline.py").write_text(
        "from transforms.api import Pipeline\nfrom killed_guest import jobs\n"
        "pipeline = Pipeline()\npipeline.discover_transforms(jobs)\n"
    )
    entry = "setup(entry_points={'transforms.pipelines': ['root = killed_guest.pipeline:pipeline']})"
    (package.parent / "setup.py").write_text(entry)


def content(workspace: Workspace) -> dict[str, str]:
    store = workspace.store
    found = {}
    for dataset in store.datasets():
        view = store.view(dataset)
        found |= {f"{dataset.path}/{f.path}": Path(view.root, f.location).read_text() for f in view.files}
    return found


def everything(value: str) -> dict[str, str]:
    return {"/out/a.txt": value, "/other/b.txt": value, "/after/c.txt": value}


def kills(tmp_path: Path, stages: tuple[str, ...]) -> None:
    with Workspace.create(tmp_path / ".mirror", repository=tmp_path) as workspace:
        guest(tmp_path, "", "first")
        assert build(workspace, spark=lambda: None).status == "succeeded"  # type: ignore[arg-type,return-value]
        for stage in stages:
            guest(tmp_path, stage, "second")
            killed = subprocess.run(
                [sys.executable, "-c", RUN, str(workspace.path), stage], capture_output=True, check=False, text=True
            )
            assert killed.returncode == -9, killed.stderr
            assert content(workspace) == everything("first")
        guest(tmp_path, "", "second")
        report = build(workspace, spark=lambda: None)  # type: ignore[arg-type,return-value]
        assert [job.status.value for job in report.jobs] == ["succeeded", "succeeded"]
        assert content(workspace) == everything("second")
        collect(workspace.store)
        assert verify(workspace.store) == ()
        kept = [p.read_text() for p in (tmp_path / ".mirror" / "data").rglob("*.txt")]
        assert sorted(kept) == ["first"] * 3 + ["second"] * 3


@pytest.mark.nightly
def test_killed_at_every_stage_in_a_row(tmp_path: Path) -> None:
    kills(tmp_path, STAGES)


@pytest.mark.nightly
@pytest.mark.parametrize("stage", STAGES)
def test_killed_twice_at_the_same_stage(tmp_path: Path, stage: str) -> None:
    kills(tmp_path, (stage, stage))
