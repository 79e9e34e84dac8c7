"""Raw files of a fleet to alerts, through the shim and with the model that the same fleet trains."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from palantir_models.ports import PublishedState

STEPS = (
    "record_feature_definitions",
    "deserialise_files",
    "read_registry",
    "cleanse",
    "summarise_windows",
    "choose_versions",
    "assemble_training_data",
    "train_isolation_forest",
    "prepare_model_input",
    "score_windows",
    "raise_alerts",
)
STREAM = "replay_stream"


@dataclass
class FolderModel:
    """A model resource in a folder, without branches."""

    folder: Path
    model_rid: str = "ri.models.main.model.benchmark"
    model_path: str = "/Fleet/benchmark/models/isolation_forest"
    branch: str = "master"
    published: list[PublishedState] = field(default_factory=list)

    def publish(self, version: PublishedState) -> str:
        shutil.copytree(version.state, self.folder / str(len(self.published)))
        self.published.append(version)
        return f"ri.models.main.model-version.{len(self.published)}"

    def load(self) -> Any:
        from model_adapters.isolation_forest import IsolationForestAdapter
        from palantir_models.state import ModelStateReader

        return IsolationForestAdapter.load(ModelStateReader(self.folder / str(len(self.published) - 1)))


def built(
    profile: Any, files: dict[str, dict[str, bytes]], folder: Path, spark: SparkSession, steps: tuple[str, ...] = STEPS
) -> dict[str, DataFrame]:
    """Scores, alerts and windows of a fleet, by contract name."""
    from fleet_health.pipeline import pipeline
    from transforms.verbs.testing.datastores import InMemoryDatastore
    from transforms.verbs.testing.TransformRunner import TransformRunner

    store, model = InMemoryDatastore(), FolderModel(folder)
    for dataset, content in files.items():
        store.store_files(dataset, content)
    runner = TransformRunner(pipeline, store, bindings={"model": model})
    wanted = list(steps)
    if profile.streaming:
        wanted.insert(wanted.index("raise_alerts"), STREAM)
    for step in wanted:
        if step == "prepare_model_input":
            runner = TransformRunner(pipeline, store, bindings={"model": model.load()})
        name = f"{profile.profile}_{step}"
        runner.run(spark, next(one for one in pipeline.transforms if one.__name__ == name))
    root = f"/Fleet/{profile.profile}"
    return {name: store.get_dataframe(f"{root}/{name}", spark) for name in ("model_scores", "device_alerts")}
