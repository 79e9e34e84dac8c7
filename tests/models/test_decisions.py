"""Releases, rollbacks and trials as rows that scoring reads, and what the second bound version is."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from mirror.builds.specs import ParamSpec
from mirror.datasets import Workspace
from mirror.datasets.storage import local_paths
from mirror.models import PRODUCTION, STAGING, Governance, ModelBinder
from mirror.models.errors import ReleaseRefusedError

from .conftest import FOREST, OBJECTIVES, Publish

ADA = {"actor": "ada", "approved_by": ["Ada"], "reason": 'because "it", is better'}
LANDING = "/Fleet/air_handler/release_landing"


@pytest.fixture
def governance(workspace: Workspace) -> Governance:
    text = OBJECTIVES.replace("    owner:", '    decisions: "{fleet}/release_landing"\n    owner:')
    (workspace.config.repository / "ci" / "objectives.yml").write_text(text)
    return Governance(workspace)


def put(governance: Governance, publish: Publish, limit: float, *environments: str, **facts: Any) -> None:
    publish(limit, **facts)
    governance.submit(FOREST, owner="ada", branch="master")
    for environment in environments:
        governance.release(FOREST, to=environment, **ADA)


def written(workspace: Workspace) -> list[dict[str, str]]:
    dataset = workspace.store.dataset(LANDING)
    entries = sorted(workspace.store.view(dataset).entries, key=lambda entry: entry.path)
    rows: list[dict[str, str]] = []
    for path in local_paths(entries):
        with open(path, encoding="utf-8", newline="") as stream:
            rows += csv.DictReader(stream)
    return rows


def told(workspace: Workspace) -> list[tuple[str, str, str]]:
    return [(row["deployment_role"], row["model_version"], row["traffic_fraction"]) for row in written(workspace)]


def test_every_decision_is_a_row_and_repeating_a_command_adds_none(governance: Governance, publish: Publish) -> None:
    workspace = governance.workspace
    named = {"model_id": "isolation_forest_v1"}
    put(governance, publish, 0.5, STAGING, PRODUCTION, model_version="7.0.0", **named)
    put(governance, publish, 0.6, STAGING, model_version="7.1.0", **named)
    governance.try_out(FOREST, role="shadow", share=1.0, **ADA)
    governance.try_out(FOREST, role="canary_live", share=0.05, **ADA)
    again = governance.try_out(FOREST, role="canary_live", share=0.05, **ADA)
    assert (again.changed, again.sentence) == (False, f"{FOREST} 1.1.0 is tried so already (trial 2)")
    governance.release(FOREST, to=PRODUCTION, **ADA)
    governance.release(FOREST, to=PRODUCTION, **ADA)
    governance.rollback(FOREST, environment=PRODUCTION, **ADA)
    assert told(workspace) == [
        ("challenger", "7.0.0", "1.0"),
        ("champion", "7.0.0", "1.0"),
        ("challenger", "7.1.0", "1.0"),
        ("shadow", "7.1.0", "1.0"),
        ("canary_live", "7.1.0", "0.05"),
        ("champion", "7.1.0", "1.0"),
        ("champion", "7.0.0", "1.0"),
    ]
    rows = written(workspace)
    assert rows[-1]["change_reason"] == 'rollback: because "it", is better'
    assert {(row["model_family"], row["region"], row["approved_by_role"]) for row in rows} == {
        ("isolation_forest", "ALL", "Ada")
    }
    assert len({row["effective_from"] for row in rows}) == len(rows)


def test_what_a_crash_left_out_is_written_by_the_next_command(
    governance: Governance, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("mirror.models.releasing.write_decisions", lambda *args: None)
        put(governance, publish, 0.5, STAGING)
    governance.release(FOREST, to=STAGING, **ADA)
    assert told(governance.workspace) == [("challenger", "1.0.0", "1.0")]
    assert written(governance.workspace)[0]["model_id"] == "isolation_forest_v1"


def test_an_objective_without_the_dataset_writes_none(workspace: Workspace, publish: Publish) -> None:
    put(Governance(workspace), publish, 0.5, STAGING)
    assert workspace.store.find(LANDING) is None


def test_what_cannot_be_tried_is_refused_and_on_record(governance: Governance, publish: Publish) -> None:
    put(governance, publish, 0.5)
    problems = []

    def refused(share: float = 1.0, **who: Any) -> None:
        with pytest.raises(ReleaseRefusedError) as caught:
            governance.try_out(FOREST, role="shadow", share=share, **{**ADA, **who})
        problems.append(str(caught.value).removeprefix(FOREST))

    refused()
    for environment in (STAGING, PRODUCTION):
        governance.release(FOREST, to=environment, **ADA)
    refused()
    put(governance, publish, 0.6, STAGING)
    refused(1.5)
    refused(approved_by=[])
    assert problems == [
        " 1.0.0 is not tried in production: nothing is in staging. Release it there first.",
        " 1.0.0 is not tried in production: there is no other version in production to compare it with. "
        "Release a newer version to staging.",
        " 1.1.0 is not tried in production: 1.5 is no share of devices. Give one from 0 to 1; 0 ends it.",
        " 1.1.0 is not tried in production: it has 0 approval(s) of 1. Give one `--approve-as NAME` per approver.",
    ]
    model = governance.registry.model(FOREST)
    assert [entry.outcome for entry in governance.trail(model) if entry.action == "trial"] == ["refused"] * 4
    assert governance.trials(model) == ()


def test_an_input_on_the_staging_branch_is_what_is_in_staging(governance: Governance, publish: Publish) -> None:
    put(governance, publish, 0.5, STAGING, PRODUCTION)
    put(governance, publish, 0.6, STAGING)
    binder = ModelBinder(governance.workspace, governance)
    staged = ParamSpec("challenger", "model_input", "input", (FOREST,), branch="staging")
    plain = ParamSpec("model", "model_input", "input", (FOREST,))
    for branch, versions in (("master", ("1.0.0", "1.1.0")), ("feature", ("1.1.0", "1.1.0"))):
        found = tuple(binder.resolve(param, branch).detail.semantic for param in (plain, staged))
        assert found == versions
    publish(0.7, branch="staging")
    assert binder.resolve(staged, "master").detail.semantic == "1.2.0"
