"""What the gates that read the merged tree, the plan and the workspace find, each by a case it must not let through."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from mirror.builds import JobSpec, ParamSpec, journal, tables
from mirror.builds.report import CheckEntry, JobStatus
from mirror.datasets import TransactionType, Workspace
from mirror.datasets.pointing import point_branch
from mirror.promotion.contracts import Column, Contract, Unreadable
from mirror.promotion.declared import Declared
from mirror.promotion.gates import GateCase, GateSettings, gate, run_gates
from mirror.promotion.jobs import JobComparison
from mirror.promotion.verdict import GateResult, Outcome

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SOURCE = "transforms-python/src"


def settings(name: str, **values: object) -> GateSettings:
    return GateSettings(name, "because", values)  # type: ignore[arg-type]  # as the policy gives them


def job(made: str, *read: str) -> JobSpec:
    params = tuple(ParamSpec(f"i{n}", "dataset_input", "input", (path,)) for n, path in enumerate(read))
    return JobSpec(
        f"m:{made}", made, "m.py:1", "spark", "v", (*params, ParamSpec("o", "dataset_output", "output", (made,)))
    )


@pytest.fixture
def case(tmp_path) -> GateCase:
    plan = SimpleNamespace(
        source="staging",
        target="release",
        files=(("M", "src/a.py"),),
        declared=Declared(),
        jobs=JobComparison(),
        models=(),
        policy=SimpleNamespace(transforms="."),
        step=SimpleNamespace(fallbacks=()),
    )
    tree = tmp_path / "tree"
    tree.mkdir()
    return GateCase(plan, tree, tmp_path, (), (), {}, lambda: NOW, tmp_path / "workspace")  # type: ignore[arg-type]  # a plan's part


def declaring(case: GateCase, *contracts: Contract | Unreadable, specs: tuple[JobSpec, ...] = ()) -> GateCase:
    case.plan.declared = Declared(contracts, specs)  # type: ignore[misc]  # a stand-in for the frozen plan
    return case


def write(case: GateCase, **files: str) -> None:
    for name, text in files.items():
        file = case.tree / name.replace("__", "/").replace("_yaml", ".yaml").replace("_yml", ".yml")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def judged(case: GateCase, name: str, **values: object) -> GateResult:
    return gate(name).judge(case, settings(name, **values))


def test_domain_files(case):
    assert judged(case, "domain_files", files=("ci/*.yml",)).outcome is Outcome.NOT_APPLICABLE
    write(case, ci__a_yml="a: {b: 1, c: 2}\n", deep__er__b_yaml="- {x: 1}\n")
    assert judged(case, "domain_files", files=("**/*.y*ml",)).summary.startswith("2 files can be read")
    write(case, ci__a_yml="a: {b: 1, b: 2}\n", deep__er__b_yaml="- {x: \n", ci__objectives_yml="objectives: {m: {}}\n")
    found = judged(case, "domain_files", files=("**/*.y*ml",))
    assert found.outcome is Outcome.FAIL
    assert [line.partition(" ")[0] for line in found.evidence] == [
        "ci/a.yml:1:",
        "deep/er/b.yaml:2:",
        "ci/objectives.yml:1:",
    ]
    assert "the key 'b' is given twice" in found.evidence[0]


def test_conformance(case):
    columns = (Column("device", "string", False), Column("value", "long", True))
    contract = Contract("/fleet/clean", "m.py", columns, ("device",))
    declaring(case, contract, Contract("/fleet/free", "m.py", (), declares_columns=False))
    write(
        case,
        contracts__clean_yaml=(
            "dataset: clean\ncolumns:\n  - {name: device, type: string, nullable: false}\n"
            "  - {name: value, type: bigint, nullable: false}\n  - {name: note, type: string}\n  - {each: sensor}\n"
        ),
        contracts__lost_yaml="dataset: lost\ncolumns: []\n",
        contracts__kept_yaml="dataset: kept\ncolumns: []\n",
    )
    found = judged(case, "contract_conformance", files=("contracts/*.yaml",), unbound=("kept",))
    assert found.evidence == (
        "/fleet/free (m.py) declares no columns",
        "contracts/clean.yaml: /fleet/clean.value is promised in every row and no FAIL check sees to it",
        "contracts/clean.yaml: /fleet/clean declares no column note",
        "contracts/lost.yaml: no transform writes a dataset called lost",
    )
    # A contract that several datasets keep under names of their own is compared with each of them.
    families = {"lost": ("/fleet/runs/*",), "kept": ("/fleet/none/*",)}
    declaring(case, Contract("/fleet/runs/forest", "m.py", columns), Contract("/fleet/runs/wood", "m.py", columns))
    write(
        case,
        contracts__lost_yaml="dataset: lost\ncolumns: [{name: value, type: int}]\n",
        contracts__clean_yaml="note: gone\n",
    )
    found = judged(case, "contract_conformance", files=("contracts/*.yaml",), written_as=families)
    assert found.evidence == (
        "contracts/kept.yaml: no transform writes a dataset called kept",
        "contracts/lost.yaml: /fleet/runs/forest.value is declared as long and promised as int",
        "contracts/lost.yaml: /fleet/runs/wood.value is declared as long and promised as int",
    )
    assert judged(declaring(case, contract), "contract_conformance").outcome is Outcome.PASS
    broken = judged(declaring(case, Unreadable("m.py", "it cannot be imported")), "contract_conformance")
    assert (broken.outcome, broken.summary) == (Outcome.FAIL, "it cannot be imported.")


def test_dry_build(case):
    declaring(case, specs=(job("/a", "/landing/x"), job("/b", "/a", "/nowhere")))
    found = judged(case, "dry_build", ingested=("/landing/*",))
    assert found.outcome is Outcome.FAIL
    assert found.evidence == ("/nowhere, read by m:/b",)
    assert judged(case, "dry_build", ingested=("/landing/*", "/nowhere")).outcome is Outcome.PASS
    case.plan.jobs = JobComparison(problem="a cycle: /a -> /b -> /a")  # type: ignore[misc]  # a stand-in for the frozen plan
    assert judged(case, "dry_build", ingested=("/**",)).summary == "a cycle: /a -> /b -> /a."


def test_documents(case):
    rules = {"src/**": ("docs/*.md",), "models/**": ("docs/model.md",)}
    assert judged(case, "documents", described_by=rules).fix == "Say what changed in docs/*.md."
    case.plan.files = (("M", "src/a.py"), ("M", "docs/a.md"))  # type: ignore[misc]  # a stand-in for the frozen plan
    assert judged(case, "documents", described_by=rules).outcome is Outcome.PASS
    assert judged(case, "documents", described_by={"x/**": ("y",)}).outcome is Outcome.NOT_APPLICABLE


def test_timing(case):
    heard = (GateResult("tests", Outcome.PASS, "", seconds=61.0), GateResult("lint", Outcome.PASS, "", seconds=10.0))
    timed = replace(case, heard=heard)
    assert judged(timed, "timing", together_seconds=300.0).outcome is Outcome.PASS
    slow = judged(timed, "timing", together_seconds=70.0, tests_seconds=60.0)
    assert slow.summary == "all together took 71.0 s of 70 s; tests took 61.0 s of 60 s."
    assert judged(case, "timing", together_seconds=300.0).outcome is Outcome.NOT_APPLICABLE


def test_a_gate_that_never_comes_back_blocks(case, monkeypatch):
    never = threading.Event()
    monkeypatch.setattr(gate("lint"), "judge", lambda *_: never.wait(30))
    (hung,) = run_gates(case, [GateSettings("lint", "r", {}, limit_seconds=0.05)], lambda _: None)
    never.set()
    assert (hung.outcome, hung.blocks) == (Outcome.ERROR, True)
    assert "gave no answer within 0.05 s" in hung.summary


@pytest.fixture
def workspace(case):
    with Workspace.create(case.workspace, repository=case.tree, clock=lambda: NOW) as opened:
        yield opened


def put(workspace: Workspace, folder: Path, branch: str, frame: pd.DataFrame) -> None:
    """A snapshot of ``frame`` on a branch of /fleet/clean, with its schema."""
    from mirror.datasets.ingest import ingest

    file = folder / f"{branch}.parquet"
    frame.to_parquet(file, index=False)
    ingest(workspace, "/fleet/clean", [str(file)], branch=branch, kind=TransactionType.SNAPSHOT)


def test_data_diff(case, workspace, tmp_path):
    limits = {"datasets": ("/fleet/*",), "max_row_change_percent": 10.0, "max_null_change_points": 2.0}
    put(workspace, tmp_path, "release", pd.DataFrame({"value": [1.0, 2.0, 3.0, 4.0], "name": ["a"] * 4}))
    assert judged(case, "data_diff", **limits).outcome is Outcome.NOT_APPLICABLE
    put(workspace, tmp_path, "staging", pd.DataFrame({"value": [1.0, 9.0, None, 4.0, 2.0], "name": ["a"] * 5}))
    found = judged(case, "data_diff", **limits, max_range_growth_percent=50.0)
    assert found.evidence == (
        "/fleet/clean: rows 4 -> 5 (+25.0 %, limit 10 %)",
        "/fleet/clean: nulls of value +20.0 points (limit 2)",
        "/fleet/clean: range of value 1 to 4 -> 1 to 9 (limit 50 % beyond)",
        "/fleet/clean: 4 -> 5 rows",
    )
    wide = {**limits, "max_row_change_percent": 25.0, "max_null_change_points": 20.0}
    assert judged(case, "data_diff", **wide, max_range_growth_percent=200.0).outcome is Outcome.PASS


def warn(workspace: Workspace, branch: str, **outcomes: str) -> None:
    """A job that commits a snapshot of /fleet/clean on a branch, with verdicts of checks that only warn."""
    spec, dataset = job("/fleet/clean"), workspace.store.create("/fleet/clean", exist_ok=True)
    workspace.catalog.ensure(*tables.ROOM)
    build = journal.start_build(workspace, branch, ())
    started = journal.start_job(workspace, build, spec, branch, "", NOW)
    opened = workspace.store.open_transaction(dataset, branch, TransactionType.SNAPSHOT)
    entries = [
        CheckEntry("o", "/fleet/clean", "output", name, "WARN", outcome, {"detail": f"{name} was looked at"})
        for name, outcome in outcomes.items()
    ]

    def keep(connection) -> None:
        journal.finish_job(connection, started, JobStatus.SUCCEEDED, NOW)
        judged = {"/fleet/clean": opened.rid}
        journal.keep_checks(connection, started, branch, entries, {"/fleet/clean": dataset}, judged, NOW)

    opened.commit(keep)


def test_new_warnings(case, workspace):
    assert judged(case, "new_warnings").outcome is Outcome.NOT_APPLICABLE
    warn(workspace, "staging", late="PASS", rows="FAIL")
    first = judged(case, "new_warnings")
    assert first.outcome is Outcome.NOT_APPLICABLE
    assert first.summary == "'release' has no verdicts yet to compare with; 1 checks warn in branch 'staging'."
    assert first.evidence == ("/fleet/clean: rows: rows was looked at",)

    # Production warns of the same already; what was taken over was judged on the branch that made it.
    warn(workspace, "master", late="PASS", rows="FAIL")
    made = workspace.store.view(workspace.store.dataset("/fleet/clean"), "master").end_rid
    point_branch(workspace.store, "release", {"/fleet/clean": made})
    same = judged(case, "new_warnings")
    assert (same.outcome, same.summary) == (
        Outcome.PASS,
        "2 checks that only warn, 1 do in branch 'staging', none of them new.",
    )

    # The staging build, where there is one, is what counts.
    with Workspace.create(case.scratch / "staging_build-workspace", repository=case.tree, clock=lambda: NOW) as built:
        warn(built, "master", late="FAIL", rows="FAIL")
    found = judged(case, "new_warnings")
    assert found.outcome is Outcome.FAIL
    assert found.summary.endswith("2 do in the staging build; new: 'late' of /fleet/clean.")
    assert judged(case, "new_warnings", known={"late": ("Ada, ticket 7",)}).outcome is Outcome.PASS


def test_infrastructure(case, workspace):
    write(case, **{"transforms-python__src__setup.py": "setup(entry_points={})\n"})
    recipe = "requirements:\n  run:\n    - python 3.11.*\n    - pandas {}\n    - palantir_models 1\n"
    write(case, **{"transforms-python__conda_recipe__meta_yaml": recipe.format("1.0.0")})
    declaring(case, specs=(job("/fleet/scores", "/fleet/lost"),))
    wanted = {
        "devices": 100000.0,
        "features": 50.0,
        "driver_megabytes": 8000.0,
        "watched": ("/fleet/*",),
        "provided_by_foundry": ("palantir_models",),
    }
    found = judged(case, "infrastructure", **wanted)
    lines = dict(line.split(": ", 1) for line in found.evidence)
    assert found.outcome is Outcome.FAIL
    assert lines["artefacts load"] == "yes: no model scores there"
    assert lines["packages as pinned"] == f"no: pandas is {pd.__version__}, the recipe says 1.0.0"
    assert lines["health checks and subscribers"] == "no: nobody watches /fleet/scores"
    assert lines["scoring fits in memory"] == "yes: 100,000 devices with 50 features take 80 MB of 8,000 MB"
    assert lines["inputs are readable"] == "yes: 0 of 1 ingested inputs hold data"
    assert lines["compute profile"].startswith("not seen")
    write(case, **{"transforms-python__conda_recipe__meta_yaml": recipe.format(pd.__version__)})
    assert judged(case, "infrastructure", **{**wanted, "watched": ()}).outcome is Outcome.PASS
    told = {**wanted, "watched": (), "scoring_minutes": 12.0, "scoring_minutes_limit": 30.0}
    told["secrets_until"] = {"weather": ("2026-01-15",), "landing": ("2027-01-01",)}
    assert judged(case, "infrastructure", **told).summary == "8 of 8 checks hold, the rest is not seen here."
    late = judged(case, "infrastructure", **{**told, "scoring_minutes": 31.0, "secrets_days": 15.0})
    assert late.evidence[-2:] == (
        "compute profile: no: scoring 100,000 devices took 31 of 30 minutes there",
        "secrets of sources: no: weather ends on 2026-01-15, in 14 days of 15",
    )
    assert (
        "'soon' is no day" in judged(case, "infrastructure", **{**told, "secrets_until": {"w": ("soon",)}}).evidence[-1]
    )
    tight = judged(case, "infrastructure", **{**wanted, "watched": (), "driver_megabytes": 70.0})
    assert tight.summary == "1 of 8 checks do not hold: scoring fits in memory."
