"""PostgreSQL is restarted while a job computes: the job commits on a new connection."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.datasets.conftest import running_postgres, server_command

from mirror.builds import build
from mirror.datasets import Workspace

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(120)]

JOBS = """
import subprocess
from transforms.api import Output, transform

@transform.using(out=Output("/out"))
def patient(out):
    with out.filesystem().open("x", "w") as stream:
        stream.write("kept")
    subprocess.run({restart!r}, check=True, capture_output=True, cwd={folder!r})
"""


def test_a_restart_in_the_middle_of_a_job(tmp_path: Path) -> None:
    with running_postgres() as url:
        folder = url.partition("host=")[2]
        restart = server_command(
            "pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "-w", "-l", f"{folder}/log", "restart"
        )
        package = tmp_path / "transforms-python" / "src" / "patient_guest"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / "jobs.py").write_text(JOBS.format(restart=restart, folder=folder))
        (package / "pipeline.py").write_text(
            "from transforms.api import Pipeline\nfrom patient_guest import jobs\n"
            "p = Pipeline()\np.discover_transforms(jobs)\n"
        )
        (package.parent / "setup.py").write_text(
            "setup(entry_points={'transforms.pipelines': ['root = patient_guest.pipeline:p']})"
        )
        with Workspace.create(tmp_path / ".mirror", repository=tmp_path, catalog_url=url) as workspace:
            report = build(workspace, spark=lambda: None)  # type: ignore[arg-type,return-value]
            assert [(job.status.value, job.error) for job in report.jobs] == [("succeeded", None)]
            assert build(workspace, spark=lambda: None).status == "up to date"  # type: ignore[arg-type,return-value]
