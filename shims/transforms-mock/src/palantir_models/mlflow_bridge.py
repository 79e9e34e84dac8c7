"""``experiment.as_mlflow_run()``: what MLflow logs inside the block becomes part of the experiment.

As in Foundry: only parameters, metrics and PNG artifacts arrive; tags and other artifacts are dropped, runs do not
nest.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palantir_models.errors import ExperimentError
from palantir_models.serializers.base import package

if TYPE_CHECKING:
    from palantir_models.experiments import Experiment


@contextmanager
def active_run(experiment: Experiment) -> Iterator[Any]:
    """An MLflow run over a temporary store, read back into ``experiment`` when the block ends without error.

    Raises:
        MissingPackageError: MLflow is not installed.
        ExperimentError: another run is active.
    """
    mlflow = package("mlflow", "as_mlflow_run")
    if mlflow.active_run() is not None:
        raise ExperimentError("as_mlflow_run", "another MLflow run is active.", "End it first: runs do not nest here.")
    before = mlflow.get_tracking_uri()
    with tempfile.TemporaryDirectory(prefix="mlflow-") as folder:
        mlflow.set_tracking_uri(f"sqlite:///{folder}/runs.db")
        try:
            store = mlflow.create_experiment("local", artifact_location=Path(folder, "artifacts").as_uri())
            with mlflow.start_run(experiment_id=store) as run:
                yield run
            _read_back(mlflow, run.info.run_id, experiment)
        finally:
            mlflow.set_tracking_uri(before)


def _read_back(mlflow: Any, run_id: str, experiment: Experiment) -> None:
    client = mlflow.MlflowClient()
    run = client.get_run(run_id)
    experiment.log_params(run.data.params)
    for name in run.data.metrics:
        for metric in sorted(client.get_metric_history(run_id, name), key=lambda m: (m.step, m.timestamp)):
            experiment.log_metric(name, metric.value, metric.step if metric.step else None)
    for found in client.list_artifacts(run_id):
        if not found.is_dir and found.path.endswith(".png"):
            local = client.download_artifacts(run_id, found.path)
            experiment.log_image(found.path.removesuffix(".png"), local)
