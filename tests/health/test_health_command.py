"""``mirror health`` with checks: what it prints, what it exits with, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mirror.builds import CheckEntry, JobStatus, journal
from mirror.builds import tables as builds
from mirror.cli import run
from mirror.datasets import Workspace

CHECKS = """\
defaults: {owner: Data Engineer, view: fleet, subscribers: [{who: Ada}]}
checks:
  - name: enough rows
    type: rowCount
    dataset: /Fleet/a/clean
    bounds: {lowerBound: 3, severity: MODERATE, reason: fewer are a stall}
    runbook: RB-01
    notes: look upstream
  - {name: text of s, type: columnRegex, dataset: /Fleet/a/clean, columnName: s, regex: a,
     severity: CRITICAL, reason: r}
  - {name: not built, type: jobStatus, dataset: /Fleet/a/clean, severity: CRITICAL, reason: r, view: builds}
  - {name: key, type: dataExpectation, dataset: /Fleet/a/clean, expectation: k is there, severity: MODERATE, reason: r}
"""


@pytest.fixture
def ask(workspace: Workspace, commit: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """``ask("run", ...)`` gives exit code, stdout and stderr of ``mirror health``."""
    folder = tmp_path / "health" / "checks"
    folder.mkdir(parents=True)
    (folder / "fleet.yaml").write_text(CHECKS)
    commit("/Fleet/a/clean", [{"s": "a"}, {"s": "b"}])

    def command(*words: str, as_json: bool = False) -> tuple[int, str, str]:
        capsys.readouterr()
        options = ["--workspace", str(workspace.path), *(["--json"] if as_json else [])]
        code = run([*options, "health", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


def judge(workspace: Workspace, name: str, outcome: str, on_error: str) -> None:
    """Writes one verdict of a data expectation down, as a job does."""
    workspace.catalog.ensure(*builds.ROOM)
    rid = journal.start_build(workspace, "master", ())
    job = journal.job_rid(rid, name)
    dataset = workspace.store.dataset("/Fleet/a/clean")
    entry = CheckEntry("out", dataset.path, "output", name, on_error, outcome, {"detail": "nulls in k: 2"})
    with workspace.catalog.writing() as connection:
        values = {"rid": job, "build_rid": rid, "reference": name, "branch": "master", "reason": "r"}
        connection.execute(builds.jobs.insert().values(**values, status="running", started_at=workspace.clock()))
        journal.finish_job(connection, job, JobStatus.SUCCEEDED, workspace.clock())
        journal.keep_checks(connection, job, "master", [entry], {dataset.path: dataset}, {}, workspace.clock())


def test_run_overview_and_history_tell_the_same(ask: Any, commit: Any, clock: Any) -> None:
    code, out, _ = ask("run")
    assert code == 1
    assert (
        "/Fleet/a/clean  enough rows  FAILED MODERATE  rows: 2 is below 3 (MODERATE: fewer are a stall) [told: Ada]"
    ) in out
    assert "owner Data Engineer; RB-01: look upstream" in out
    assert "not evaluated  text of s: neither footers nor kept states tell violations(E.col('s').rlike('a'))" in out
    assert "2 have nothing to judge yet (NOT_APPLICABLE)" in out
    assert ask("run", "--critical")[0] == 0, "only CRITICAL failures count"
    assert ask("run", "--view", "builds")[0] == 0
    assert ask("run", "--under", "/Fleet/b")[1] == (
        "no health check is about branch master here; health/checks/*.yaml declares them\n"
    )
    code, out, _ = ask()
    assert code == 1
    assert next(line for line in out.splitlines() if line.startswith("/Fleet/a/clean")).split()[1] == "ok"
    assert "enough rows  FAILED MODERATE" in out
    assert "1 health checks were never evaluated; `mirror health run` does" in out
    commit("/Fleet/a/clean", [{"s": "c"}])
    clock.advance(minutes=1)
    assert ask("run", "--check", "enough rows")[0] == 0
    code, out, _ = ask("history", "enough rows", "--limit", "2")
    assert code == 0
    newest, before = out.splitlines()[1:]
    assert newest.endswith("  PASSED  rows: 3 [recovered; told: Ada]")
    assert "FAILED MODERATE  rows: 2 is below 3" in before


def test_json_carries_the_configuration_and_who_was_told(ask: Any) -> None:
    code, out, _ = ask("run", as_json=True)
    document = json.loads(out)
    assert (code, document["failing"], len(document["reports"])) == (1, True, 3)
    failed = document["reports"][0]
    assert (failed["status"], failed["severity"], failed["notified"]) == ("FAILED", "MODERATE", ["Ada"])
    assert failed["config"]["bounds"] == [{"severity": "MODERATE", "reason": "fewer are a stall", "lowerBound": 3}]
    assert [one["check"] for one in document["unsettled"]] == ["text of s"]
    (condition,) = json.loads(ask(as_json=True)[1])
    assert condition["state"] == "ok"
    assert [one["check"] for one in condition["checks"]] == ["enough rows", "not built", "key"]
    (first,) = json.loads(ask("history", "key", as_json=True)[1])
    assert first["status"] == "NOT_APPLICABLE"


def test_a_data_expectation_reports_under_its_own_name(ask: Any, workspace: Workspace, clock: Any) -> None:
    said = []
    for outcome, on_error in (("PASS", "FAIL"), ("FAIL", "WARN"), ("FAIL", "FAIL"), ("ERROR", "WARN")):
        clock.advance(minutes=1)
        judge(workspace, "k is there", outcome, on_error)
        code, out, _ = ask("run", "--check", "key", as_json=True)
        said.append((json.loads(out)["reports"][0]["status"], code))
    assert said == [("PASSED", 0), ("WARNING", 0), ("FAILED", 1), ("ERROR", 1)]


def test_an_expectation_that_no_build_judged_is_not_computable(ask: Any, workspace: Workspace) -> None:
    judge(workspace, "k is here", "PASS", "FAIL")
    code, out, _ = ask("run", "--check", "key")
    assert code == 1
    assert "no build judged a check 'k is there' of /Fleet/a/clean. Did you mean 'k is here'?" in out


def test_wrong_use_and_wrong_files_are_refused(ask: Any, tmp_path: Path) -> None:
    for words, said in {
        (
            "run",
            "--check",
            "enough row",
        ): "no health check is called 'enough row' in health/checks. Did you mean 'enough",
        ("history", "nothing"): "no health check is called 'nothing' in health/checks.",
        ("history",): "give the CHECK whose history to show",
        ("run", "/Fleet"): "give one folder, `run`, or `history CHECK`",
        ("/Fleet", "--content"): "--check, --under and --content go with `mirror health run`",
        ("run", "--branch", "mastr"): "no dataset has a branch 'mastr'. Did you mean 'master'?",
    }.items():
        code, _, error = ask(*words)
        assert (code, said in error) == (2, True), (words, error)
    (tmp_path / "health" / "checks" / "fleet.yaml").write_text(CHECKS.replace(", reason: fewer are a stall", ""))
    code, _, error = ask()
    assert code == 2
    assert error.startswith("error: health/checks/fleet.yaml:6: a threshold of the check 'enough rows' has no reason")
