"""The same rows give the same bytes and the same scores on machines that compute differently in the last bit.

Another machine is played by another process: its linear algebra is told to use another processor's kernels or another
number of threads, and numpy to leave out the vector units of newer processors. Kernels moved the hash of the
autoencoder and vector units the scores of the forest, before weights were rounded and powers were made of sums and
products alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import recipe_fleet

MACHINES = {
    "one thread": {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    "two threads": {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"},
    "kernels of 2008": {"OPENBLAS_CORETYPE": "Nehalem"},
    "kernels of 2011": {"OPENBLAS_CORETYPE": "Sandybridge"},
    "kernels of 2013": {"OPENBLAS_CORETYPE": "Haswell"},
    "no new vector units": {"NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX2 FMA3"},
}

TOLD = """
import hashlib, json, pathlib, sys, tempfile
from recipe_fleet import FAMILIES, files, of_family, probe

found = {}
for family in FAMILIES:
    model = of_family(family)
    stored = files(model, pathlib.Path(tempfile.mkdtemp(dir=sys.argv[1])))
    found[family] = {name: hashlib.sha256(data).hexdigest() for name, data in stored.items()}
    scores = model.adapter.predict(probe(500))["anomaly_score"].to_numpy("<f8")
    found[f"{family} scores"] = hashlib.sha256(scores.tobytes()).hexdigest()
print(json.dumps(found))
"""
"""A hash of every stored file of every family, and one of the scores of rows that it never saw."""


def asked(settings: dict[str, str], folder: Path) -> dict[str, Any]:
    """What a process with these settings says."""
    path = os.pathsep.join([str(Path(recipe_fleet.__file__).parent), *sys.path])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", TOLD, str(folder)],
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
        env={**os.environ, "PYTHONPATH": path, **settings},
    )
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return asked({}, tmp_path_factory.mktemp("here"))


@pytest.mark.nightly
@pytest.mark.parametrize("machine", MACHINES)
def test_another_machine_stores_the_same_bytes_and_gives_the_same_scores(
    machine: str, here: dict[str, Any], tmp_path: Path
) -> None:
    assert len(here) == 8
    assert asked(MACHINES[machine], tmp_path) == here
