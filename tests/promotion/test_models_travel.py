"""A model release comes along with a promotion, only when its objective lets it, and goes back with it."""

from __future__ import annotations

import pytest
from stamped_repository import more_raw, write
from threshold_adapter import Threshold
from warm_process import run_warm

from mirror.builds.resources import RunningJob
from mirror.builds.specs import JobSpec, ParamSpec
from mirror.datasets import Workspace
from mirror.models import Governance, ModelBinder
from mirror.promotion.errors import GateRefusedError, RebuildFailedError
from mirror.promotion.promote import resume, show_plan
from mirror.promotion.rollback import RollbackRequest, roll_back

MODEL = "/fleet/models/limit"

OBJECTIVES = f"""\
objectives:
  limit:
    model: {MODEL}
    owner: ML Platform
    keep_versions: 3
    environments:
      production: {{branches: [release], approvers: [Grace]}}
      staging: {{branches: ["*"]}}
    checks:
      - {{name: loads, kind: loads, blocks: [staging, production], reason: it must run}}
      - {{name: rate, kind: metric_range, metric: rate, min: 0.01, max: 0.1, blocks: [production], reason: volume}}
"""


def publish(workspace: Workspace, limit: float, rate: float) -> None:
    """A version as a training job leaves it, submitted and released to staging."""
    from palantir_models.transforms import ModelOutput

    output = ParamSpec("model", "model_output", "output", (MODEL,))
    spec = JobSpec("training:train", "train", "training.py:1", "lightweight", "v1", (output,))
    job = RunningJob(f"job-{limit}", "build-1", spec, "master", (), workspace.clock(), {"ri.data": "ri.tx.7"}, {})
    binder, declared = ModelBinder(workspace), ModelOutput(MODEL)
    bound = declared._bind(binder.bind(declared, binder.resolve(output, "master"), job))
    bound.publish(Threshold(limit, {"seed": 42, "rate": rate}), change_type="MINOR")
    with workspace.catalog.writing() as connection:
        binder.commit(connection, job)
    governance = Governance(workspace)
    governance.submit("limit", owner="Ada", branch="master")
    governance.release("limit", to="staging", actor="Ada", approved_by=["Grace"], reason="try it")


@pytest.fixture
def shop(world, monkeypatch, unsynced):
    """The stamped pipeline whose releases take the model of staging along."""
    for reader in ("publish", "declared"):
        monkeypatch.setattr(f"mirror.promotion.{reader}.run_command", run_warm)
    world.git("switch", "--quiet", "main")
    for file in ("code.txt", "contracts/readings.yaml"):
        world.git("rm", "--quiet", file)
    write(world.path)
    policy = (world.path / "ci/branches.yml").read_text()
    gates = "    release_models: true\n    gates:\n      model_criteria: {reason: r, required: [rate]}\n"
    gates += "      approvals: {reason: r, roles: [owner]}\n"
    head, _, tail = policy.partition("    tag: release-{n}\n")
    (world.path / "ci/branches.yml").write_text(
        f"{head}    tag: release-{{n}}\n{tail.replace('    gates: *gates' + chr(10), gates)}"
    )
    (world.path / "ci/objectives.yml").write_text(OBJECTIVES)
    world.git("add", "--all")
    world.git("commit", "--quiet", "--message", "A fleet with a model")
    for branch in ("staging", "release"):
        world.git("branch", "--force", branch, "main")
    world.git("switch", "--quiet", "feature/x")
    world.git("reset", "--quiet", "--hard", "main")
    world.number = 0
    with (
        unsynced(),
        Workspace.create(world.path.parent / "workspace", repository=world.path, clock=world.clock) as made,
    ):
        more_raw(made.path, world.path.parent, 1, world.clock)
        yield world, made


def change(world) -> None:
    """One more commit on the feature, promoted to staging."""
    world.number += 1
    world.commit(f"Note {world.number}", **{f"note{world.number}_txt": "x\n"})
    world.promote("feature/x", "staging", "Grace")


def in_force(workspace: Workspace) -> dict[str, str | None]:
    governance = Governance(workspace)
    model = governance.governed("limit").model
    releases = {name: governance.in_force(model, name) for name in ("staging", "production")}
    return {
        name: governance.registry.by_rid(release.version_rid)[1].semantic if release else None
        for name, release in releases.items()
    }


def kind_of(world, outcome: str) -> list[str]:
    return [gate["gate"] for gate in world.audit()[-1]["gates"] if gate["outcome"] == outcome]


@pytest.mark.nightly
def test_what_scores_in_staging_comes_along_when_its_objective_lets_it(shop):
    world, workspace = shop
    change(world)
    # No version yet: there is nothing to judge.
    world.promote("staging", "release", "Grace")
    assert {gate["gate"]: gate["outcome"] for gate in world.audit()[-2]["gates"]}["model_criteria"] == "NOT_APPLICABLE"

    # A version whose share of flags is outside its criterion may score in staging and goes no further.
    publish(workspace, 1.0, rate=0.5)
    change(world)
    plan = show_plan(world.repository, world.request("staging", "release"), clock=world.clock)
    assert [str(move) for move in plan.models] == [f"{MODEL}: none -> 1.0.0 in production"]
    with pytest.raises(GateRefusedError, match=r"limit 1[.]0[.]0: rate is REJECT"):
        world.promote("staging", "release", "Grace")
    assert kind_of(world, "FAIL") == ["model_criteria"]
    assert in_force(workspace) == {"staging": "1.0.0", "production": None}

    publish(workspace, 2.0, rate=0.05)
    world.promote("staging", "release", "Grace")
    assert in_force(workspace) == {"staging": "1.1.0", "production": "1.1.0"}
    assert world.audit()[-1]["models"] == [[MODEL, "production", None, "1.1.0"]]

    # The next one comes along and goes back with its promotion; the one before it has nothing to go back to.
    publish(workspace, 3.0, rate=0.06)
    change(world)
    world.promote("staging", "release", "Grace")
    assert in_force(workspace)["production"] == "1.2.0"
    undo = RollbackRequest("release-3", "release", workspace.path, ("Grace",), "flags too much")
    roll_back(world.repository, undo, clock=world.clock, heard=world.heard)
    assert in_force(workspace) == {"staging": "1.2.0", "production": "1.1.0"}


@pytest.mark.nightly
def test_an_approver_whom_the_objective_does_not_know_stops_after_the_merge_and_is_resumed(shop):
    world, workspace = shop
    publish(workspace, 2.0, rate=0.05)
    change(world)
    objectives = world.path / "ci/objectives.yml"
    objectives.write_text(OBJECTIVES.replace("approvers: [Grace]", "approvers: [Ida]"))
    with pytest.raises(RebuildFailedError, match="approv"):
        world.promote("staging", "release", "Grace")
    assert in_force(workspace)["production"] is None
    objectives.write_text(OBJECTIVES)
    resume(world.repository, world.request("staging", "release"), clock=world.clock, heard=world.heard)
    assert in_force(workspace)["production"] == "1.0.0"
    assert [entry["kind"] for entry in world.audit()][-2:] == ["promoted", "rebuilt"]
