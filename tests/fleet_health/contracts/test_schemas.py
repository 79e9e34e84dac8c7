"""What the transforms write is what the contracts say: names, types and order, for every fleet that is shipped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from decisions import decisions
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T
from shapes import columns
from sklearn.ensemble import IsolationForest

from fleet_health import paths
from fleet_health.contracts.conform import frame_of
from fleet_health.contracts.loader import contract_names
from fleet_health.contracts.schemas import stored_schema
from fleet_health.ingestion.reviews import EXPERT_SCHEMA
from fleet_health.ingestion.work_orders import COLUMNS
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Profile

ROOT = Path(__file__).resolve().parents[3]
FIXED: dict[str, Any] = {"string": "x", "double": 1.0, "int": 1, "bigint": 1, "boolean": True, "array<string>": ["x"]}
FIXED["map<string,double>"] = None


def seed(spark: SparkSession, dataset: str, profile: Profile) -> DataFrame:
    """A dataset in the shape of its contract: empty, or with the rows without which a transform refuses to begin."""
    import pandas as pd

    schema = stored_schema(dataset, profile)
    if dataset not in ("device_features", "training_statistics", "model_release_config"):
        return frame_of(spark, [], schema)
    row = {
        field.name: FIXED.get(field.dataType.simpleString(), pd.Timestamp("2008-08-20T12:00:00Z")) for field in schema
    }
    model = profile.model
    row |= {"window_duration_minutes": model.window_duration_minutes, "reading_count": 15, "sensor_completeness": 1.0}
    if dataset == "model_release_config":
        named = {"model_id": model.model_id, "model_version": model.model_version, "deployment_role": "champion"}
        row |= {**named, "model_family": model.model_id.rsplit("_v", 1)[0]}
    if profile.model.training_days:
        day = profile.model.training_days[-1]
        start = pd.Timestamp(f"{day.days[0]}T18:00:00Z")
        row |= {"device_id": day.device_id, "window_start": start, "window_end": start + pd.Timedelta(minutes=15)}
    rows = [row]
    if dataset == "training_statistics":
        bins = {"bin_edges": [float(n) for n in range(11)], "bin_fractions": [1 / 12] * 12}
        named = {"model_id": model.model_id, "model_version": model.model_version, **bins}
        rows = [{**row, "feature_name": name, **named} for name in profile.model_features]
    return spark.createDataFrame(pd.DataFrame(rows)[schema.fieldNames()], schema)


AUDITS = ("contract_audits", "score_audits")


def written(spark: SparkSession, profile: Profile) -> dict[str, T.StructType]:
    """Dataset -> schema of the frame that a transform hands to its output; nothing is written, so little runs."""
    from fleet_health.pipeline import pipeline
    from model_adapters.isolation_forest import IsolationForestAdapter
    from transforms.verbs.testing import _memory_ports
    from transforms.verbs.testing.datastores import InMemoryDatastore
    from transforms.verbs.testing.TransformRunner import TransformRunner

    folder = f"/Fleet/{profile.profile}/"
    store = InMemoryDatastore()
    store.store_files(profile.source.dataset, {"nothing.csv": b""})
    if profile.registry.dataset:
        csv = b"device_id,site_id,status,updated_at\nD1,S1,active,2026-01-01T00:00:00Z\n"
        store.store_files(profile.registry.dataset, {"registry.csv": csv})
    store.store_files(folder + "release_landing", decisions(profile))
    if profile.labels:
        schedule = ROOT / "data" / "lbnl_ahu" / "fault_schedule.csv"
        store.store_files(profile.labels.dataset, {schedule.name: schedule.read_bytes()})
    for kept, header in ((profile.maintenance, COLUMNS), (profile.reviews, EXPERT_SCHEMA.fieldNames())):
        if kept is not None:
            store.store_files(kept.dataset, {"none.csv": ",".join(header).encode()})
    for name in contract_names():
        store.store_dataframe(folder + name, seed(spark, name, profile))
    for spec in profile.every_model:
        store.store_dataframe(paths.experiment(profile, spec.model_id), seed(spark, "experiment_runs", profile))
    model = profile.model
    constants: Any = {
        **{key: getattr(model, key) for key in ("model_id", "model_version", "window_duration_minutes")},
        "granularity": "fleet",
        "feature_names": list(profile.model_features),
        "medians": [0.0] * len(profile.model_features),
        "threshold": 0.6,
        "cohort_medians": [],
        "scales": [1.0] * len(profile.model_features),
    }
    forest = IsolationForest(n_estimators=1, random_state=0).fit(np.eye(len(profile.model_features)))
    adapter = IsolationForestAdapter(forest, constants)
    runner = TransformRunner(pipeline, store, bindings=dict.fromkeys(("model", "challenger"), adapter))
    found: dict[str, T.StructType] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            _memory_ports.MemoryWritePort,
            "write_dataframe",
            lambda port, frame, options: found.update({port.path.removeprefix(folder): frame.schema}),
        )
        patch.setattr(TransformRunner, "_commit", lambda runner, transform, writes: None)
        for transform in pipeline.transforms:
            names = {alias.removeprefix(folder) for alias in transform.output_aliases if alias.startswith(folder)}
            if names & set(contract_names()):
                runner.run(spark, transform)
    return found


@pytest.mark.nightly
@pytest.mark.parametrize("profile", shipped_profiles(), ids=lambda profile: profile.profile)
def test_every_frame_of_every_fleet_is_its_contract(profile: Profile, spark: SparkSession) -> None:
    told = {name: columns(schema) for name, schema in written(spark, profile).items()}
    assert set(AUDITS) <= told.keys()
    assert told == {name: columns(stored_schema(name, profile)) for name in told}
