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


def test_retire_says_first_and_applies_when_told(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for n in (1, 2):
        Path(f"more{n}.csv").write_text("m" * n)
        assert run(["ingest", "/raw", f"more{n}.csv"]) == 0
    assert run(["--json", "history", "raw"]) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])["transactions"][-1]["transaction"]
    command = ["retire", "raw", "--before", last.rsplit(".", 1)[-1][:10]]
    assert run(command) == 0
    out = capsys.readouterr().out
    assert "/raw on master: 2 file(s) would leave the view" in out
    assert "2 transaction(s), 6 bytes are needed by nobody; nothing was done; add --apply" in out
    assert run([*command, "--apply"]) == 0
    assert "`mirror gc --yes` frees them" in capsys.readouterr().out
    assert run(["--json", *command]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == []
    assert run(["--json", "gc", "--yes"]) == 0
    assert sorted(g["bytes"] for g in json.loads(capsys.readouterr().out)["garbage"]) == [1, 5]
    assert run(["retire", "raw", "--before", "nothing"]) == 2
    assert "mirror history /raw" in capsys.readouterr().err


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
