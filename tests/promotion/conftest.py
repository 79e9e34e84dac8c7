"""A real repository, made once and copied per test: staging, release, and a feature that changes one file."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mirror.promotion.git import Repository, clean_environment
from mirror.promotion.promote import Heard, PromotionOutcome, PromotionRequest, promote

POLICY = """\
protected: [staging, release]
people:
  Ada: ada@example.org
  Grace: grace@example.org
roles:
  owner: [Ada, Grace]
  release manager: [Grace]
contracts: ["contracts/**/*.yaml"]
steps:
  - from: feature/*
    to: staging
    gates:
      lint: {reason: style, command: [grep, -q, fine, code.txt], limit_seconds: 20}
      contract_compatibility: {reason: consumers}
      approvals: {reason: four eyes, roles: [owner]}
  - from: staging
    to: release
    tag: release-{n}
    gates:
      tests: {reason: proof, command: [test, -f, code.txt], limit_seconds: 20}
      approvals: {reason: four eyes, roles: [release manager]}
    rebuild: {reason: data follows logic, command: [sh, -c, 'cat code.txt > "$0"', "{workspace}"], limit_seconds: 20}
"""

CONTRACT = """\
dataset: readings
write_mode: append
primary_key: [device, at]
columns:
  - {name: device, type: string, nullable: false, meaning: who}
  - {name: at, type: timestamp, nullable: false, meaning: when}
  - {name: value, type: double, nullable: true, meaning: reading}
"""


class World:
    """One clone, driven as a person would."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.gates: list[str] = []
        self.steps: list[str] = []

    def clock(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    @property
    def repository(self) -> Repository:
        return Repository(self.path)

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, capture_output=True, text=True, check=False, env=clean_environment()
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, message: str, **files: str | None) -> str:
        """Writes (or, for ``None``, removes) files whose names carry ``__`` for a slash and ``_`` before the suffix."""
        for name, text in files.items():
            stem, _, suffix = name.replace("__", "/").rpartition("_")
            file = self.path / f"{stem}.{suffix}"
            if text is None:
                file.unlink()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def head(self, branch: str) -> str:
        return self.git("rev-parse", f"refs/heads/{branch}")

    def audit(self) -> list[dict[str, object]]:
        if "refs/mirror/audit" not in self.git("for-each-ref", "--format=%(refname)"):
            return []
        return [json.loads(line) for line in self.git("show", "refs/mirror/audit:audit.jsonl").splitlines()]

    def request(
        self, source: str = "feature/x", target: str = "staging", *approvals: str, **more: object
    ) -> PromotionRequest:
        return PromotionRequest(source, target, self.path.parent / "workspace", approvals, **more)  # type: ignore[arg-type]  # tests pass fields by name

    def promote(
        self, source: str = "feature/x", target: str = "staging", *approvals: str, **more: object
    ) -> PromotionOutcome:
        return promote(
            self.repository, self.request(source, target, *approvals, **more), clock=self.clock, heard=self.heard
        )

    @property
    def heard(self) -> Heard:
        return Heard(self.steps.append, lambda result: self.gates.append(f"{result.gate} {result.outcome}"))

    def untouched(self) -> Callable[[], bool]:
        """A question to ask later: do branches, tags and the work tree still look as now?"""
        before = (self.git("for-each-ref", "refs/heads", "refs/tags"), self.git("status", "--porcelain"))
        return lambda: (
            before == (self.git("for-each-ref", "refs/heads", "refs/tags"), self.git("status", "--porcelain"))
        )


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("promotion") / "clone"
    path.mkdir()
    world = World(path)
    world.git("init", "--quiet", "--initial-branch", "main")
    for key, value in {"user.name": "Ada", "user.email": "ada@example.org", "gc.auto": "0"}.items():
        world.git("config", key, value)
    world.commit("Start", ci__branches_yml=POLICY, code_txt="fine\n", contracts__readings_yaml=CONTRACT)
    world.git("branch", "staging")
    world.git("branch", "release")
    world.git("switch", "--quiet", "--create", "feature/x")
    world.commit("Read faster", code_txt="fine and fast\n")
    return path


@pytest.fixture
def world(template: Path, tmp_path: Path) -> World:
    path = tmp_path / "clone"
    shutil.copytree(template, path, symlinks=True)
    return World(path)
