"""Training, releasing and scoring through real builds of a small repository: wait, follow the release, roll back."""

from __future__ import annotations

import itertools
import json
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mirror.builds import BuildReport, build
from mirror.cli import run
from mirror.datasets import Workspace
from mirror.models import PRODUCTION, STAGING, Governance, ModelBinder

from .conftest import OBJECTIVES

FOREST = "/Fleet/unit/models/isolation_forest"
WHO = {"actor": "ada", "approved_by": ["Ada"], "reason": "because"}
_numbers = itertools.count()

ADAPTER = """\
import palantir_models as pm
from palantir_models.serializers import JsonSerializer


class Limit(pm.ModelAdapter):
    @pm.auto_serialize(facts=JsonSerializer())
    def __init__(self, facts):
        self.facts = facts

    @classmethod
    def api(cls):
        return {"df_in": pm.Pandas([("x", float)])}, {"df_out": pm.Pandas()}

    def predict(self, df_in):
        return df_in.assign(flag=df_in["x"] > self.facts["limit"])
"""

JOBS = """\
import pandas as pd

import palantir_models as pm
from PACKAGE.adapter import Limit
from palantir_models.transforms import ModelInput, ModelOutput
from transforms.api import Input, Output, lightweight, transform

FOREST = "/Fleet/unit/models/isolation_forest"
LIMIT = 2.0


@lightweight
@transform(out=Output("/Fleet/unit/features"))
def features(out):
    out.write_pandas(pd.DataFrame({"x": [1.0, 2.0, 3.0]}))


@lightweight
@transform(data=Input("/Fleet/unit/features"), model=ModelOutput(FOREST))
def train(data, model):
    run = model.create_experiment("training")
    run.log_params({"seed": 42, "rate": 0.05})
    model.publish(Limit({"limit": LIMIT, "rows": len(data.pandas())}), experiment=run)
    if FAILS:
        raise RuntimeError("after publishing")


FAILS = False


@lightweight
@transform(data=Input("/Fleet/unit/features"), model=ModelInput(FOREST), out=Output("/Fleet/unit/scores"))
def score(data, model, out):
    out.write_pandas(model.transform(data).df_out)


@pm.transforms.evaluation("flags")
@lightweight
@transform(model=ModelInput(FOREST))
def judge(model):
    model.create_evaluation().log_metric("flagged", float(model.predict(pd.DataFrame({"x": [1.0,
    9.0]}))["flag"].mean()))
"""


class Guest:
    """A repository with a training, a scoring and an evaluating transform, and its workspace."""

    def __init__(self, root: Path) -> None:
        self.package = f"scoring_guest{next(_numbers)}"
        source = root / "transforms-python" / "src"
        self.folder = source / self.package
        self.folder.mkdir(parents=True)
        entry = f"root = {self.package}.pipeline:pipeline"
        (source / "setup.py").write_text(
            f"from setuptools import setup\nsetup(name='g', entry_points={{'transforms.pipelines': ['{entry}']}})\n"
        )
        (self.folder / "__init__.py").write_text("")
        (self.folder / "adapter.py").write_text(ADAPTER)
        self.jobs(JOBS)
        pipeline = f"""\
            from transforms.api import Pipeline
            from {self.package} import jobs
            pipeline = Pipeline()
            pipeline.discover_transforms(jobs)
            """
        (self.folder / "pipeline.py").write_text(textwrap.dedent(pipeline))
        (root / "ci").mkdir()
        (root / "ci" / "objectives.yml").write_text(OBJECTIVES)
        ticks = itertools.count()
        start = datetime(2026, 1, 5, tzinfo=UTC)
        self.workspace = Workspace.create(
            root / ".mirror", repository=root, clock=lambda: start + timedelta(seconds=next(ticks))
        )

    def jobs(self, text: str) -> None:
        (self.folder / "jobs.py").write_text(text.replace("PACKAGE", self.package))

    def build(self, *targets: str) -> BuildReport:
        return build(self.workspace, targets, binders=[ModelBinder(self.workspace)], spark=lambda: None)  # type: ignore[arg-type,return-value]

    def outcome(self, *targets: str) -> dict[str, tuple[str, str]]:
        return {job.spec.name: (job.status.value, job.reason) for job in self.build(*targets).jobs}

    def flags(self) -> list[bool]:
        store = self.workspace.store
        (file,) = store.view(store.dataset("/Fleet/unit/scores")).entries
        return pq.read_table(file.location)["flag"].to_pylist()


