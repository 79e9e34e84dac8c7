"""``mirror checks`` on a catalog that holds verdicts: latest, history, JSON, JUnit, exit codes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from mirror.builds import journal, tables
from mirror.builds.report import CheckEntry
from mirror.checks import CheckResult
from mirror.checks.junit import Reported, junit_xml
from mirror.cli import run
from mirror.datasets import Workspace

START = datetime(2024, 5, 1, 12, tzinfo=UTC)
KEY = CheckResult("key", "FAIL", "PASS", "E.primary_key('id')", "repeated: 0", {"row_count": 3})
RANGE_BAD = CheckResult(
    "range", "WARN", "FAIL", "E.col('x').gt(0)", "rows: 1", {}, tuple({"id": i, "x": None} for i in range(7))
)
GONE = CheckResult("gone", "FAIL", "ERROR", "E.col('y').gt(0)", "no column 'y'", {}, reason="missing_column")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Two datasets; /Fleet/a was judged twice, the second time without the check `gone`."""
    made = Workspace.create(tmp_path / "w", clock=lambda: START)
    made.catalog.ensure(*tables.ROOM)
    datasets = {path: made.store.create(path) for path in ("/Fleet/a", "/Fleet/b")}
    runs = [("/Fleet/a", [KEY, GONE]), ("/Fleet/a", [KEY, RANGE_BAD]), ("/Fleet/b", [KEY])]
    for i, (path, results) in enumerate(runs):
        build = journal.start_build(made, "master", ())
        job = f"ri.foundry.main.job.{i}"
        entries = [CheckEntry("out", path, "output", r.name, r.on_error, r.outcome, r.to_json()) for r in results]
        with made.catalog.writing() as connection:
            values: dict[str, object] = {"rid": job, "build_rid": build, "reference": path, "branch": "master"}
            values["started_at"] = START + timedelta(hours=i)
            connection.execute(tables.jobs.insert().values(**values, reason="new", status="succeeded"))
            journal.keep_checks(connection, job, "master", entries, datasets, {}, START + timedelta(hours=i))
    return made


def checks(workspace: Workspace, *args: str) -> int:
    return run(["--workspace", str(workspace.path), "checks", *args])


def test_latest_verdicts(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert checks(workspace) == 0
    out = capsys.readouterr().out
    assert [line.split()[:2] for line in out.splitlines() if line.startswith(("  P", "  F"))] == [
        ["PASS", "key"],
        ["FAIL", "warn"],
        ["PASS", "key"],
    ]
    assert "gone" not in out
    assert "id=0, x=null" in out
    assert "... 2 more recorded" in out
    assert out.rstrip().endswith("2 PASS, 1 FAIL")


def test_history_keeps_what_is_gone(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert checks(workspace, "/Fleet/a", "--history") == 0
    out = capsys.readouterr().out
    assert "2024-05-01 12:00:00  ERROR  gone" in out
    assert out.index("13:00:00") < out.index("12:00:00")


def test_json_and_junit(workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "out" / "checks.xml"
    assert run(["--workspace", str(workspace.path), "--json", "checks", "b", "--junit", str(file)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [(c["dataset"], c["name"], c["evaluated_at"]) for c in document["checks"]] == [
        ("/Fleet/b", "key", "2024-05-01T14:00:00+00:00")
    ]
    assert CheckResult.from_json(document["checks"][0]["result"]) == KEY
    assert [s.attrib["name"] for s in ET.parse(file).getroot()] == ["/Fleet/b on master"]  # noqa: S314 - our own file


def test_a_blocking_verdict_is_exit_1_and_a_wrong_name_2(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = workspace.store.dataset("/Fleet/b")
    build = journal.start_build(workspace, "master", ())
    entry = CheckEntry("out", "/Fleet/b", "output", "gone", "FAIL", "ERROR", GONE.to_json())
    with workspace.catalog.writing() as connection:
        values = {"rid": "j", "build_rid": build, "reference": "/Fleet/b", "branch": "master", "reason": "new"}
        late = START + timedelta(days=1)
        connection.execute(tables.jobs.insert().values(**values, status="aborted", started_at=late))
        journal.keep_checks(connection, "j", "master", [entry], {"/Fleet/b": dataset}, {}, late)
    assert checks(workspace, "/Fleet/b") == 1
    assert "ERROR  gone  no column 'y'" in capsys.readouterr().out
    assert checks(workspace, "/Fleet/bb") == 2
    assert "/Fleet/b" in capsys.readouterr().err


def test_nothing_judged_yet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Workspace.create(tmp_path / "empty").close()
    assert run(["--workspace", str(tmp_path / "empty"), "checks"]) == 0
    assert "`mirror build` judges what it builds" in capsys.readouterr().out


#: element -> attributes it must have, attributes it may have, children it may have; source: the schema that Jenkins'
#: xUnit plugin ships (``junit-10.xsd``), with what the Ant schema demands besides
JUNIT = {
    "testsuites": ((), ("name", "time", "tests", "failures", "errors"), ("testsuite",)),
    "testsuite": (("name", "tests", "failures", "errors", "time", "timestamp"), (), ("testcase",)),
    "testcase": (("name", "classname", "time"), (), ("failure", "error", "system-out")),
    "failure": (("message", "type"), (), ()),
    "error": (("message", "type"), (), ()),
    "system-out": ((), (), ()),
}


def assert_junit(element: ET.Element) -> None:
    required, optional, children = JUNIT[element.tag]
    assert set(required) <= element.attrib.keys() <= {*required, *optional}
    for number in element.attrib.keys() & {"tests", "failures", "errors", "time"}:
        assert float(element.attrib[number]) >= 0
    if "timestamp" in element.attrib:
        datetime.strptime(element.attrib["timestamp"], "%Y-%m-%dT%H:%M:%S")  # noqa: DTZ007 - as the schema has it
    for child in element:
        assert child.tag in children
        assert_junit(child)


def test_junit_tells_blocking_from_warning_and_bad_data_from_not_computable() -> None:
    bad = CheckResult("range", "FAIL", "FAIL", "E.col('x').gt(0)", "one\x00row\ud800", {}, ({"x": -1},))
    xml = junit_xml(Reported("/Fleet/a", "master", START, r) for r in (KEY, RANGE_BAD, GONE, bad))
    root = ET.fromstring(xml)  # noqa: S314 - our own text
    assert_junit(root)
    (suite,) = root
    assert suite.attrib["timestamp"] == "2024-05-01T12:00:00"
    assert root.attrib["errors"] == "1"
    assert {k: suite.attrib[k] for k in ("tests", "failures", "errors")} == {
        "tests": "4",
        "failures": "1",
        "errors": "1",
    }
    key, warned, error, failed = suite
    assert list(key) == []
    assert [child.tag for child in warned] == ["system-out"]
    assert (error[0].tag, error[0].attrib["type"]) == ("error", "missing_column")
    assert (failed[0].tag, failed[0].attrib["message"]) == ("failure", "one\\x00row\\xd800")
    assert failed[0].text == "E.col('x').gt(0)\n{\"x\": -1}"
