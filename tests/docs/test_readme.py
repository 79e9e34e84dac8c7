"""What the README tells a newcomer to type works as it says."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from mirror.cli import cli, run

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TRANSFORM, UNIT_TEST = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def newcomer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spark: SparkSession) -> Path:
    """A repository that holds only the README's first transform, and readings to feed it."""
    package = tmp_path / "transforms-python" / "src" / "newcomer"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "hottest.py").write_text(TRANSFORM)
    (package / "pipeline.py").write_text(
        "import newcomer\nfrom transforms.api import Pipeline\n\n"
        "pipeline = Pipeline()\npipeline.discover_transforms(newcomer)\n"
    )
    (package.parent / "setup.py").write_text(
        "from setuptools import setup\n"
        "setup(name='newcomer', entry_points={'transforms.pipelines': ['root = newcomer.pipeline:pipeline']})\n"
    )
    readings = pd.DataFrame({"device_id": ["a", "a", "b"], "supply_air_temperature": [20.0, 31.5, 18.0]})
    readings.to_parquet(tmp_path / "readings.parquet")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(package.parent))
    yield tmp_path
    for name in [name for name in sys.modules if name.split(".")[0] == "newcomer"]:
        del sys.modules[name]


def test_the_first_transform_builds_as_shown(newcomer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init"]) == 0
    assert run(["ingest", "/Fleet/air_handler/clean_sensor_readings", "readings.parquet"]) == 0
    block = README.split("transforms-python/src/fleet_health/hottest.py", 1)[1].split("```\n", 3)[2]
    commands = [line.split()[1:] for line in block.splitlines() if line.startswith("mirror ")]
    assert [command[0] for command in commands] == ["build", "build", "show", "checks"]
    said = []
    for command in commands:
        capsys.readouterr()
        assert run(command) == 0
        said.append(capsys.readouterr().out)
    plan, built, shown, checked = said
    assert "was never built" in plan
    assert "1/0" in built
    assert "31.5" in shown
    assert "18.0" in shown
    assert "one row per unit" in checked


def test_the_first_unit_test_passes_as_shown(newcomer: Path, spark: SparkSession) -> None:
    names: dict[str, object] = {}
    exec(compile(UNIT_TEST.replace("fleet_health.", "newcomer."), "README.md", "exec"), names)  # noqa: S102 - our own text
    names["test_the_hottest_reading_wins"](spark)


def test_every_command_of_the_table_exists_and_none_is_missing() -> None:
    table = README.split("## Commands", 1)[1].split("## ", 1)[0]
    left = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    shown = {word for cell in left for word in re.findall(r"`(?:mirror )?([a-z]+)", cell)}
    commands = set(cli.list_commands(None))
    assert shown - commands == {"release"}, "subcommands of `mirror models`"
    assert commands - shown == set()


def test_every_link_and_picture_is_in_the_repository() -> None:
    targets = [t for t in re.findall(r"\]\(([^)#]+)\)", README) if not t.startswith("http")]
    assert len(targets) > 10
    assert [t for t in targets if not (ROOT / t).exists()] == []


def test_every_folder_of_the_house_exists_and_every_room_is_listed() -> None:
    listed = set(re.findall(r"^\| `([^`]+/)` \|", README.split("## The house", 1)[1], re.MULTILINE))
    assert [folder for folder in listed if not (ROOT / folder).is_dir()] == []
    rooms = {f"src/mirror/{p.name}/" for p in (ROOT / "src" / "mirror").iterdir() if (p / "__init__.py").exists()}
    assert rooms <= listed
