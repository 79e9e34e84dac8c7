"""The commands of "model serving", typed in order in a workspace with the bundled campaigns."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mirror.datasets import Workspace
from mirror.datasets.storage import local_paths

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "03-production" / "model-serving.md").read_text(encoding="utf-8")
NEEDED = ("canary_comparison", "experiment_log", "regression_test_features")
BUILT = " ".join(["mirror build", *(f"/Fleet/air_handler/{name}" for name in NEEDED)])
"""What the commands speak of, and what releases are judged by; what watches them is built elsewhere."""
BEFORE = """
mirror init
mirror ingest /Fleet/air_handler/landing DATA/szcav.csv.gz DATA/szvav.csv.gz DATA/mzvav_2_1.csv.gz --type append
mirror ingest /Fleet/air_handler/label_landing DATA/fault_schedule.csv
"""


class Person:
    """Types commands, each a process of its own, into a copy of what a fleet's team has."""

    def __init__(self, home: Path) -> None:
        for part in ("transforms-python", "ci", "health", "data"):
            shutil.copytree(ROOT / part, home / part, ignore=shutil.ignore_patterns("__pycache__"))
        self.home, self.said = home, ""
        ours = [part for part in sys.path if part and not part.startswith(str(ROOT / "transforms-python"))]
        self._environment = {**os.environ, "PYTHONPATH": os.pathsep.join(ours)}

    def types(self, line: str) -> None:
        typed = BUILT if line == "mirror build" else line
        words = shlex.split(typed.replace("DATA", str(self.home / "data" / "lbnl_ahu")))
        code = "import sys; from mirror.cli import run; sys.exit(run(sys.argv[1:]))"
        done = subprocess.run(
            [sys.executable, "-c", code, *words[1:]],
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
            env=self._environment,
        )
        self.said += f"$ {line}\n{done.stdout}"
        assert done.returncode == 0, f"{line}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_every_command_of_the_document_does_what_the_text_says(tmp_path: Path) -> None:
    person = Person(tmp_path / "home")
    blocks = re.findall(r"```console\n(.*?)```", DOCUMENT, re.DOTALL)
    first, *rest = [
        [line[2:] for line in block.splitlines() if not line.startswith("$ mirror serve")] for block in blocks
    ]
    for line in [*BEFORE.strip().splitlines(), *first]:
        person.types(line)
    profile = person.home / "transforms-python" / "src" / "fleet_health" / "profiles" / "air_handler.yaml"
    profile.write_text(profile.read_text().replace("model_version: 1.0.0", "model_version: 1.0.1", 1))
    for line in [line for lines in rest for line in lines]:
        person.types(line)
    for words in (
        "1.0.1 is tried as shadow on 100% of the devices (trial 1)",
        "1.0.1 is tried as canary_live on 5% of the devices (trial 2)",
        "1.0.1 released to production (release 2)",
        "1.0.1 is halted in production (release 3)",
        "1.0.1 scores again in production (release 4)",
        "rolled back in production: 1.0.1 -> 1.0.0 (release 5)",
        "rolled back in staging: 1.0.1 -> 1.0.0 (release 3)",
    ):
        assert words in person.said, words
    with Workspace.open(person.home / ".mirror") as workspace:
        store = workspace.store
        entries = list(store.view(store.dataset("/Fleet/air_handler/experiment_log")).entries)
        names = ["experiment_id", "model_version", "status", "created_at"]
        read = [
            pq.read_table(file, columns=names).to_pandas() for file in local_paths(entries) if file.endswith("parquet")
        ]
    log = [row for frame in read for row in frame.to_dict("records") if row["experiment_id"].startswith("isolation")]
    told = [(row["model_version"], row["status"]) for row in sorted(log, key=lambda row: row["created_at"])]
    assert [step for step in told if step[1] in ("promoted", "rolled_back")] == [
        ("1.0.0", "promoted"),
        ("1.0.1", "promoted"),
        ("1.0.1", "rolled_back"),
    ]