@pytest.fixture
def guest(tmp_path: Path) -> Iterator[Guest]:
    made = Guest(tmp_path)
    yield made
    made.workspace.close()


def test_scoring_waits_follows_the_release_and_rolls_back(guest: Guest) -> None:
    first = guest.outcome()
    assert (first["features"][0], first["train"][0]) == ("succeeded", "succeeded")
    assert first["score"][0] == "waiting"
    assert f"mirror build {FOREST}" in first["score"][1]
    waiting = guest.outcome()["score"]
    assert waiting[0] == "waiting"
    assert f"`mirror models submit {FOREST} && mirror models release {FOREST} --to staging" in waiting[1]

    governance = Governance(guest.workspace)
    governance.submit(FOREST, owner="ada", branch="master")
    for environment in (STAGING, PRODUCTION):
        governance.release(FOREST, to=environment, **WHO)
    assert guest.outcome()["score"][0] == "succeeded"
    assert guest.flags() == [False, False, True]
    again = guest.outcome()
    assert {reason for _, reason in again.values()} == {"up to date"}

    guest.jobs(JOBS.replace("LIMIT = 2.0", "LIMIT = 0.5"))
    trained = guest.outcome(FOREST)
    assert trained["train"][0] == "succeeded"
    guest.outcome()
    assert guest.flags() == [False, False, True]
    governance.submit(FOREST, owner="ada", branch="master")
    for environment in (STAGING, PRODUCTION):
        governance.release(FOREST, to=environment, **WHO)
    assert guest.outcome()["score"][0] == "succeeded"
    assert guest.flags() == [True, True, True]
    governance.rollback(FOREST, environment=PRODUCTION, **WHO)
    assert guest.outcome()["score"][0] == "succeeded"
    assert guest.flags() == [False, False, True]


TRIED = (
    JOBS.replace("LIMIT = 2.0", "LIMIT = -1.0")
    + """

@lightweight
@transform(
    data=Input("/Fleet/unit/features"),
    model=ModelInput(FOREST, branch="staging"),
    out=Output("/Fleet/unit/shadow_model_scores"),
)
def score_candidate(data, model, out):
    found = model.transform(data).df_out
    if found["flag"].all():
        raise ValueError("a score that is none")
    out.write_pandas(found)
"""
)
FAILURES = """\
      - name: CC-08
        kind: scoring_failures
        shadow: "{fleet}/shadow_model_scores"
        live: "{fleet}/scores"
        max: 0.01
        halts: true
        reason: a run that fails scores nobody
"""


@pytest.mark.nightly
def test_a_candidate_whose_scoring_fails_is_stopped_by_the_build_in_which_it_failed(
    guest: Guest, capsys: pytest.CaptureFixture[str]
) -> None:
    (guest.workspace.config.repository / "ci" / "objectives.yml").write_text(OBJECTIVES + FAILURES)
    guest.build(FOREST)
    governance = Governance(guest.workspace)
    governance.submit(FOREST, owner="ada", branch="master")
    for environment in (STAGING, PRODUCTION):
        governance.release(FOREST, to=environment, **WHO)
    guest.jobs(TRIED)
    guest.build(FOREST)
    assert guest.outcome()["score_candidate"][0] == "succeeded"  # with the first version, which is in staging as well
    governance.submit(FOREST, owner="ada", branch="master")
    governance.release(FOREST, to=STAGING, **WHO)
    governance.try_out(FOREST, role="shadow", share=1.0, **WHO)
    model = governance.registry.model(FOREST)

    def halted() -> list[tuple[float, str]]:
        return [(trial.share, trial.reason) for trial in governance.trials(model)][1:]

    assert run(["--workspace", str(guest.workspace.path), "build"]) == 1
    semantic = governance.registry.versions(model)[-1].semantic
    assert f"halted: {FOREST} {semantic} is not tried any more as shadow (trial 2)" in capsys.readouterr().out
    # what ran before the trial was decided does not count
    assert halted() == [(0.0, "CC-08: 1 of 1 runs that score it failed, at most 1%")]
    run(["--workspace", str(guest.workspace.path), "build"])
    assert "halted" not in capsys.readouterr().out
    assert len(halted()) == 1


