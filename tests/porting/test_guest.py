"""This repository's own pipeline is clean and divides into two trees that import on their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mirror.builds import published_specs
from mirror.builds.specs import JobSpec
from mirror.cli import run
from mirror.datasets import Workspace
from mirror.datasets.guest import find_source_root
from mirror.porting.check import check_guest
from mirror.porting.port import port

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.nightly
def test_nothing_in_the_pipeline_would_surprise_foundry():
    findings, looked_at = check_guest(ROOT)
    assert [str(finding) for finding in findings] == []
    assert looked_at == len([p for p in find_source_root(ROOT).rglob("*.py") if p.name != "setup.py"])


@pytest.mark.nightly
def test_both_trees_meet_at_the_model(tmp_path):
    from fleet_health.pipeline import pipeline

    transforms, training = port(ROOT, tmp_path / "out", {})
    model = "/Fleet/air_handler/models/isolation_forest"
    assert model in transforms.unmapped
    assert model in training.unmapped
    # Only what the training transforms read and publish; nothing of the rest of the pipeline is published twice.
    jobs = [job for job in pipeline.transforms if job.compute_func.__module__.startswith("model_training.")]
    assert len(jobs) > 1
    params = [param for job in jobs for param in (*job.inputs.values(), *job.outputs.values())]
    assert set(training.unmapped) == {param.alias for param in params}
    source = find_source_root(ROOT)
    for tree in ("transforms-repository", "model-training-repository"):
        ported = tmp_path / "out" / tree / "transforms-python" / "src"
        changed = {
            path.relative_to(ported).as_posix()
            for package in ("fleet_health", "model_adapters", "model_training")
            for path in sorted((ported / package).rglob("*.*"))
            if not (source / path.relative_to(ported)).is_file()
            or (source / path.relative_to(ported)).read_bytes() != path.read_bytes()
        }
        assert changed <= {"fleet_health/pipeline.py", "model_training/pipeline.py"}


SHIM = ROOT / "shims" / "transforms-mock" / "src"


@pytest.fixture(scope="module")
def trees(tmp_path_factory) -> Path:
    """Both trees, ported outside this repository."""
    out = tmp_path_factory.mktemp("ported")
    port(ROOT, out, {})
    return out


def alone(tree: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python with the tree and the shim; whoever imports mirror is stopped."""
    (folder / "mirror").mkdir(parents=True, exist_ok=True)
    (folder / "mirror" / "__init__.py").write_text("raise ImportError('a ported tree must not need mirror')\n")
    source = tree / "transforms-python" / "src"
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=source,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (source, SHIM, folder)))},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.nightly
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("tree", ["transforms-repository", "model-training-repository"])
def test_a_ported_tree_runs_its_own_tests_with_the_shim_alone(trees, tmp_path, tree):
    done = alone(trees / tree, tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not nightly")
    ported = list((trees / tree / "transforms-python" / "src" / "test").rglob("test_*.py"))
    assert len(ported) > 40 or tree == "model-training-repository"
    # pytest ends with 5 where no test goes along
    assert done.returncode == (0 if ported else 5), done.stdout[-3000:] + done.stderr[-3000:]


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_foundrys_trees_are_the_same_jobs_here(trees, tmp_path, capsys):
    def published(repository: Path, name: str) -> tuple[dict[str, JobSpec], dict[str, str]]:
        arguments = ["--workspace", str(tmp_path / name), "--json"]
        assert run([*arguments, "init", "--repo", str(repository)]) == 0
        capsys.readouterr()
        assert run([*arguments, "build", "--dry-run"]) == 0
        decisions = {job["reference"]: job["decision"] for job in json.loads(capsys.readouterr().out)["jobs"]}
        with Workspace.open(tmp_path / name) as workspace:
            return {spec.reference: spec for spec in published_specs(workspace, "master")}, decisions

    whole, plan = published(ROOT, "whole")
    divided: dict[str, JobSpec] = {}
    decided: dict[str, str] = {}
    for tree in ("transforms-repository", "model-training-repository"):
        specs, decisions = published(trees / tree, tree)
        assert not divided.keys() & specs.keys()
        divided |= specs
        decided |= decisions
    assert divided.keys() == whole.keys()
    assert {name: spec.logic_version for name, spec in divided.items()} == {
        name: spec.logic_version for name, spec in whole.items()
    }
    assert decided == plan
