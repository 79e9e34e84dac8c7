"""The JVM of a build dies: the job fails with a sentence, nothing is half written, the next build completes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from mirror.cli import run
from mirror.datasets import Workspace
from mirror.datasets.verify import verify

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(300)]

JOBS = """
import os, signal
from pathlib import Path
from transforms.api import Input, Output, transform, transform_df

FLAG = Path({flag!r})

@transform(out=Output("/out"), raw=Input("/raw"))
def breaks(ctx, raw, out):
    out.write_dataframe(raw.dataframe())
    if FLAG.exists():
        FLAG.unlink()
        os.kill(ctx.spark_session.sparkContext._gateway.proc.pid, signal.SIGKILL)
        raw.dataframe().count()

@transform_df(Output("/after"), out=Input("/out"))
def after(out):
    return out
"""

BUILD = "import sys; from mirror.cli import run; sys.exit(run(sys.argv[1:]))"


def test_a_jvm_that_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "transforms-python" / "src" / "jvm_guest"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "jobs.py").write_text(JOBS.format(flag=str(tmp_path / "flag")))
    (package / "pipeline.py").write_text(
        "from transforms.api import Pipeline\nfrom jvm_guest import jobs\np = Pipeline()\np.discover_transforms(jobs)\n"
    )
    (package.parent / "setup.py").write_text(
        "setup(entry_points={'transforms.pipelines': ['root = jvm_guest.pipeline:p']})"
    )
    monkeypatch.chdir(tmp_path)
    pd.DataFrame({"v": [1, 2]}).to_parquet("raw.parquet")
    assert run(["init"]) == 0
    assert run(["ingest", "/raw", "raw.parquet"]) == 0
    (tmp_path / "flag").touch()
    statuses = []
    for expected in (1, 0):
        command = [sys.executable, "-c", BUILD, "--json", "build"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
        assert done.returncode == expected, done.stderr[-2000:]
        statuses.append([job["status"] for job in json.loads(done.stdout)["jobs"]])
    assert statuses == [["failed", "not run"], ["succeeded", "succeeded"]]
    with Workspace.open(tmp_path / ".mirror") as workspace:
        assert verify(workspace.store) == ()
        out = workspace.store.dataset("/out")
        assert [x.status.value for x in workspace.store.history(out)] == ["ABORTED", "COMMITTED"]
