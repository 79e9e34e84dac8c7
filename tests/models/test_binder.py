"""Which version a model input stands for on a branch, and what a waiting job is told."""

from __future__ import annotations

import pytest

from mirror.builds.specs import ParamSpec
from mirror.datasets import Workspace
from mirror.models import PRODUCTION, STAGING, Governance, ModelBinder
from palantir_models.transforms import ModelInput

from .conftest import FOREST, Publish, training_job

WHO = {"actor": "ada", "approved_by": ["Ada"], "reason": "because"}


def model_input(path: str = FOREST, branch: str | None = None, **settings: str) -> ParamSpec:
    return ParamSpec("model", "model_input", "input", (path,), branch, settings)


def test_a_governed_model_waits_with_the_commands_that_end_the_waiting(workspace: Workspace, publish: Publish) -> None:
    binder = ModelBinder(workspace)
    governance = binder.governance
    nothing = binder.resolve(model_input(), "master")
    assert nothing.version is None
    assert f"run `mirror build {FOREST}`" in str(nothing.waiting)
    publish(0.5)
    waiting = str(binder.resolve(model_input(), "master").waiting)
    assert "is governed by objective 'isolation_forest' and has no production release" in waiting
    submit = f"mirror models submit {FOREST} && "
    staging = f"mirror models release {FOREST} --to staging --approve-as NAME --reason TEXT"
    production = f"mirror models release {FOREST} --to production --approve-as NAME --reason TEXT"
    assert f"`{submit}{staging} && {production}`" in waiting
    assert f"`{submit}{staging}`" in str(binder.resolve(model_input(), "feature/x").waiting)
    governance.submit(FOREST, owner="ada", branch="master")
    governance.release(FOREST, to=STAGING, **WHO)
    assert f"run `{production}`" in str(binder.resolve(model_input(), "release").waiting)


def test_branches_follow_their_environment_and_staging_falls_back_to_production(
    workspace: Workspace, publish: Publish
) -> None:
    binder = ModelBinder(workspace)
    first = publish(0.5)
    binder.governance.submit(FOREST, owner="ada", branch="master")
    for environment in (STAGING, PRODUCTION):
        binder.governance.release(FOREST, to=environment, **WHO)
    second = publish(0.6)
    binder.governance.submit(FOREST, owner="ada", branch="master")
    assert {b: binder.resolve(model_input(), b).version for b in ("master", "release", "develop")} == {
        "master": first, "release": first, "develop": first,
    }  # fmt: skip
    binder.governance.release(FOREST, to=STAGING, **WHO)
    assert {b: binder.resolve(model_input(), b).version for b in ("master", "release", "develop", "feature/x")} == {
        "master": first, "release": first, "develop": second, "feature/x": second,
    }  # fmt: skip
    resolved = binder.resolve(model_input(), "master")
    assert resolved.label == f"{FOREST} 1.0.0 (production release 1)"
    assert resolved.follows_producer is False


def test_a_pin_and_the_inputs_own_branch_win_over_the_release(workspace: Workspace, publish: Publish) -> None:
    binder = ModelBinder(workspace)
    first = publish(0.5)
    other = publish(0.6, branch="develop")
    assert binder.resolve(model_input(model_version="1.0.0"), "master").version == first
    assert binder.resolve(model_input(model_version=other), "master").version == other
    assert binder.resolve(model_input(branch="develop"), "master").version == other
    assert "no version 9.0.0; it has 1.0.0, 1.1.0" in str(
        binder.resolve(model_input(model_version="9.0.0"), "master").waiting
    )


def test_an_ungoverned_model_takes_the_newest_on_the_branch_else_on_the_default_branch(
    workspace: Workspace, publish: Publish
) -> None:
    binder, path = ModelBinder(workspace), "/other/models/plain"
    assert f"run `mirror build {path}`" in str(binder.resolve(model_input(path), "master").waiting)
    assert binder.resolve(model_input(path), "master").follows_producer
    publish(0.5, path=path)
    newest = publish(0.6, path=path)
    own = publish(0.7, path=path, branch="develop")
    assert binder.resolve(model_input(path), "feature/x").version == newest
    assert binder.resolve(model_input(path), "develop").version == own
    output = binder.resolve(ParamSpec("model", "model_output", "output", (path,)), "develop")
    assert output.version == own


def test_an_evaluation_is_recorded_when_its_job_commits_and_not_when_it_fails(
    workspace: Workspace, publish: Publish
) -> None:
    path = "/other/models/plain"
    rid = publish(0.5, path=path)
    registry = Governance(workspace).registry
    declared = ModelInput(path).in_evaluation_set("week 3")
    for fails, expected in ((True, []), (False, [{"auc": 0.9}])):
        binder, job = ModelBinder(workspace), training_job(workspace, path, "master")
        model = declared._bind(binder.bind(declared, binder.resolve(model_input(path), "master"), job))
        evaluation = model.create_evaluation()
        assert model.create_evaluation("other name") is evaluation
        evaluation.log_metric("auc", 0.9)
        if fails:
            binder.abort(job)
        else:
            with workspace.catalog.writing() as connection:
                binder.commit(connection, job)
        found = registry.evaluations(registry.by_rid(rid)[1])
        assert [e["metrics"] for e in found] == expected


def test_an_undeclared_evaluation_is_refused(workspace: Workspace, publish: Publish) -> None:
    path = "/other/models/plain"
    publish(0.5, path=path)
    binder, declared = ModelBinder(workspace), ModelInput(path)
    resolved = binder.resolve(model_input(path), "master")
    model = declared._bind(binder.bind(declared, resolved, training_job(workspace)))
    from palantir_models.errors import ExperimentError

    with pytest.raises(ExperimentError, match=r'@pm.transforms.evaluation\("set name"\)'):
        model.create_evaluation()
