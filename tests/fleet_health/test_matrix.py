"""The matrix of cases (``test_matrix.yaml``) against the tests that were collected: every case once, at its gate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

HERE = Path(__file__).parent
MATRIX = HERE / "test_matrix.yaml"
TESTS = HERE.parent
"""Only when every file of tests was collected can a case be said to be missing."""


AT_NIGHT = ("nightly", "staging")
"""Where there is no staging project, its cases run at night."""


@dataclass(frozen=True)
class Matrix:
    """Case -> gate (``any`` where the matrix names none), and what each case waits for whose code does not exist."""

    gates: Mapping[str, str]
    awaiting: Mapping[str, str]
    twice: tuple[str, ...] = ()


@dataclass(frozen=True)
class Carried:
    """One collected test (one set of parameters of it) that names a case."""

    case: str
    test: str
    nightly: bool = False


def read_matrix(text: str) -> Matrix:
    """The matrix as it is written; a case listed twice is kept for :func:`problems`."""
    document = yaml.safe_load(text)
    cells = [cell for layer in document["layers"].values() for cell in layer.values()]
    listed = [(case["id"], case["gate"]) for cell in cells for case in cell]
    listed += [(case["id"], "any") for group in ("scenarios", "monitoring_self_tests") for case in document[group]]
    names = [name for name, _ in listed]
    waiting = [(case, entry["until"]) for entry in document["awaiting"] for case in entry["cases"]]
    twice = sorted({name for name in names if names.count(name) > 1})
    twice += sorted({name for name, _ in waiting if [case for case, _ in waiting].count(name) > 1})
    return Matrix(dict(listed), dict(waiting), tuple(twice))


def problems(matrix: Matrix, carried: Iterable[Carried]) -> list[str]:
    """What keeps the tests from proving the matrix, one line each; nothing when all is well."""
    tests: dict[str, list[Carried]] = defaultdict(list)
    for one in carried:
        tests[one.case].append(one)
    found = [f"{case}: listed twice in the matrix" for case in matrix.twice]
    for case in sorted({*matrix.gates, *matrix.awaiting, *tests}):
        carriers = tests.get(case, [])
        names = ", ".join(sorted(one.test for one in carriers))
        gate = matrix.gates.get(case)
        if gate is None:
            found.append(f"{case}: not in the matrix" + (f", but carried by {names}" if names else ", but awaited"))
            continue
        if len(carriers) > 1:
            found.append(f"{case}: carried by {len(carriers)} tests: {names}")
        if case in matrix.awaiting:
            if carriers:
                found.append(f"{case}: proved by {names}, so it waits no longer: take it off `awaiting`")
        elif not carriers:
            found.append(f"{case}: no test carries it")
        if gate == "merge" and any(one.nightly for one in carriers):
            found.append(f"{case}: has to be judged before every merge, but {names} runs at night")
        if gate in AT_NIGHT and not all(one.nightly for one in carriers):
            found.append(f"{case}: is for the night, but {names} runs every time")
    return found


def carried_by(items: Iterable[pytest.Item]) -> list[Carried]:
    """The cases that collected tests name."""
    return [
        Carried(case, item.nodeid, item.get_closest_marker("nightly") is not None)
        for item in items
        for marker in item.iter_markers("case")
        for case in marker.args
    ]


def test_every_case_is_carried_once_and_at_its_gate(
    request: pytest.FixtureRequest, collected: list[pytest.Item]
) -> None:
    if any("::" in argument for argument in request.config.args):
        pytest.skip("single tests were asked for; run `pytest` to compare the matrix of cases")
    files = {item.path for item in collected}
    rest = sorted(file.name for file in TESTS.rglob("test_*.py") if file not in files)
    if rest:
        pytest.skip(f"{len(rest)} test files were not collected ({rest[0]}, ...); run `pytest` to compare the matrix")
    found = problems(read_matrix(MATRIX.read_text("utf-8")), carried_by(collected))
    assert not found, "\n".join(found)


GATES = {"A-1": "merge", "A-2": "merge", "A-3": "nightly", "A-4": "staging", "SC-1": "any"}
AS_IT_SHOULD = (
    Carried("A-1", "t_one"),
    Carried("A-3", "t_night", nightly=True),
    Carried("A-4", "t_stage", nightly=True),
    Carried("SC-1", "t_two"),
)


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ([], []),
        ([Carried("A-1", "t_other")], ["A-1: carried by 2 tests: t_one, t_other"]),
        ([Carried("A-9", "t_odd")], ["A-9: not in the matrix, but carried by t_odd"]),
        ([Carried("A-2", "t_new")], ["A-2: proved by t_new, so it waits no longer: take it off `awaiting`"]),
        (
            [Carried("A-4", "t_day")],
            ["A-4: carried by 2 tests: t_day, t_stage", "A-4: is for the night, but t_day, t_stage runs every time"],
        ),
    ],
    ids=["well", "twice", "unknown", "arrived", "staging by day"],
)
def test_problems_are_told(more: list[Carried], found: list[str]) -> None:
    assert problems(Matrix(GATES, {"A-2": "code"}), [*AS_IT_SHOULD, *more]) == found


def test_gates_and_gaps_are_told() -> None:
    matrix = Matrix(GATES, {"A-8": "code"}, twice=("A-1",))
    carried = [Carried("A-1", "t_one", nightly=True), Carried("A-3", "t_day")]
    assert problems(matrix, carried) == [
        "A-1: listed twice in the matrix",
        "A-1: has to be judged before every merge, but t_one runs at night",
        "A-2: no test carries it",
        "A-3: is for the night, but t_day runs every time",
        "A-4: no test carries it",
        "A-8: not in the matrix, but awaited",
        "SC-1: no test carries it",
    ]


def test_the_written_matrix_is_read_whole() -> None:
    matrix = read_matrix(MATRIX.read_text("utf-8"))
    assert matrix.twice == ()
    assert len(matrix.gates) == 205 + 30 + 10
    assert set(matrix.awaiting) <= set(matrix.gates)
    assert {case.split("-")[0] for case in matrix.awaiting} <= {"MTR", "E2E", "MST"}
    assert [case for case, gate in matrix.gates.items() if gate == "staging"] == ["SRV-EC-11", "SRV-BI-08"]


def test_cases_are_read_from_marks(marked: list[Any]) -> None:
    assert carried_by(marked) == [Carried("X-1", "a", nightly=False), Carried("X-2", "a"), Carried("X-3", "b", True)]


@pytest.fixture
def marked() -> list[Any]:
    @dataclass
    class Item:
        nodeid: str
        marks: list[Any]

        def iter_markers(self, name: str) -> Iterable[Any]:
            return [mark for mark in self.marks if mark.name == name]

        def get_closest_marker(self, name: str) -> Any:
            return next(iter(self.iter_markers(name)), None)

    first = Item("a", [pytest.mark.case("X-1", "X-2").mark])
    return [first, Item("b", [pytest.mark.nightly.mark, pytest.mark.case("X-3").mark]), Item("c", [])]