@pytest.mark.nightly
def test_a_version_knows_the_transactions_it_was_trained_from_and_its_evaluations(
    guest: Guest, capsys: pytest.CaptureFixture[str]
) -> None:
    guest.build(FOREST)
    governance = Governance(guest.workspace)
    registry = governance.registry
    model = registry.model(FOREST)
    (version,) = registry.versions(model)
    store = guest.workspace.store
    features = store.dataset("/Fleet/unit/features")
    assert version.provenance["inputs"] == [
        {"alias": "/Fleet/unit/features", "rid": features.rid, "transaction": store.view(features).end_rid}
    ]
    assert version.provenance["seeds"] == {"seed": 42}
    assert len(version.provenance["logic_version"]) == 64
    assert version.facts == {"limit": 2.0, "rows": 3}
    governance.submit(FOREST, owner="ada", branch="master")
    for environment in (STAGING, PRODUCTION):
        governance.release(FOREST, to=environment, **WHO)
    assert guest.outcome()["judge"][0] == "succeeded"
    assert [e["metrics"] for e in registry.evaluations(version)] == [{"flagged": 0.5}]
    for command, says in (
        (("models", "list", FOREST), f"{version.semantic} in evaluation "),
        (("models", "list", FOREST), ": flagged 0.5"),
        (("show", FOREST), f"{FOREST} is a model: `mirror models list {FOREST}` tells its versions"),
    ):
        assert run(["--workspace", str(guest.workspace.path), *command]) == 0
        assert says in capsys.readouterr().out


def test_a_version_published_before_its_job_failed_is_nowhere(guest: Guest) -> None:
    guest.jobs(JOBS.replace("FAILS = False", "FAILS = True"))
    assert guest.outcome(FOREST)["train"][0] == "failed"
    assert Governance(guest.workspace).registry.models() == ()
    assert list((guest.workspace.config.data_root / "_models").iterdir()) == []


REFUSES = """\
    logging.getLogger("elsewhere").handle(
        logging.LogRecord("elsewhere", logging.WARNING, "/lib/elsewhere.py", 1, "a library's own worry", (), None)
    )
    logging.getLogger(__name__).warning("limit_v1 was not published: %d rows, %d are needed", 3, 256)
"""


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("body", "why"),
    [
        (REFUSES, "limit_v1 was not published: 3 rows, 256 are needed"),
        ("    return\n", "train published none, and logged"),
    ],
    ids=["says why", "says nothing"],
)
def test_a_training_without_a_version_is_told_where_the_build_ends(
    guest: Guest, capsys: pytest.CaptureFixture[str], body: str, why: str
) -> None:
    head, rest = JOBS.split("    run = model.create_experiment", 1)
    guest.jobs("import logging\n\n" + head + body + rest[rest.index("\n\n\nFAILS") :])
    workspace = ["--workspace", str(guest.workspace.path)]
    assert run([*workspace, "--json", "build", FOREST]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["status"] == "succeeded"
    assert list(told["models_without_new_version"]) == [FOREST]
    assert told["models_without_new_version"][FOREST].startswith(why)
    (trained,) = [job for job in told["jobs"] if job["transform"] == "train"]
    (model,) = [output for output in trained["outputs"] if output["dataset"] == FOREST]
    assert (model["transaction"], model["missing"]) == (None, told["models_without_new_version"][FOREST])

    assert run([*workspace, "build", "--force", FOREST]) == 0
    lines = " ".join(capsys.readouterr().out.split())
    assert f"no version of {FOREST} was made: {why}" in lines
    assert "build of master: succeeded, 1 of its models without a new version" in lines
    assert "a library's own worry" not in lines

    guest.jobs(JOBS)
    assert guest.build(FOREST).unmade == ()
