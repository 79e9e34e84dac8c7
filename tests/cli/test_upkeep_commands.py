"""gc, verify and branches as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mirror.cli import run


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert run(["init"]) == 0
    for text in ("one", "two", "three"):
        Path("day.csv").write_text(text)
        assert run(["ingest", "/raw", "day.csv", "--type", "snapshot"]) == 0
    return tmp_path


def test_gc_says_first_and_removes_when_told(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["gc"]) == 0
    assert "nothing to collect" in capsys.readouterr().out
    assert run(["gc", "--keep-views", "1"]) == 0
    out = capsys.readouterr().out
    assert "/raw: 2 old transaction(s) would be swept (retention keeps 1 view(s))" in out
    assert "8 bytes" not in out
    assert "6 bytes would be removed; run `mirror gc --yes`" in out
    assert run(["show", "raw", "--at", "2999-01-01"]) == 0
    assert run(["--json", "gc", "--keep-views", "1", "--yes"]) == 0
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [g["bytes"] for g in document["garbage"]] == [3, 3]
    assert run(["--json", "history", "raw"]) == 0
    first = json.loads(capsys.readouterr().out)["transactions"][0]["transaction"]
    assert run(["show", "raw", "--at", first]) == 2
    assert "retention has swept" in capsys.readouterr().err


def test_verify_names_the_damage_and_the_remedy(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify"]) == 0
    assert "every file is as it was committed" in capsys.readouterr().out
    stored = [p for p in workspace.glob(".mirror/data/*/*/day.csv") if p.read_text() == "three"]
    stored[0].write_text("eerht")
    assert run(["verify", "--quick"]) == 0
    assert run(["verify"]) == 1
    out = capsys.readouterr().out
    assert "/raw (master): day.csv was altered (another checksum)" in out
    assert "mirror ingest /raw day.csv --type update --branch master" in out


def test_branches(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["branches", "create", "raw", "feature", "--from", "master"]) == 0
    assert run(["branches", "create", "raw", "feature"]) == 2
    assert "already has a branch 'feature'" in capsys.readouterr().err
    assert run(["branches", "protect", "raw", "feature"]) == 0
    assert run(["branches", "delete", "raw", "feature"]) == 2
    assert "protected" in capsys.readouterr().err
    assert run(["branches", "protect", "raw", "feature", "--off"]) == 0
    assert run(["--json", "branches", "list", "raw"]) == 0
    listed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [(b["branch"], b["parent"]) for b in listed] == [("master", None), ("feature", "master")]
    assert run(["branches", "delete", "raw", "feature"]) == 0
    assert run(["branches"]) == 0
    assert "feature" not in capsys.readouterr().out.split("deleted")[-1]
