"""The production checklist: a repository where every line is met, and what a line says once something is gone."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mirror.cli import run
from mirror.models import ModelRegistry
from mirror.promotion.audit import AUDIT_REF, audit_commit
from mirror.promotion.git import Repository, clean_environment
from mirror.promotion.review import Answer, ReviewCase, Verdict, known_lines, line, review
from mirror.promotion.suite_record import SuiteRun, content_of, record

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FAMILIES = ("volume", "freshness", "null_rate", "outlier_rate", "feature_drift")
GUEST = "transforms-python/src"

METRIC = """\
  - id: M-{family}
    family: {family}
    thresholds: [{{severity: HIGH, op: ">", value: 3, reason: because}}]
    owner: Data Engineer
    runbook: RB-1
    escalation: ESC-1
"""

FILES = {
    f"{GUEST}/setup.py": (
        "from setuptools import setup\n"
        "setup(entry_points={'transforms.pipelines': ['root = fleet.pipeline:pipeline']})\n"
    ),
    f"{GUEST}/fleet/__init__.py": "",
    f"{GUEST}/fleet/scoring/__init__.py": "",
    f"{GUEST}/fleet/scoring/scores.py": "LIMIT = 1\n",
    f"{GUEST}/fleet/pipeline.py": (
        "from pyspark.sql import types as T\nfrom transforms import expectations as E\n"
        "from transforms.api import Check, Input, Output, Pipeline, transform_df\n\n"
        "@transform_df(\n    Output('/fleet/clean', checks=Check(E.schema().equals({'a': T.LongType()}), 'shape')),\n"
        "    raw=Input('/fleet/raw'),\n)\ndef clean(raw):\n    return raw\n\n"
        "pipeline = Pipeline()\npipeline.add_transforms(clean)\n"
    ),
    f"{GUEST}/fleet/monitoring/metrics.yaml": "metrics:\n" + "".join(METRIC.format(family=f) for f in FAMILIES),
    f"{GUEST}/fleet/monitoring/runbooks.yaml": "runbooks: [{id: RB-1, steps: [look]}]\nescalations: [{id: ESC-1}]\n",
    "transforms-python/conda_recipe/meta.yaml": (
        "requirements:\n  run:\n    - python 3.11.*\n    - transforms {{ PYTHON_TRANSFORMS_VERSION }}\n"
        "    - pandas 2.2.3\n"
    ),
    "requirements.lock": "pandas==2.2.3 \\\n    --hash=sha256:00\n",
    "tests/test_scores.py": "from fleet.scoring.scores import LIMIT\ndef test_one(): ...\ndef test_two(): ...\n",
    "tests/cases/test_cases.py": (
        "import pytest\n@pytest.mark.parametrize('one', [pytest.param(1, marks=pytest.mark.case(name))"
        " for name in ('S-H', 'S-N', 'S-D')])\ndef test_it(one): ...\n"
    ),
    # A case may be proved outside the matrix's folder.
    "tests/elsewhere/test_far.py": "import pytest\n@pytest.mark.case('S-F')\ndef test_it(): ...\n",
    "tests/cases/test_matrix.yaml": (
        "layers:\n  scoring:\n    happy_path: [{id: S-H}]\n    null_inputs: [{id: S-N}]\n"
        "    device_isolation: [{id: S-D}]\n    no_future_leakage: [{id: S-F}]\n"
    ),
    "pytest.ini": "[pytest]\nmarkers =\n    case: x\n",
    "ci/hand_overs.yml": (
        "hand_overs:\n  - {name: scope, why: w, owed_by: Architect, files: docs/*.md, words: [sensors]}\n"
        "  - name: metrics\n    why: w\n    owed_by: ML Platform\n"
        f"    files: {GUEST}/fleet/monitoring/m*.yaml\n    keys: [metrics]\n"
    ),
    "docs/scope.md": "Sensors of the fleet.\n",
    "health/checks/fleet.yaml": (
        "checks:\n  - name: fresh\n    type: timeSinceLastUpdated\n    dataset: /fleet/clean\n    owner: Ada\n"
        "    bounds: {upperBoundInSeconds: 60, severity: MODERATE, reason: h}\n    runbook: RB-1\n"
        "    subscribers: [{who: Ada, level: all failures}]\n"
    ),
    "ci/branches.yml": (
        "protected: [release]\npeople: {Ada: ada@company.example}\nroles: {owner: [Ada]}\nsteps:\n"
        "  - from: main\n    to: release\n    gates:\n"
        "      tests: {reason: r, command: ['true'], limit_seconds: 60}\n"
        "      staging_build: {reason: r, command: ['true'], limit_seconds: 60}\n"
        "      contract_compatibility: {reason: r}\n      approvals: {reason: r, roles: [owner]}\n"
    ),
}


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    """Everything in place: files, an audit entry of a fast suite, a model version with its statistics."""
    root = tmp_path_factory.mktemp("review") / "repository"
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    git(root, "init", "--quiet")
    for key, value in {"user.name": "Ada", "user.email": "ada@company.example"}.items():
        git(root, "config", key, value)
    record_suite(root, "PASS", 42.0)
    publish_model(root, "/fleet/training_statistics")
    return root


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, env=clean_environment())


def record_suite(root: Path, outcome: str, seconds: float) -> None:
    repository = Repository(root)
    moved = {"target": {"branch": "staging", "after": "0" * 40}, "tree": "0" * 40}
    facts = {"kind": "promoted", **moved, "gates": [{"gate": "tests", "outcome": outcome, "seconds": seconds}]}
    commit, before = audit_commit(repository, facts, repository.identity(), NOW)
    repository.move({AUDIT_REF: (commit, before)})


def publish_model(root: Path, source: str) -> None:
    from mirror.datasets import TransactionType, Workspace

    path = root / ".mirror"
    with Workspace.create(path, repository=root, clock=lambda: NOW) as workspace:
        with workspace.store.transaction(
            workspace.store.create(source, exist_ok=True), "master", TransactionType.SNAPSHOT
        ) as opened:
            (root / "statistics.csv").write_text("mean\n1.5\n")
            opened.add(root / "statistics.csv", "statistics.csv")
        registry = ModelRegistry(workspace)
        model = registry.declared("/fleet/models/forest")
        facts = {
            "rid": f"ri.models.main.model-version.{source.rpartition('/')[2]}",
            "branch": "master",
            "adapter": "m:A",
            "location": "x",
            "sha256": "0" * 64,
            "size": 1,
            "api": {},
            "change_type": None,
            "experiment": None,
            "facts": {},
            "provenance": {"inputs": [{"alias": source, "transaction": opened.rid}]},
        }
        with workspace.catalog.writing() as connection:
            registry.record(connection, model, facts)


@pytest.fixture
def case(template, tmp_path) -> ReviewCase:
    root = tmp_path / "repository"
    shutil.copytree(template, root)
    return ReviewCase(root, root / ".mirror", lambda: NOW)


def edit(case: ReviewCase, path: str, old: str, new: str) -> None:
    file = case.repository / path
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def answer(case: ReviewCase, name: str) -> Answer:
    return line(name).examine(case)


@pytest.mark.nightly
def test_every_line_is_met_where_everything_is_in_place(template):
    lines = review(ReviewCase(template, template / ".mirror", lambda: NOW))
    assert [done.name for done in lines] == known_lines()
    assert {done.name: (done.answer.verdict, done.answer.fix) for done in lines} == dict.fromkeys(
        known_lines(), (Verdict.MET, "")
    )
    proofs = {done.name: done.answer.proof for done in lines}
    assert proofs["suite_time"] == "audit entry 1 (2026-01-01T00:00:00+00:00): tests PASS in 42.0 s"
    assert proofs["tests_per_layer"].endswith("scoring 2")
    assert "/fleet/training_statistics at ri.foundry.main.transaction." in proofs["drift_baseline"]
    assert proofs["tests_per_dimension"].endswith("scoring 1/1 1/1 1/1 1/1")
    assert "NaN: nan_values" in proofs["generator_edge_cases"]
    assert proofs["monitoring_families"] == "metrics per family: " + ", ".join(f"{family} 1" for family in FAMILIES)
    assert all(done.says.endswith(".") for done in lines)


METRICS, RUNBOOKS = f"{GUEST}/fleet/monitoring/metrics.yaml", f"{GUEST}/fleet/monitoring/runbooks.yaml"
HEALTH = "health/checks/fleet.yaml"
PIPELINE, RECIPE = f"{GUEST}/fleet/pipeline.py", "transforms-python/conda_recipe/meta.yaml"

TAKEN_AWAY = [
    ("monitoring_families", METRICS, "family: freshness", "family: age", "freshness 0"),
    ("thresholds_justified", METRICS, ", reason: because", "", "M-volume > 3 has no reason"),
    ("thresholds_justified", METRICS, "    owner: Data Engineer\n", "", "M-volume has no owner"),
    (
        "thresholds_justified",
        METRICS,
        "runbook: RB-1",
        "runbook: RB-2",
        "M-volume names runbook 'RB-2', which does not exist",
    ),
    ("thresholds_justified", METRICS, "ESC-1", "ESC-2", "M-volume names escalation 'ESC-2', which does not exist"),
    ("thresholds_justified", HEALTH, ", reason: h}", "}", f"{HEALTH}:6: a threshold of the check 'fresh' has no"),
    ("thresholds_justified", HEALTH, "RB-1", "RB-2", "health check 'fresh' names runbook 'RB-2', which does not exist"),
    ("thresholds_justified", RUNBOOKS, "[look]", "[]", "runbook RB-1 of M-volume has no steps"),
    pytest.param(
        "contracts_declared",
        PIPELINE,
        ", checks=Check(E.schema().equals({'a': T.LongType()}), 'shape')",
        "",
        "no columns: /fleet/clean",
        marks=pytest.mark.nightly,
    ),
    pytest.param(
        "contracts_declared", PIPELINE, "import Check", "import Chck", "has no 'Chck'", marks=pytest.mark.nightly
    ),
    ("recipe_and_lock", RECIPE, "pandas 2.2.3", "pandas 2.2.2", "pandas is 2.2.2 in the recipe and 2.2.3 in the lock"),
    ("recipe_and_lock", RECIPE, "pandas 2.2.3", "polars 1.0", "polars is 1.0 in the recipe and absent in the lock"),
    pytest.param(
        "recipe_and_lock",
        RECIPE,
        "pandas 2.2.3",
        "pandas",
        "pandas is unpinned in the recipe",
        marks=pytest.mark.case("MTR-BI-04"),
    ),
    ("tests_per_layer", "tests/test_scores.py", "fleet.scoring", "fleet_scoring", "scoring 0"),
    (
        "guest_portable",
        f"{GUEST}/fleet/scoring/scores.py",
        "LIMIT",
        "import mirror\nLIMIT",
        "fleet/scoring/scores.py:1 (provided_imports)",
    ),
    (
        "hand_overs",
        "docs/scope.md",
        "Sensors",
        "Parts",
        "scope: docs/scope.md says nothing about sensors (owed by Architect)",
    ),
    ("hand_overs", "ci/hand_overs.yml", "docs/*.md", "docs/*.txt", "scope: no file docs/*.txt (owed by Architect)"),
    ("hand_overs", METRICS, "metrics:", "measures:", "says nothing about metrics (owed by ML Platform)"),
    pytest.param(
        "tests_per_dimension",
        "tests/cases/test_cases.py",
        ", 'S-D'",
        "",
        "missing: scoring device_isolation: S-D",
        marks=pytest.mark.nightly,
    ),
    ("thresholds_justified", HEALTH, "    runbook: RB-1\n", "", "health check 'fresh' has no runbook"),
    ("promotion_policy", "ci/branches.yml", "      tests: ", "      lint: ", "lint, staging_build"),
    ("promotion_policy", "ci/branches.yml", "company.example", "example.org", "nobody real: Ada"),
]


@pytest.mark.parametrize(("name", "path", "old", "new", "proof"), TAKEN_AWAY)
def test_what_is_missing_is_named(case, name, path, old, new, proof):
    edit(case, path, old, new)
    found = answer(case, name)
    assert found.verdict is (Verdict.BLOCKED if name == "hand_overs" else Verdict.NOT_MET)
    assert proof in found.proof
    assert found.fix
    assert found.link


def test_a_slow_or_failed_suite_is_not_met_and_an_unrecorded_one_cannot_be_told(case):
    record_suite(case.repository, "PASS", 60.5)
    assert answer(case, "suite_time").proof.startswith("audit entry 2")
    assert answer(case, "suite_time").verdict is Verdict.NOT_MET
    record_suite(case.repository, "FAIL", 1.0)
    assert answer(case, "suite_time").verdict is Verdict.NOT_MET
    git(case.repository, "update-ref", "-d", AUDIT_REF)
    assert answer(case, "suite_time").verdict is Verdict.CANNOT_TELL


def test_what_make_test_recorded_of_these_files_comes_first(case):
    repository = Repository(case.repository)
    git(case.repository, "commit", "--quiet", "--allow-empty", "--message", "x")
    (case.repository / "code.txt").write_text("not committed yet\n")
    quick = SuiteRun(content_of(repository), "2026-01-01T00:00:00+00:00", "PASS", 7, 59.9, 0.1, 2)

    def verdict(run: SuiteRun) -> tuple[Verdict, str]:
        record(repository, run)
        found = answer(case, "suite_time")
        return found.verdict, found.proof

    assert verdict(quick) == (
        Verdict.MET,
        "`make test` on 2026-01-01T00:00:00+00:00: PASS, 7 tests in 59.9 s of 60 s",
    )
    assert verdict(replace(quick, outcome="FAIL"))[0] is Verdict.NOT_MET
    slow = replace(quick, seconds=60.0)
    assert verdict(slow)[0] is Verdict.NOT_MET
    told, proof = verdict(replace(slow, busy=3.0))
    assert (told, proof.endswith("other work kept 3 of 2 cores busy when it began")) == (Verdict.CANNOT_TELL, True)
    # The promise is the policy's, the strictest of its steps.
    edit(
        case,
        "ci/branches.yml",
        "      tests: ",
        "      timing: {reason: r, together_seconds: 9, tests_seconds: 70}\n      tests: ",
    )
    slow = replace(slow, content=content_of(repository))
    assert verdict(slow)[0] is Verdict.MET
    # Of other files it proves nothing; then the last promotion counts, or nobody knows.
    (case.repository / "code.txt").write_text("changed\n")
    assert verdict(slow) == (
        Verdict.MET,
        "`make test` on 2026-01-01T00:00:00+00:00: PASS, 7 tests in 60.0 s of 70 s, but files have changed since; "
        "audit entry 1 (2026-01-01T00:00:00+00:00): tests PASS in 42.0 s",
    )
    git(case.repository, "update-ref", "-d", AUDIT_REF)
    assert verdict(slow)[0] is Verdict.CANNOT_TELL


def test_the_newest_model_version_counts_and_without_a_workspace_nothing_is_claimed(case):
    location = next((case.workspace_path / "data").rglob("statistics*.csv"))
    text = location.read_text()
    location.write_text("mean\n2.5\n")
    assert "statistics.csv is not what was written" in answer(case, "drift_baseline").proof
    location.write_text(text)
    publish_model(case.repository, "/fleet/training_data")
    found = answer(case, "drift_baseline")
    assert found.verdict is Verdict.NOT_MET
    assert "/fleet/models/forest" in found.proof
    shutil.rmtree(case.workspace_path)
    found = answer(case, "drift_baseline")
    assert found.verdict is Verdict.CANNOT_TELL
    assert str(case.workspace_path) in found.proof


def test_the_command_prints_each_line_and_exits_by_the_worst(case, capsys, monkeypatch):
    monkeypatch.setattr("mirror.promotion.review.known_lines", lambda: ["monitoring_families", "suite_time"])
    arguments = ["--workspace", str(case.workspace_path), "--json", "review", "--repo", str(case.repository)]
    assert run(arguments) == 0
    record_suite(case.repository, "FAIL", 1.0)
    assert run(arguments) == 1
    git(case.repository, "update-ref", "-d", AUDIT_REF)
    edit(case, METRICS, "metrics:", "metrics: {")
    capsys.readouterr()
    assert run(arguments) == 0
    lines = json.loads(capsys.readouterr().out)["lines"]
    assert [entry["verdict"] for entry in lines] == ["cannot tell", "cannot tell"]
    assert f"{METRICS}:2: not valid YAML" in lines[0]["proof"]
    assert run([*arguments, "--strict"]) == 1
    capsys.readouterr()
    assert run([a for a in arguments if a != "--json"]) == 0
    assert capsys.readouterr().out.endswith("0 met, 0 not met, 0 blocked, 2 cannot tell\n")
