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
        ExperimentError: another run is active, or one was started inside.
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
            client = mlflow.MlflowClient()
            if len(client.search_runs([found.experiment_id for found in client.search_experiments()])) > 1:
                raise ExperimentError("as_mlflow_run", "a run was started inside the run.", "Runs do not nest here.")
            _read_back(client, run.info.run_id, experiment)
        finally:
            mlflow.set_tracking_uri(before)


def _read_back(client: Any, run_id: str, experiment: Experiment) -> None:
    run = client.get_run(run_id)
    experiment.log_params(run.data.params)
    for name in run.data.metrics:
        for metric in sorted(client.get_metric_history(run_id, name), key=lambda m: (m.step, m.timestamp)):
            experiment.log_metric(name, metric.value, metric.step if metric.step else None)
    for path in _pictures(client, run_id, None):
        experiment.log_image(path.removesuffix(".png"), client.download_artifacts(run_id, path))


def _pictures(client: Any, run_id: str, folder: str | None) -> Iterator[str]:
    for found in client.list_artifacts(run_id, folder):
        if found.is_dir:
            yield from _pictures(client, run_id, found.path)
        elif found.path.endswith(".png"):
            yield found.path
