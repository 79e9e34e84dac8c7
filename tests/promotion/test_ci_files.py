"""The files that CI systems read: they call ``ci/run``, keep what is slow to make, and pick tests safely."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import yaml

from mirror.porting.template import BUILD_GRADLE

ROOT = Path(__file__).resolve().parents[2]


def load(path: str) -> dict:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def changed_tests():
    spec = importlib.util.spec_from_file_location("changed_tests", ROOT / "ci" / "changed_tests.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_system_runs_the_same_script_on_a_cached_environment():
    github = load(".github/workflows/checks.yml")
    # YAML 1.1 reads a bare `on` as true
    assert set(github[True]) == {"pull_request", "merge_group", "push"}
    steps = github["jobs"]["checks"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == ["bash ci/run"]
    cache = next(step["with"] for step in steps if str(step.get("uses")).startswith("actions/cache@"))
    assert ".venv" in cache["path"].split()
    assert "hashFiles('requirements.lock'" in cache["key"]
    assert github["permissions"] == {"contents": "read"}

    gitlab = load(".gitlab-ci.yml")["checks"]
    assert gitlab["script"] == ["bash ci/run"]
    assert gitlab["cache"]["key"]["files"] == ["requirements.lock", "pyproject.toml"]
    assert ".venv" in gitlab["cache"]["paths"]

    # What is shipped is what the port writes.
    assert (ROOT / "ci" / "foundry" / "build.gradle").read_text() == BUILD_GRADLE
    for plugin in ("transforms.lang.python", "transforms.lang.python-defaults", "transforms.lang.pytest-defaults"):
        assert f"apply plugin: 'com.palantir.{plugin}'" in BUILD_GRADLE
    assert (ROOT / "ci" / "run").stat().st_mode & 0o111
    for target in ("ci-files", "lint", "port-check", "test-postgres", "test-changed", "test"):
        assert f"\n{target}:" in (ROOT / "Makefile").read_text()


def test_a_change_runs_what_it_can_touch_and_everything_where_that_is_not_sure(changed_tests, tmp_path):
    files = {
        "src/mirror/__init__.py": "",
        "src/mirror/low.py": "X = 1\n",
        "src/mirror/high.py": "def f():\n    from mirror.low import X\n",
        "src/mirror/apart.py": "",
        "src/mirror/script.py": "",
        "src/mirror/runs_it.py": "from pathlib import Path\nS = Path(__file__).with_name('script.py')\n",
        "src/mirror/plugs/__init__.py": "import pkgutil\nALL = pkgutil.iter_modules(__path__)\n",
        "src/mirror/plugs/one.py": "",
        "tests/conftest.py": "",
        "tests/a/conftest.py": "import mirror.apart\n",
        "tests/a/test_a.py": "",
        "tests/b/test_b.py": "from mirror.high import f\n",
        "tests/b/test_c.py": "def test_it(monkeypatch): monkeypatch.setattr('mirror.runs_it.S', 1)\n",
        "transforms-python/src/fleet/clean.py": "",
        "docs/a.md": "",
        "ci/branches.yml": "",
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    def chosen(*changed: str) -> list[str]:
        return changed_tests.chosen(tmp_path, changed)

    assert chosen("src/mirror/low.py") == ["tests/b/test_b.py"]
    assert chosen("src/mirror/apart.py", "docs/a.md") == ["tests/a/test_a.py"]
    assert chosen("src/mirror/script.py") == ["tests/b/test_c.py"]
    assert chosen("tests/a/conftest.py") == ["tests/a/test_a.py"]
    assert chosen("docs/a.md") == []
    for unsure in (
        "src/mirror/plugs/one.py",
        "transforms-python/src/fleet/clean.py",
        "ci/branches.yml",
        "src/mirror/gone.py",
        "tests/data.json",
    ):
        assert chosen("docs/a.md", unsure) == ["tests"], unsure
    # A package runs whenever anything in it is imported.
    assert chosen("src/mirror/__init__.py") == ["tests/a/test_a.py", "tests/b/test_b.py", "tests/b/test_c.py"]
    assert changed_tests.changed_since(tmp_path, "main") is None
