"""This repository's own pipeline is clean and divides into two trees that import on their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from mirror.datasets.guest import find_source_root
from mirror.porting.check import check_guest
from mirror.porting.port import port

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.nightly
def test_nothing_in_the_pipeline_would_surprise_foundry():
    findings, looked_at = check_guest(ROOT)
    assert [str(finding) for finding in findings] == []
    assert looked_at == len([p for p in find_source_root(ROOT).rglob("*.py") if p.name != "setup.py"])


@pytest.mark.nightly
def test_both_trees_meet_at_the_model(tmp_path):
    transforms, training = port(ROOT, tmp_path / "out", {})
    model = "/Fleet/air_handler/models/isolation_forest"
    assert model in transforms.unmapped
    assert model in training.unmapped
    # Only what the training transforms read and publish; nothing of the rest of the pipeline is published twice.
    assert {alias.rpartition("/")[2] for alias in training.unmapped} == {
        "isolation_forest",
        "training_data",
        "training_statistics",
    }
    source = find_source_root(ROOT)
    for tree in ("transforms-repository", "model-training-repository"):
        ported = tmp_path / "out" / tree / "transforms-python" / "src"
        changed = {
            path.relative_to(ported).as_posix()
            for package in ("fleet_health", "model_adapters", "model_training")
            for path in sorted((ported / package).rglob("*.*"))
            if not (source / path.relative_to(ported)).is_file()
            or (source / path.relative_to(ported)).read_bytes() != path.read_bytes()
        }
        assert changed <= {"fleet_health/pipeline.py", "model_training/pipeline.py"}
