"""Which jobs a change touches and why, from JobSpecs alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mirror.builds import JobSpec, ParamSpec
from mirror.builds.errors import CyclicPipelineError
from mirror.promotion.jobs import compare_jobs


def job(name: str, reads: tuple[str, ...], **more: object) -> JobSpec:
    params = tuple(ParamSpec(f"i{n}", "dataset_input", "input", (path,)) for n, path in enumerate(reads))
    made = (*params, ParamSpec("o", "dataset_output", "output", (f"/{name}",)))
    return JobSpec(f"m:{name}", name, "m.py:1", "spark", "v1", made, **more)  # type: ignore[arg-type]  # fields by name


BEFORE = (job("a", ("/raw",)), job("b", ("/a",)), job("c", ("/b",)), job("d", ("/raw",)))
COVERS = ({f"m:{name}": (f"{name}.py", "shared.py") for name in "abcd"},) * 2


def test_what_is_the_same_changes_nothing_and_touches_nothing():
    # Whatever else changed in the tree: the logic version is what counts.
    same = compare_jobs(BEFORE, BEFORE, COVERS, ["b.py", "readme.md"])
    assert (same.total, same.changes, same.affected) == (4, (), ())


def test_code_is_named_and_everything_downstream_follows():
    after = [replace(spec, logic_version="v2") if spec.name == "b" else spec for spec in BEFORE]
    found = compare_jobs(BEFORE, after, COVERS, ["b.py", "d.py"])
    assert [(c.reference, c.kind, c.why) for c in found.changes] == [("m:b", "changed", ("its code changed: b.py",))]
    assert found.affected == ("/b", "/c")
    assert str(found.changes[0]) == "changed /b (m:b): its code changed: b.py"
    carried = compare_jobs(BEFORE, after, COVERS, ["readme.md"])
    assert carried.changes[0].why == ("values it carries or pinned packages changed",)


def test_declarations_are_told_apart():
    b = BEFORE[1]
    after = [
        BEFORE[0],
        replace(
            b,
            logic_version="v2",
            params=(
                ParamSpec("i0", "dataset_input", "input", ("/raw",)),
                replace(b.params[1], checks=("limit",)),
            ),
        ),
        job("e", ("/a",)),
        BEFORE[3],
    ]
    found = {c.reference: c for c in compare_jobs(BEFORE, after, COVERS, []).changes}
    assert found["m:b"].why == ("input /raw is new", "input /a is gone", "checks on 'o' changed")
    assert (found["m:c"].kind, found["m:e"].kind) == ("removed", "added")
    assert found.keys() == {"m:b", "m:c", "m:e"}


def test_an_incremental_job_whose_old_rows_stay_is_pointed_at():
    old = job("a", ("/raw",), incremental={"semantic_version": 1})
    new = replace(old, logic_version="v2")
    raised = replace(new, incremental={"semantic_version": 2})
    assert "raise semantic_version" in compare_jobs([old], [new], COVERS, []).changes[0].warning
    found = compare_jobs([old], [raised], COVERS, []).changes[0]
    assert found.warning == ""
    assert found.why[0] == "incremental settings changed (semantic version 1 -> 2)"


def test_a_cycle_is_the_candidates_own_fault():
    with pytest.raises(CyclicPipelineError):
        compare_jobs(BEFORE, [job("a", ("/b",)), job("b", ("/a",))], COVERS, [])
