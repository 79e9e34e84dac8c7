"""Fleets that the tests of this room share, each built once per session."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from decisions import decisions
from pyspark.sql import DataFrame, SparkSession
from watching import WATCH

from palantir_models.ports import PublishedState
from palantir_models.state import ModelStateReader

ROOT = Path(__file__).resolve().parents[2]
Files = dict[str, dict[str, bytes]]  # dataset -> file name -> content
LBNL = ROOT / "data" / "lbnl_ahu"


@dataclass
class FolderModel:
    """A model resource in a folder: what a platform would keep, without branches."""

    folder: Path
    model_rid: str = "ri.models.main.model.test"
    model_path: str = "/Fleet/test/models/isolation_forest"
    branch: str = "master"
    published: list[PublishedState] = field(default_factory=list)

    def publish(self, version: PublishedState) -> str:
        shutil.copytree(version.state, self.folder / str(len(self.published)))
        self.published.append(version)
        return f"ri.models.main.model-version.{len(self.published)}"

    def load(self) -> Any:
        from model_adapters.isolation_forest import IsolationForestAdapter

        return IsolationForestAdapter.load(ModelStateReader(self.folder / str(len(self.published) - 1)))


@dataclass
class Built:
    """One profile, built to the end. ``frame(name)`` reads one of its datasets by its contract name."""

    profile: Any
    runner: Any
    model: FolderModel
    spark: SparkSession

    def frame(self, name: str) -> DataFrame:
        return self.runner.datastore.get_dataframe(f"/Fleet/{self.profile.profile}/{name}", self.spark)

    def transform(self, name: str) -> Any:
        return next(t for t in _pipeline().transforms if t.__name__ == f"{self.profile.profile}_{name}")


def _pipeline() -> Any:
    from fleet_health.pipeline import pipeline

    return pipeline


ORDER = (
    "record_feature_definitions",
    "deserialise_files",
    "{}_registry",
    "cleanse",
    "summarise_windows",
    "choose_versions",
    "assemble_training_data",
    "publish_baselines",
    "train_isolation_forest",
    "read_releases",
    "prepare_model_input",
    "score_windows",
    "score_candidate",
    "compare_candidate",
    "refresh_properties",
    "check_consistency",
    "log_scoring_run",
    "stand_in",
    "raise_alerts",
)


def build(profile: Any, raw: Files, folder: Path, spark: SparkSession, last: str | None = None) -> Built:
    """Runs the transforms of ``profile`` up to ``last`` over ``raw`` files, through the real shim."""
    from transforms.verbs.testing.datastores import InMemoryDatastore
    from transforms.verbs.testing.TransformRunner import TransformRunner

    store = InMemoryDatastore()
    landing = f"/Fleet/{profile.profile}/release_landing"
    for dataset, files in {landing: decisions(profile), **raw}.items():
        store.store_files(dataset, files)
    model = FolderModel(folder)
    built = Built(profile, TransformRunner(_pipeline(), store, bindings={"model": model}), model, spark)
    go_on(built, None, last)
    return built


def go_on(built: Built, after: str | None, last: str | None = None) -> None:
    """Runs the steps that follow ``after``, up to ``last``."""
    from transforms.verbs.testing.TransformRunner import TransformRunner

    steps = [step.format("read" if built.profile.registry.dataset else "declare") for step in ORDER]
    steps = [step for step in steps if step != "refresh_properties" or built.profile.properties]
    acute = ["replay_stream"] if built.profile.streaming else []
    steps[steps.index("raise_alerts") : steps.index("raise_alerts")] = acute
    steps += ["read_labels", "report_detection"] if built.profile.labels else []
    steps += [*WATCH, "audit_contracts", "audit_scores"]
    # the first model is published last, because it is the one that scores
    trained = steps.index("train_isolation_forest")
    steps[trained + 1 : trained + 1] = ["log_trainings", "keep_regression_set"]
    steps[trained:trained] = [f"train_{model.family}" for model in built.profile.models]
    released = steps.index("read_releases")
    steps[released + 1 : released + 1] = ["log_experiments", "log_metrics"]
    first = 0 if after is None else steps.index(after) + 1
    for step in steps[first:] if last is None else steps[first : steps.index(last) + 1]:
        if step == "prepare_model_input":
            store = built.runner.datastore
            built.runner = TransformRunner(
                _pipeline(), store, bindings=dict.fromkeys(("model", "challenger"), built.model.load())
            )
        built.runner.run(built.spark, built.transform(step))


@pytest.fixture(scope="session")
def build_profile(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Built]:
    """``build_profile(profile, raw)``: see :func:`build`."""
    return lambda profile, raw, last=None: build(profile, raw, tmp_path_factory.mktemp("model"), spark, last)


@pytest.fixture(scope="session")
def lbnl_ingested(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """All three measured campaigns, from landing files to clean rows."""
    from fleet_health.profiles.loader import shipped_profile

    campaigns = {path.name: path.read_bytes() for path in sorted(LBNL.glob("*.csv.gz"))}
    schedule = {"fault_schedule.csv": (LBNL / "fault_schedule.csv").read_bytes()}
    profile = shipped_profile("air_handler")
    raw = {"/Fleet/air_handler/landing": campaigns, "/Fleet/air_handler/label_landing": schedule}
    return build(profile, raw, tmp_path_factory.mktemp("lbnl-model"), spark, "cleanse")


@pytest.fixture(scope="session")
def lbnl(lbnl_ingested: Built) -> Built:
    """The same campaigns on to scores, alerts and the detection report."""
    go_on(lbnl_ingested, "cleanse")
    return lbnl_ingested


_COLLECTED: list[pytest.Item] = []


@pytest.fixture(scope="session")
def collected() -> list[pytest.Item]:
    """Every test of the session as it was collected, those that were then left out (nightly, ``-k``) included."""
    return _COLLECTED


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs whole campaigns runs at night."""
    for item in items:
        if {"lbnl", "lbnl_ingested"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.nightly)
    _COLLECTED[:] = items
