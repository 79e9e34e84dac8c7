"""``mirror models`` as a person and as a machine use it: output, exit codes, and steps that may be repeated."""

from __future__ import annotations

import json

import pytest

from mirror.cli import run
from mirror.datasets import Workspace

from .conftest import FOREST, Publish

BY = ["--approve-as", "Ada", "--reason", "scores are fine", "--as", "tester"]


def mirror(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], *args: str, as_json: bool = True
) -> tuple[int, str]:
    flags = ["--workspace", str(workspace.path), *(["--json"] if as_json else [])]
    code = run([*flags, "models", *args])
    streams = capsys.readouterr()
    return code, streams.out + streams.err


def test_from_publishing_to_rollback(
    workspace: Workspace, publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mirror(workspace, capsys, "list", as_json=False) == (
        0, "no model was published yet; build a training transform first: mirror build\n",
    )  # fmt: skip
    publish(0.5)
    code, out = mirror(workspace, capsys, "submit", "isolation_forest", "--as", "tester")
    document = json.loads(out)
    assert (code, document["changed"], document["version"]) == (0, True, "1.0.0")
    assert [c["outcome"] for c in document["checks"]] == ["PASS", "PASS"]
    code, out = mirror(workspace, capsys, "submit", "isolation_forest", as_json=False)
    assert (code, out.splitlines()[0]) == (0, f"{FOREST} 1.0.0 is already submitted to isolation_forest")
    code, out = mirror(workspace, capsys, "release", "isolation_forest", "--to", "production", *BY)
    assert (code, out.startswith("error: "), "has not been through staging" in out) == (1, True, True)
    for environment in ("staging", "production"):
        for changed in (True, False):
            code, out = mirror(workspace, capsys, "release", "isolation_forest", "--to", environment, *BY)
            assert (code, json.loads(out)["changed"]) == (0, changed)
    publish(0.6)
    for arguments in (["submit", FOREST], ["release", FOREST, "--to", "staging", *BY]):
        assert mirror(workspace, capsys, *arguments)[0] == 0
    assert mirror(workspace, capsys, "release", FOREST, "--to", "production", *BY)[0] == 0
    code, out = mirror(workspace, capsys, "rollback", FOREST, *BY, as_json=False)
    assert (code, out) == (0, f"{FOREST} rolled back in production: 1.1.0 -> 1.0.0 (release 3)\n")
    listed = json.loads(mirror(workspace, capsys, "list", FOREST)[1])
    assert [(v["version"], v["released"]) for v in listed[0]["versions"]] == [
        ("1.0.0", ["production"]), ("1.1.0", ["staging"]),
    ]  # fmt: skip
    assert listed[0]["versions"][0]["trained_from"] == ["ri.data@ri.tx.7"]
    history = json.loads(mirror(workspace, capsys, "history", FOREST)[1])
    assert [(e["action"], e["outcome"], e["version"]) for e in history][-1] == ("rollback", "done", "1.0.0")
    assert sum(e["outcome"] == "refused" for e in history) == 1


def test_people_see_tables(workspace: Workspace, publish: Publish, capsys: pytest.CaptureFixture[str]) -> None:
    publish(0.5)
    out = mirror(workspace, capsys, "list", as_json=False)[1]
    assert f"{FOREST} (objective isolation_forest)" in out
    assert "1.0.0" in out
    assert "publish" in mirror(workspace, capsys, "history", FOREST, as_json=False)[1]


def test_evaluate_says_no_with_exit_code_one(
    workspace: Workspace, publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(0.5, rate=0.5)
    assert mirror(workspace, capsys, "submit", FOREST)[0] == 0
    code, out = mirror(workspace, capsys, "evaluate", FOREST, as_json=False)
    assert code == 1
    assert "REJECT  rate: rate is 0.5, wanted 0.01 to 0.1 (blocks production)" in out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["submit", "isolation_forrest"], "there is no model 'isolation_forrest'."),
        (["submit", FOREST, "--branch", "develop"], "has no version on branch 'develop'"),
        (["submit", FOREST, "--version", "7.0.0"], "no version 7.0.0; it has 1.0.0"),
        (["release", FOREST, "--to", "staging", *BY], f"mirror models submit {FOREST}"),
        (["release", FOREST, "--to", "nowhere", *BY], "'nowhere' is not one of 'staging', 'production'"),
        (["release", FOREST, "--to", "staging"], "Missing option '--reason'"),
    ],
)
def test_wrong_use_is_exit_code_two(
    workspace: Workspace,
    publish: Publish,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    expected: str,
) -> None:
    publish(0.5)
    code, out = mirror(workspace, capsys, *arguments)
    assert code == 2
    assert expected in out


def test_a_broken_objectives_file_is_told_with_its_line(
    workspace: Workspace, publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(0.5)
    (workspace.config.repository / "ci" / "objectives.yml").write_text("objectives:\n  forest:\n    modell: /m\n")
    code, out = mirror(workspace, capsys, "list")
    assert (code, out) == (
        2,
        "error: ci/objectives.yml:3: objective 'forest' has no 'modell'. Did you mean 'model'?"
        " Known: card, checks, decisions, environments, keep_versions, model, owner.\n",
    )
