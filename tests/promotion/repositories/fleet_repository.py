"""A small fleet in git whose rebuilds are real: lightweight jobs, so that no Spark starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from mirror.cli import run
from mirror.promotion.git import clean_environment

SOURCE = "transforms-python/src"
SRC = Path(__file__).resolve().parents[3] / "src"

POLICY = """\
remote: origin
protected: [staging, release]
people:
  Ada: ada@example.org
  Grace: grace@example.org
  Ida: ida@example.org
roles:
  owner: [Grace, Ida]
  release manager: [Grace]
transforms: .
python_path: [transforms-python/src]
steps:
  - from: feature/*
    to: staging
    fallbacks: [master]
    gates:
      dry_build: {reason: it must plan, ingested: [/fleet/raw, /fleet/devices]}
      contract_conformance: {reason: promises are checked}
      contract_compatibility: {reason: consumers}
      approvals: {reason: four eyes, roles: [owner]}
    rebuild: &rebuild
      reason: data follows logic
      command:
        - "{python}"
        - -c
        - from mirror.cli import main; main()
        - --workspace
        - "{workspace}"
        - --repository
        - "{tree}"
        - build
        - --branch
        - "{target}"
        - --fallback
        - "{fallbacks}"
      limit_seconds: 120
  - from: staging
    to: release
    tag: release-{n}
    fallbacks: [master]
    gates:
      contract_compatibility: {reason: consumers}
      data_diff: {reason: nobody likes surprises, datasets: ["/fleet/*"], max_row_change_percent: 10,
                  max_null_change_points: 5}
      approvals: {reason: four eyes, roles: [release manager]}
    rebuild: *rebuild
"""

SETUP = """\
from setuptools import setup
setup(entry_points={"transforms.pipelines": ["root = fleet.pipeline:pipeline"]})
"""

PIPELINE = """\
from transforms.api import Pipeline

from fleet import clean, count, names

pipeline = Pipeline()
pipeline.discover_transforms(clean, count, names)
"""

CLEAN = """\
from pyspark.sql import types as T
from transforms import expectations as E
from transforms.api import Check, Input, Output, transform

SCHEMA = {"device": T.StringType(), "value": T.DoubleType()}
SHAPE = Check(E.schema().equals(SCHEMA), "shape")
LIMIT = 100.0


@transform.using(
    out=Output("/fleet/clean", checks=[SHAPE, Check(E.col("value").lte(LIMIT), "limit")]), raw=Input("/fleet/raw")
)
def clean(out, raw):
    frame = raw.pandas()
    out.write_table(frame[frame["value"] <= LIMIT])
"""

COUNT = """\
from pyspark.sql import types as T
from transforms import expectations as E
from transforms.api import Check, Input, Output, transform

SHAPE = Check(E.schema().equals({"device": T.StringType(), "rows": T.LongType()}), "shape")


@transform.using(out=Output("/fleet/counts", checks=[SHAPE]), clean=Input("/fleet/clean"))
def count(out, clean):
    out.write_table(clean.pandas().groupby("device", as_index=False).agg(rows=("value", "size")))
"""

NAMES = """\
from pyspark.sql import types as T
from transforms import expectations as E
from transforms.api import Check, Input, Output, transform

SHAPE = Check(E.schema().equals({"device": T.StringType()}), "shape")


@transform.using(out=Output("/fleet/names", checks=[SHAPE]), devices=Input("/fleet/devices"))
def names(out, devices):
    out.write_table(devices.pandas())
"""

FILES = {
    "ci/branches.yml": POLICY,
    f"{SOURCE}/setup.py": SETUP,
    f"{SOURCE}/fleet/__init__.py": "",
    f"{SOURCE}/fleet/pipeline.py": PIPELINE,
    f"{SOURCE}/fleet/clean.py": CLEAN,
    f"{SOURCE}/fleet/count.py": COUNT,
    f"{SOURCE}/fleet/names.py": NAMES,
}


class Fleet:
    """A clone with a protected bare remote, and one workspace."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "clone"
        self.bare = folder / "bare.git"
        self.workspace = folder / "workspace"

    def git(self, *arguments: str, where: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=where or self.path,
            capture_output=True,
            text=True,
            check=False,
            env=clean_environment(),
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, message: str, **files: str) -> None:
        for name, text in files.items():
            (self.path / SOURCE / "fleet" / f"{name}.py").write_text(text, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def mirror(self, *arguments: str) -> int:
        """The command line in this process; what it prints is the caller's to capture."""
        return run(["--workspace", str(self.workspace), *arguments])

    def apart(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command line in a process of its own: code of two trees cannot meet in one."""
        return subprocess.run(
            [
                sys.executable,
                "-c",
                "from mirror.cli import main; main()",
                "--workspace",
                str(self.workspace),
                *arguments,
            ],
            cwd=self.path,
            capture_output=True,
            text=True,
            check=False,
            env=clean_environment({"PYTHONPATH": os.environ.get("PYTHONPATH", str(SRC))}),
        )


def make_fleet(folder: Path) -> Fleet:
    """Repository, remote and workspace with two ingested datasets; nothing is built yet."""
    import pandas as pd

    fleet = Fleet(folder)
    fleet.path.mkdir(parents=True)
    fleet.git("init", "--quiet", "--initial-branch", "main")
    for key, value in {"user.name": "Ada", "user.email": "ada@example.org", "gc.auto": "0"}.items():
        fleet.git("config", key, value)
    for path, text in FILES.items():
        file = fleet.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    fleet.git("add", "--all")
    fleet.git("commit", "--quiet", "--message", "A fleet")
    fleet.git("branch", "staging")
    fleet.git("branch", "release")
    fleet.git("init", "--quiet", "--bare", str(fleet.bare))
    fleet.git("remote", "add", "origin", str(fleet.bare))
    fleet.git("push", "--quiet", "origin", "main", "staging", "release")
    assert fleet.mirror("init", "--repo", str(fleet.path), "--git") == 0
    assert fleet.mirror("init", "--repo", str(fleet.bare), "--git") == 0
    readings = pd.DataFrame({"device": ["a", "a", "b"], "value": [1.0, 2.0, 3.0]})
    readings.to_parquet(folder / "raw.parquet", index=False)
    readings[["device"]].drop_duplicates().to_parquet(folder / "devices.parquet", index=False)
    for name in ("raw", "devices"):
        assert fleet.mirror("ingest", f"/fleet/{name}", str(folder / f"{name}.parquet")) == 0
    return fleet
