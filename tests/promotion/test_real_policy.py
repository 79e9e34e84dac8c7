"""This repository goes through its own policy: a feature to staging to a release and back, every gate real.

A clone with a bare remote that both hold the hooks, and a workspace with the measured campaigns. Takes a quarter of an
hour and more; nothing of the policy is left out but the limits, which machines at night share, and the placeholder
people.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mirror.promotion.audit import read_audit
from mirror.promotion.git import Repository, clean_environment
from mirror.promotion.history import replay

ROOT = Path(__file__).resolve().parents[2]
FLEET = "/Fleet/air_handler"
ROOTS = ("src", "shims/transforms-mock/src", "transforms-python/src")
LEAD, RELEASES = "Pipeline Owner", "Release Manager"
CHANGED = "transforms-python/src/fleet_health/alerting/transforms.py"


def approved(*names: str) -> list[str]:
    return [word for name in names for word in ("--approve-as", name)]


class Clone:
    """A clone of this repository as its newest commit has it, its remote, and a workspace."""

    def __init__(self, folder: Path) -> None:
        self.path, self.bare, self.workspace = folder / "clone", folder / "bare.git", folder / "workspace"

    def run(self, *arguments: str, code: int = 0) -> str:
        roots = os.pathsep.join(str(self.path / root) for root in ROOTS)
        done = subprocess.run(
            arguments,
            cwd=self.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            env=clean_environment({"PYTHONPATH": roots}),
        )
        sys.stderr.write(f"$ {' '.join(arguments)}\n{done.stdout}\n")
        assert done.returncode == code, done.stdout[-6000:]
        return done.stdout

    def git(self, *arguments: str) -> str:
        return self.run("git", *arguments).strip()

    def mirror(self, *arguments: str, code: int = 0) -> str:
        main = ("-c", "from mirror.cli import main; main()")
        return self.run(sys.executable, *main, "--workspace", str(self.workspace), *arguments, code=code)

    def edit(self, file: str, *changes: tuple[str, str]) -> None:
        text = (self.path / file).read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text, f"{file} does not hold {old!r}"
            text = text.replace(old, new)
        (self.path / file).write_text(text, encoding="utf-8")

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def outcomes(self) -> dict[str, str]:
        """Gate -> outcome of the newest promotion or refusal."""
        entry = [e for e in read_audit(Repository(self.path)) if "gates" in e][-1]
        return {gate["gate"]: gate["outcome"] for gate in entry["gates"]}


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Clone:
    folder = tmp_path_factory.mktemp("real")
    made = Clone(folder)
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(made.path)], check=True, env=clean_environment())
    made.git("remote", "remove", "origin")
    made.git("checkout", "--quiet", "-B", "main")
    for key, value in {"user.name": "Ada", "user.email": "ada@company.example", "gc.auto": "0"}.items():
        made.git("config", key, value)
    made.edit(
        "ci/branches.yml",
        ("remote: null", "remote: origin"),
        ("@example.org", "@company.example"),
        ("limit_seconds: 60\n", "limit_seconds: 900\n"),
        ("limit_seconds: 180\n", "limit_seconds: 3000\n"),
        ("limit_seconds: 200\n", "limit_seconds: 1500\n"),
        ("tests_seconds: 60", "tests_seconds: 3000"),
        ("together_seconds: 300", "together_seconds: 5000"),
    )
    made.run(sys.executable, "docs/tables.py")
    made.commit("Our team and our remote")
    made.git("branch", "staging")
    made.git("branch", "release")
    made.git("init", "--quiet", "--bare", str(made.bare))
    made.git("remote", "add", "origin", str(made.bare))
    made.git("push", "--quiet", "origin", "main", "staging", "release")
    made.mirror("init", "--git")
    made.mirror("init", "--repo", str(made.bare), "--git")
    campaigns = [f"data/lbnl_ahu/{name}.csv.gz" for name in ("szcav", "szvav", "mzvav_2_1")]
    made.mirror("ingest", f"{FLEET}/landing", *campaigns, "--type", "append")
    made.mirror("ingest", f"{FLEET}/label_landing", "data/lbnl_ahu/fault_schedule.csv")
    made.mirror("build", f"{FLEET}/models/isolation_forest")
    made.mirror("models", "submit", "isolation_forest")
    released = ("--approve-as", "Ada", "--reason", "first")
    made.mirror("models", "release", "isolation_forest", "--to", "staging", *released)
    made.mirror("build")
    return made


@pytest.mark.nightly
@pytest.mark.timeout(5400)
def test_a_feature_becomes_a_release_behind_every_gate(clone):
    # A change below the alerts: three roles look at it, and nothing is computed that master has computed already.
    clone.git("switch", "--quiet", "--create", "feature/alerts")
    changed = clone.path / CHANGED
    code = changed.read_text(encoding="utf-8")
    changed.write_text(f'{code}\nREVIEWED = "for the next release"\n', encoding="utf-8")
    clone.commit("Look through the alerts")
    to_staging = ("promote", "feature/alerts", "--to", "staging", *approved(RELEASES, LEAD, "Operations Owner"))
    plan = json.loads(clone.mirror("--json", *to_staging, "--dry-run"))["plan"]
    assert {why for job in plan["jobs"]["changed"] for why in job["why"]} == {
        f"its code changed: {CHANGED.removeprefix('transforms-python/src/')}"
    }
    assert plan["contracts"]["changes"] == []
    runs = [path for job in plan["rebuild"]["plan"]["runs"] for path in job["outputs"]]
    assert f"{FLEET}/device_alerts" in runs
    assert f"{FLEET}/clean_sensor_readings" in plan["rebuild"]["plan"]["reused"]
    clone.mirror(*to_staging)
    assert set(clone.outcomes().values()) <= {"PASS", "NOT_APPLICABLE"}

    # The model in force in staging comes along; the chain is built anew on the sample in a workspace of its own.
    to_release = ("promote", "staging", "--to", "release", *approved(RELEASES, LEAD, "Operations Owner"))
    plan = json.loads(clone.mirror("--json", *to_release, "--dry-run"))["plan"]
    assert [(move["model"], move["environment"], move["before"]) for move in plan["models"]] == [
        (f"{FLEET}/models/isolation_forest", "production", None)
    ]
    clone.mirror(*to_release)
    assert set(clone.outcomes().values()) <= {"PASS", "NOT_APPLICABLE"}
    assert clone.git("tag", "--list") == "release-1"
    listed = json.loads(clone.mirror("--json", "models", "list"))
    assert "production" in json.dumps(listed)
    assert "device_id" in clone.mirror("show", f"{FLEET}/device_alerts", "--branch", "release")

    # Back, and the log tells of everything.
    undo = ("rollback", "--promotion", "release-1", "--branch", "release", "--approve-as", RELEASES)
    clone.mirror(*undo, "--reason", "nobody needs it", "--apply")
    assert "REVIEWED" not in clone.git("show", f"release:{CHANGED}")
    told = replay(read_audit(Repository(clone.path)))
    assert {name: clone.git("rev-parse", name) for name in told.branches} == dict(told.branches)
    there = dict(reversed(line.split("\t")) for line in clone.git("ls-remote", "origin").splitlines())
    assert {name: there[f"refs/heads/{name}"] for name in told.branches} == dict(told.branches)
    clone.mirror("doctor", "--no-spark")
