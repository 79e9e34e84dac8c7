"""For every layer, collected tests prove the happy path, nulls, device isolation and that no future leaks in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from mirror.located import parse_file
from mirror.promotion.errors import PolicyError
from mirror.promotion.review import Answer, ReviewCase, Verdict
from mirror.promotion.review._wording import some

DIMENSIONS = ("happy_path", "null_inputs", "device_isolation", "no_future_leakage")
_MATRIX = "test_matrix.yaml"
_LIMIT_SECONDS = 300

# Given to pytest as a plugin: which cases the tests that it collected name with @pytest.mark.case("ID").
_PLUGIN = """\
import json, os

def pytest_collection_finish(session):
    found = {}
    for item in session.items:
        for mark in item.iter_markers("case"):
            for case in mark.args:
                found.setdefault(str(case), []).append(item.nodeid)
    with open(os.environ["MIRROR_CASES"], "w", encoding="utf-8") as file:
        json.dump(found, file)
"""


def examine(case: ReviewCase) -> Answer:
    matrices = sorted((case.repository / "tests").rglob(_MATRIX))
    if not matrices:
        fix = (
            f"List the cases by layer and dimension in tests/<package>/{_MATRIX} and name them with @pytest.mark.case."
        )
        return Answer(Verdict.CANNOT_TELL, f"no {_MATRIX} says which cases there are", "tests/", fix)
    matrix = matrices[0]
    link = matrix.relative_to(case.repository).as_posix()
    root = parse_file(matrix, link, PolicyError)
    document = {} if root is None else root.value
    proved = collected_cases(case.repository, _places(case.repository / "tests", matrix.parent))
    awaiting = {name for entry in document.get("awaiting") or [] for name in entry.get("cases", [])}
    counts: dict[str, str] = {}
    gaps: list[str] = []
    for layer, cells in document.get("layers", {}).items():
        told = []
        for dimension in DIMENSIONS:
            ids = [str(entry["id"]) for entry in cells.get(dimension, [])]
            done = [name for name in ids if proved.get(name)]
            told.append(f"{len(done)}/{len(ids)}")
            missing = [name for name in ids if name not in done]
            if not done or any(name not in awaiting for name in missing):
                gaps.append(f"{layer} {dimension}: {', '.join(missing) or 'no case at all'}")
        counts[layer] = " ".join(told)
    proof = f"cases proved by collected tests ({', '.join(DIMENSIONS)}): "
    proof += "; ".join(f"{layer} {told}" for layer, told in counts.items())
    if gaps:
        return Answer(Verdict.NOT_MET, f"{proof}; missing: {some(gaps)}", link, "Write the tests, or the cases.")
    return Answer(Verdict.MET, proof, link)


def _places(tests: Path, folder: Path) -> list[Path]:
    """The folder of the matrix, and test files elsewhere that name a case: to collect all others costs seconds."""
    files = [file for file in sorted(tests.rglob("test_*.py")) if not file.is_relative_to(folder)]
    return [folder, *(file for file in files if "mark.case(" in file.read_text(encoding="utf-8"))]


def collected_cases(repository: Path, places: Sequence[Path]) -> Mapping[str, list[str]]:
    """Case -> ids of the tests that name it, as pytest collects them; nothing is run.

    Raises RuntimeError when they cannot be collected.
    """
    import tempfile

    with tempfile.TemporaryDirectory(prefix="mirror-review-") as scratch:
        (Path(scratch) / "mirror_cases.py").write_text(_PLUGIN, encoding="utf-8")
        found = Path(scratch) / "cases.json"
        paths = [scratch, *(path for path in sys.path if path)]
        quietly = ("--collect-only", "-q", "-m", "", "-p", "no:cacheprovider")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *quietly, "-p", "mirror_cases", *map(str, places)],
            cwd=repository,
            env=os.environ | {"MIRROR_CASES": str(found), "PYTHONPATH": os.pathsep.join(paths), "PYTEST_ADDOPTS": ""},
            capture_output=True,
            text=True,
            check=False,
            timeout=_LIMIT_SECONDS,
        )
        if done.returncode or not found.is_file():
            raise RuntimeError(
                f"pytest cannot collect {', '.join(map(str, places))}: {' '.join(done.stdout.split()[-30:])}"
            )
        cases: dict[str, list[str]] = json.loads(found.read_text(encoding="utf-8"))
        return cases
