"""A pipeline whose rows say which version of which module made them: what data shows can be held against the log.

Three lightweight jobs: ``clean`` (a snapshot of raw), ``counts`` (downstream of it), ``seen`` (incremental).
"""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mirror.clock import Clock
from mirror.datasets import Workspace
from mirror.datasets.ingest import ingest
from mirror.datasets.storage import opened
from mirror.promotion.git import Repository

SOURCE = "transforms-python/src"
JOBS = ("clean", "counts", "seen")
MIRROR = ["{python}", "-c", "from mirror.cli import main; main()", "--workspace", "{workspace}"]
BUILD = [*MIRROR, "--repository", "{tree}", "build", "--branch", "{target}", "--fallback", "master"]

POLICY = f"""\
protected: [staging, release]
people: {{Ada: ada@example.org, Grace: grace@example.org}}
roles: {{owner: [Grace]}}
transforms: .
python_path: [{SOURCE}]
steps:
  - from: feature/*
    to: staging
    fallbacks: [master]
    gates: &gates
      dry_build: {{reason: it must plan, ingested: [/fleet/raw]}}
      approvals: {{reason: four eyes, roles: [owner]}}
    rebuild: &rebuild {{reason: data follows logic, limit_seconds: 120, command: {BUILD!r}}}
  - from: staging
    to: release
    tag: release-{{n}}
    fallbacks: [master]
    gates: *gates
    rebuild: *rebuild
"""

FILES = {
    "ci/branches.yml": POLICY,
    f"{SOURCE}/setup.py": (
        "from setuptools import setup\n"
        'setup(entry_points={"transforms.pipelines": ["root = fleet.pipeline:pipeline"]})\n'
    ),
    f"{SOURCE}/fleet/__init__.py": "",
    f"{SOURCE}/fleet/pipeline.py": (
        "from transforms.api import Pipeline\n\nfrom fleet import clean, counts, seen\n\n"
        "pipeline = Pipeline()\npipeline.discover_transforms(clean, counts, seen)\n"
    ),
    f"{SOURCE}/fleet/clean.py": """\
from pyspark.sql import types as T
from transforms import expectations as E
from transforms.api import Check, Input, Output, transform

VERSION = 0
SHAPE = Check(E.schema().equals({"value": T.LongType(), "clean": T.LongType()}), "shape")


@transform.using(out=Output("/fleet/clean", checks=[SHAPE]), raw=Input("/fleet/raw"))
def clean(out, raw):
    frame = raw.pandas()
    frame = frame.assign(value=frame["value"] * (VERSION + 1), clean=VERSION)
    out.write_table(frame.assign(more=1) if VERSION >= 900_000 else frame)
""",
    f"{SOURCE}/fleet/counts.py": """\
from transforms.api import Input, Output, transform

VERSION = 0


@transform.using(out=Output("/fleet/counts"), rows=Input("/fleet/clean"))
def counts(out, rows):
    out.write_table(rows.pandas().groupby("clean", as_index=False).agg(n=("value", "size")).assign(counts=VERSION))
""",
    f"{SOURCE}/fleet/seen.py": """\
from transforms.api import Input, Output, incremental, transform

VERSION = 0


@incremental()
@transform.using(out=Output("/fleet/seen"), raw=Input("/fleet/raw"))
def seen(out, raw):
    out.write_table(raw.pandas().assign(seen=VERSION))
""",
}

SPOILED = 900_000
"""The check of ``clean`` refuses what versions from here on make."""


def write(repository: Path) -> None:
    for path, text in FILES.items():
        file = repository / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def set_version(repository: Path, job: str, version: int) -> None:
    file = repository / SOURCE / "fleet" / f"{job}.py"
    file.write_text(re.sub(r"VERSION = \d+", f"VERSION = {version}", file.read_text(encoding="utf-8")), "utf-8")


def versions(repository: Repository, tree: str) -> dict[str, int]:
    """Job -> the version that a tree or commit holds of it."""
    texts = {job: repository.run("show", f"{tree}:{SOURCE}/fleet/{job}.py") for job in JOBS}
    return {job: int(re.findall(r"VERSION = (\d+)", text)[0]) for job, text in texts.items()}


def more_raw(path: Path, folder: Path, number: int, clock: Clock) -> None:
    """One more reading on master: its value is its number."""
    file = folder / f"{number}.parquet"
    pq.write_table(pa.table({"value": pa.array([number], pa.int64())}), file)
    with Workspace.open(path, clock=clock) as workspace:
        ingest(workspace, "/fleet/raw", [str(file)], branch="master")


def rows(workspace: Workspace, path: str, branch: str, at: str | None = None) -> list[dict[str, int]] | None:
    """What a branch itself shows of a dataset, or what it showed at a transaction; ``None`` where it has none."""
    dataset = workspace.store.find(path)
    branches = {b.name: b.head for b in workspace.store.branches(dataset)} if dataset else {}
    if dataset is None or (at or branches.get(branch)) is None:
        return None
    view = workspace.store.view_until(dataset, branch, at or branches[branch])
    found: list[dict[str, int]] = []
    for entry in view.entries:
        with opened(entry) as file:
            found += pq.read_table(file).to_pylist()
    return found
