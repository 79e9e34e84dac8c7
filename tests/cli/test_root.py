"""The command line's root: commands are found by listing, mistakes are answered with the nearest name and exit 2."""

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from mirror.cli import cli, run


def test_every_file_in_the_folder_is_a_command() -> None:
    import click

    folder = Path(cli.__module__.replace(".", "/"))
    files = {p.stem for p in (Path(__file__).resolve().parents[2] / "src" / folder).glob("*.py")}
    context = click.Context(cli)
    names = set(cli.list_commands(context))
    assert names == files - {"__init__", "context"}
    assert all(isinstance(cli.get_command(context, name), click.Command) for name in names)


def test_an_unknown_command_is_a_usage_error_that_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["docter"]) == 2
    assert "Did you mean 'doctor'?" in capsys.readouterr().err


def test_an_unknown_option_is_a_usage_error() -> None:
    assert run(["doctor", "--nonsense"]) == 2


def test_doctor_in_a_folder_without_a_workspace_says_how_to_make_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--workspace", str(tmp_path / "none"), "--json", "doctor", "--no-spark"]) == 1
    findings = {f["check"]: f for f in json.loads(capsys.readouterr().out)}
    assert findings["Java"]["passed"]
    # The environment of `make test SPARK=4` is another than the one that is installed for use.
    assert findings["Packages"]["passed"] is version("pyspark").startswith("3."), findings["Packages"]
    assert not findings["Workspace"]["passed"]
    assert "mirror init" in findings["Workspace"]["fix"]
    assert not (tmp_path / "none").exists()
