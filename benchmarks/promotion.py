"""Planning a promotion of a 1,000-job pipeline against planning its build, each as a whole command, in CPU seconds."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import Bench, Figure
from mirror.promotion.git import clean_environment

_MODULES, _JOBS_PER_MODULE = 100, 10
_COMMAND = "import sys; from mirror.cli import main; main(sys.argv[1:])"

_POLICY = """\
protected: [staging]
people: {Ada: ada@example.org}
roles: {owner: [Ada]}
transforms: .
python_path: [transforms-python/src]
steps:
  - from: feature/*
    to: staging
    fallbacks: [master]
    gates:
      contract_compatibility: {reason: consumers}
    rebuild: {reason: data follows logic, command: ["true"], limit_seconds: 60}
"""

_MODULE = """\
from pyspark.sql import types as T
from transforms import expectations as E
from transforms.api import Check, Input, Output, transform_df

LIMIT = {limit}
SHAPE = Check(E.schema().contains({{"device": T.StringType(), "value": T.DoubleType()}}), "shape")


def make(number):
    @transform_df(Output(f"/bench/{module}/{{number}}", checks=[SHAPE]), source=Input(f"/bench/{before}/{{number}}"))
    def compute(source):
        return source.filter(source["value"] <= LIMIT + number)

    return compute


TRANSFORMS = [make(number) for number in range({jobs})]
"""


def run(bench: Bench) -> Iterator[Figure]:
    repository = _repository(bench.scratch / "clone")
    workspace = bench.scratch / "workspace"
    _mirror(workspace, "init", "--repo", str(repository))
    promote = ("promote", "feature/x", "--to", "staging", "--dry-run", "--repo", str(repository))
    build = ("build", "--dry-run")
    for name, warm, limit in (("plan_1000_jobs", True, 2.0), ("plan_1000_jobs_first_time", False, None)):
        parts, wholes = [], []
        for turn in range(bench.rounds + 1):
            # Both see code that nobody has read before; what was promoted earlier is known to the promotion.
            _change(repository, f"{name}{turn}")
            if not warm:
                shutil.rmtree(repository / ".git" / "mirror" / "declared", ignore_errors=True)
            sides = [(promote, parts), (build, wholes)]
            for command, seconds in sides if turn % 2 == 0 else reversed(sides):
                spent = _mirror(workspace, *command)
                if turn:
                    seconds.append(spent)
            if turn:
                bench.say(f"promotion.{name}: {parts[-1]:.2f} s / {wholes[-1]:.2f} s of CPU")
        yield bench.share(name, parts, wholes, limit=limit)


def _repository(folder: Path) -> Path:
    source = folder / "transforms-python" / "src"
    (source / "fleet").mkdir(parents=True)
    (folder / "ci").mkdir()
    (folder / "ci" / "branches.yml").write_text(_POLICY)
    entry = "{'transforms.pipelines': ['root = fleet.pipeline:pipeline']}"
    (source / "setup.py").write_text(f"from setuptools import setup\nsetup(entry_points={entry})\n")
    (source / "fleet" / "__init__.py").touch()
    names = [f"m{number}" for number in range(_MODULES)]
    for before, name in zip(["raw", *names], names, strict=False):
        text = _MODULE.format(limit=1, module=name, before=before, jobs=_JOBS_PER_MODULE)
        (source / "fleet" / f"{name}.py").write_text(text)
    imports = "\n".join(f"from fleet import {name}" for name in names)
    added = "\n".join(f"pipeline.add_transforms(*{name}.TRANSFORMS)" for name in names)
    (source / "fleet" / "pipeline.py").write_text(
        f"from transforms.api import Pipeline\n\n{imports}\n\npipeline = Pipeline()\n{added}\n"
    )
    _git(folder, "init", "--quiet", "--initial-branch", "main")
    _git(folder, "config", "user.name", "Ada")
    _git(folder, "config", "user.email", "ada@example.org")
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message", "A thousand jobs")
    _git(folder, "branch", "staging")
    _git(folder, "switch", "--quiet", "--create", "feature/x")
    return folder


def _change(repository: Path, value: str) -> None:
    file = repository / "transforms-python" / "src" / "fleet" / "m50.py"
    lines = [line for line in file.read_text().splitlines() if not line.startswith("NOTE = ")]
    file.write_text("\n".join([*lines, f"NOTE = {value!r}"]) + "\n")
    _git(repository, "commit", "--quiet", "--all", "--message", value)


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, env=clean_environment(), check=True, capture_output=True)


def _mirror(workspace: Path, *arguments: str) -> float:
    """CPU seconds of one command and of every process it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", _COMMAND, "--workspace", str(workspace), "--json", *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"promotion: {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
