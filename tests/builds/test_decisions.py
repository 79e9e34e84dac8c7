"""The pure rules: order of jobs, staleness of logic, when a run is incremental."""

from __future__ import annotations

import functools
import pickle
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mirror.builds import JobGraph, JobSpec, ParamSpec, Verdict, decide
from mirror.builds import errors as e
from mirror.builds.fingerprint import LogicVersions, tree_fingerprint
from mirror.builds.incremental import InputNow, Refusal
from mirror.builds.lineage import lineage
from mirror.builds.specs import JobSpec as Spec
from mirror.builds.staleness import up_to_date
from mirror.builds.state import InputRange, RunRecord
from mirror.datasets import Transaction, TransactionStatus, TransactionType
from mirror.errors import MirrorError


def spec(name: str, reads: str, makes: str) -> JobSpec:
    inputs = tuple(ParamSpec(f"i{p}", "dataset_input", "input", (p,)) for p in reads.split())
    outputs = tuple(ParamSpec(f"o{p}", "dataset_output", "output", (p,)) for p in makes.split())
    return JobSpec(f"m:{name}", name, f"m.py:{name}", "spark", "v", (*inputs, *outputs))


DIAMOND = (spec("last", "/b /c", "/d"), spec("b", "/a", "/b"), spec("c", "/a", "/c"), spec("a", "/raw", "/a"))


def test_producers_come_first_and_ties_keep_declared_order() -> None:
    graph = JobGraph.of(DIAMOND)
    assert [s.name for s in graph.specs] == ["a", "b", "c", "last"]
    assert graph.upstream["m:last"] == {"m:b", "m:c"}
    with pytest.raises(e.UnknownTargetError, match="Did you mean '/a'"):
        graph.producer("/aa")


def test_cycles_and_double_makers_are_named() -> None:
    with pytest.raises(e.CyclicPipelineError) as cycle:
        JobGraph.of([spec("x", "/q /raw", "/p"), spec("y", "/p", "/q"), spec("z", "/q", "/r")])
    assert "/p -> /q -> /p" in str(cycle.value)
    assert "made by 'x' (m.py:x), 'y' (m.py:y)" in str(cycle.value)
    with pytest.raises(e.CyclicPipelineError, match="/self -> /self"):
        JobGraph.of([spec("s", "/self", "/self")])
    with pytest.raises(e.TwoProducersError, match=r"'/p' is written by two transforms, 'x' \(m.py:x\) and 'y'"):
        JobGraph.of([spec("x", "/a", "/p"), spec("y", "/b", "/p")])


def test_lineage_reaches_both_ways_and_no_siblings() -> None:
    whole = lineage((*DIAMOND, spec("other", "/raw2", "/z")))
    assert [n.path for n in whole.nodes] == ["/raw", "/a", "/b", "/c", "/d", "/raw2", "/z"]
    assert [n.path for n in whole.around(["/b"]).nodes] == ["/raw", "/a", "/b", "/d"]
    assert ("/a", "b", "/b") in whole.around(["/b"]).edges
    assert ("/a", "c", "/c") not in whole.around(["/b"]).edges


def test_specs_survive_json_and_read_settings_as_attributes() -> None:
    param = ParamSpec("m", "model_input", "input", ("/model",), "dev", {"model_version": "1.0.0"}, ("c",))
    made = Spec("r", "n", "f:1", "spark", "v", (param,), {"semantic_version": 3}, {"profile": "x"})
    assert Spec.from_json(made.to_json()) == made
    assert param.model_version == "1.0.0"
    assert made.semantic_version == 3
    with pytest.raises(AttributeError, match="declares no 'nothing'"):
        _ = param.nothing


def transaction(number: int, kind: str, retention: bool = False) -> Transaction:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    status = TransactionStatus.COMMITTED
    return Transaction(
        f"t{number}", "d", "master", number, None, TransactionType(kind), status, at, at, "o", retention=retention
    )


def previous(end: str = "t2", **changes) -> RunRecord:
    record = RunRecord("job1", "ref", "v", 1, True, {"/in": InputRange("i", "master", "t1", end)})
    return replace(record, **changes)


CHAIN = (transaction(1, "SNAPSHOT"), transaction(2, "APPEND"))
ADDED = (*CHAIN, transaction(3, "APPEND"))
UPDATED = (*CHAIN, transaction(3, "UPDATE"))
DELETED = (*CHAIN, transaction(3, "DELETE"))
RETAINED = (*CHAIN, transaction(3, "DELETE", retention=True))
REPLACED = (transaction(4, "SNAPSHOT"),)
REBORN = (transaction(5, "APPEND"),)
NEW = frozenset({"t3"})
WHOLE = previous(inputs={"/in": InputRange("i", "master", "t1", "t2", "t2", snapshot=True)})
REQUIRED, RETENTION, V2 = {"require_incremental": True}, {"allow_retention": True}, {"v2_semantics": True}
YES, NO, FAIL = Verdict.INCREMENTAL, Verdict.SNAPSHOT, Verdict.REFUSED
ADDITIONS = "only additions since the last run"
REMOVED = "files of input /in were removed (DELETE t3)"
INCONSISTENT = "provenance records for the previous build are inconsistent"


@pytest.mark.parametrize(
    ("settings", "run", "chain", "replaced", "verdict", "reason"),
    [
        (None, previous(), ADDED, (), NO, "the transform is not incremental"),
        ({}, previous(), ADDED, (), YES, ADDITIONS),
        ({}, previous(), CHAIN, (), YES, ADDITIONS),
        ({}, previous(), UPDATED, (), YES, ADDITIONS),
        ({}, previous(), UPDATED, NEW, NO, "files of input /in were changed (UPDATE t3)"),
        ({}, previous(), DELETED, NEW, NO, REMOVED),
        ({}, previous(), DELETED, (), YES, ADDITIONS),
        ({}, previous(), RETAINED, NEW, NO, "files of input /in were removed (retention, DELETE t3)"),
        (RETENTION, previous(), RETAINED, NEW, YES, ADDITIONS),
        (RETENTION, previous(), DELETED, NEW, NO, REMOVED),
        ({}, previous(), REPLACED, (), NO, "input /in was replaced by a SNAPSHOT t4"),
        ({}, previous(), REBORN, (), NO, "input /in begins with another transaction than at the last run"),
        ({"snapshot_inputs": ["i"]}, previous(), REPLACED, (), YES, ADDITIONS),
        # What was read whole has no increment to go on from: like a new input it cannot break anything.
        ({}, WHOLE, REPLACED, (), YES, ADDITIONS),
        (REQUIRED, previous(), REPLACED, (), FAIL, "input /in was replaced by a SNAPSHOT t4"),
        ({"semantic_version": 2}, previous(), ADDED, (), NO, "semantic version 2 instead of 1"),
        ({"semantic_version": 2, **REQUIRED}, previous(), REPLACED, (), NO, "semantic version 2 instead of 1"),
        (V2, previous(), ADDED, (), NO, "v2_semantics was switched on"),
        (V2, previous(v2_semantics=True), ADDED, (), YES, ADDITIONS),
        ({}, previous(v2_semantics=True), ADDED, (), YES, ADDITIONS),
        ({}, previous(reference="other"), ADDED, (), NO,
         f"{INCONSISTENT}: /out was last written by something else than this transform"),
        ({}, previous(inputs={}), ADDED, (), YES, ADDITIONS),
    ],
)  # fmt: skip
def test_incremental_procedure(settings, run, chain, replaced, verdict, reason) -> None:
    entry = InputNow("/in", "i", chain, frozenset(replaced), known=any(x.rid == "t2" for x in chain))
    decision = decide(settings, "ref", {"/out": run}, {"/out": True}, [entry])
    assert (decision.verdict, decision.reason) == (verdict, reason)
    assert str(decision) == f"{verdict.value}: {reason}"


def test_incremental_needs_history_and_one_run_behind_all_outputs() -> None:
    entry = InputNow("/in", "i", ADDED)
    both = {"/a": True, "/b": True}
    first = decide(REQUIRED, "ref", {"/a": None}, {"/a": False}, [entry])
    assert str(first) == "snapshot: first build"
    runs = {"/a": previous(), "/b": previous(job="job2")}
    split = decide(REQUIRED, "ref", runs, both, [entry])
    assert (split.verdict, split.refusal) == (Verdict.REFUSED, Refusal.INCONSISTENT)
    assert split.reason.endswith("inconsistent: /a, /b were last written by different runs")
    # An output that never was built does not stand in the way, and excuses a run that cannot be incremental.
    half = ({"/a": previous(), "/b": None}, {"/a": True, "/b": False})
    assert decide(REQUIRED, "ref", *half, [entry]).verdict is Verdict.INCREMENTAL
    assert decide(REQUIRED, "ref", *half, [replace(entry, chain=REPLACED)]).verdict is Verdict.SNAPSHOT
    foreign = decide({}, "ref", {"/a": previous(), "/b": None}, both, [entry])
    assert foreign.reason.endswith("/b was last written by something else than this transform")


def test_a_rewritten_history_is_an_error_unless_the_run_starts_over_anyway() -> None:
    lost = InputNow("/in", "i", ADDED, known=False)
    run = {"/a": previous(end="gone")}, {"/a": True}
    for behind, refusal in ((False, Refusal.NOT_IN_VIEW), (True, Refusal.BEHIND)):
        decision = decide({}, "ref", *run, [replace(lost, behind=behind)])
        assert (decision.verdict, decision.refusal) == (Verdict.REFUSED, refusal)
    assert refusal.value == "Catalog:InconsistentBranchesOrder"
    assert decide({"semantic_version": 2}, "ref", *run, [lost]).verdict is Verdict.SNAPSHOT
    other = InputNow("/in2", "j", REPLACED)
    before = {**previous(end="gone").inputs, "/in2": InputRange("j", "master", "t1", "t2")}
    both = {"/a": previous(inputs=before)}
    assert decide({}, "ref", both, {"/a": True}, [lost, other]).reason == "input /in2 was replaced by a SNAPSHOT t4"


def test_a_plan_says_what_it_knows_and_what_upstream_decides() -> None:
    known, run = (
        InputNow("/in", "i", ADDED),
        previous(inputs={**previous().inputs, "/up": InputRange("u", "m", "x", "y")}),
    )
    state = {"/a": run}, {"/a": True}
    waits = decide({}, "ref", *state, [known], pending={"/up": "u"})
    assert str(waits) == "decided when upstream has run: input /up is made first"
    # Whatever upstream commits, these cannot be anything else.
    assert decide({"semantic_version": 2}, "ref", *state, [known], pending={"/up": "u"}).verdict is Verdict.SNAPSHOT
    broken = decide({}, "ref", *state, [replace(known, chain=REPLACED)], pending={"/up": "u"})
    assert broken.reason == "input /in was replaced by a SNAPSHOT t4"
    for settings, pending in (({"snapshot_inputs": ["u"]}, {"/up": "u"}), ({}, {"/new": "n"})):
        assert decide(settings, "ref", *state, [known], pending=pending).verdict is Verdict.INCREMENTAL


def test_aborting_outputs_one_by_one_breaks_v2_only() -> None:
    entry, v2 = InputNow("/in", "i", ADDED), previous(v2_semantics=True)
    state = {"/a": v2}, {"/a": True}
    assert decide({}, "ref", *state, [entry], dropped=True).verdict is Verdict.INCREMENTAL
    assert "only ctx.abort_job()" in decide({"v2_semantics": True}, "ref", *state, [entry], dropped=True).reason
    refused = decide({"v2_semantics": True, **REQUIRED}, "ref", *state, [entry], dropped=True)
    assert refused.refusal is Refusal.INCONSISTENT


@pytest.mark.parametrize(
    ("kinds", "wrong"),
    [
        ("SNAPSHOT APPEND APPEND", None),
        ("APPEND APPEND", None),
        ("UPDATE APPEND", "UPDATE t0"),
        ("SNAPSHOT APPEND DELETE", "DELETE t2"),
        ("", None),
    ],
)
def test_batches_are_made_of_appends(kinds: str, wrong: str | None) -> None:
    chain = [transaction(at, kind) for at, kind in enumerate(kinds.split())]
    entry = InputNow("/in", "i", chain, batched=True)
    first = decide({"v2_semantics": True}, "ref", {"/a": None}, {"/a": False}, [entry])
    if wrong is None:
        assert first.verdict is Verdict.SNAPSHOT
    else:
        assert first.refusal is Refusal.NO_BATCHES
        assert first.reason == f"input /in has a transaction_limit and its view holds a {wrong}"


def test_a_source_outside_is_not_watched_and_the_plan_says_so() -> None:
    plain = spec("x", "/a", "/b")
    assert up_to_date(plain) == "up to date"
    outside = replace(plain, params=(*plain.params, ParamSpec("api", "source", "input", ("ri.source",))))
    assert up_to_date(outside) == (
        "up to date; what 'api' holds outside is not watched (--force asks again, [builds] always_stale each time)"
    )


HELPER = '''"""Text."""
def double(x):
    """Doc."""
    return x * 2  # note
'''
JOB = "from pkg.helper import double\ndef make(n):\n    def compute():\n        return double(n)\n    return compute\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "src"
    (root / "pkg" / "data").mkdir(parents=True)
    for name, text in {"__init__": "", "helper": HELPER, "job": JOB, "other": "X = 1\n"}.items():
        (root / "pkg" / f"{name}.py").write_text(text)
    (root / "pkg" / "data" / "limits.yaml").write_text("a: 1\n")
    (tmp_path / "conda_recipe").mkdir()
    (tmp_path / "conda_recipe" / "meta.yaml").write_text("pandas 2\n")
    return root


def version(root: Path, captured: int = 1, declared: str = "") -> str:
    space: dict = {"__name__": "pkg.job"}
    exec(compile(f"def double(x): return x\n{JOB.split(chr(10), 1)[1]}", str(root / "pkg" / "job.py"), "exec"), space)  # noqa: S102
    return LogicVersions(root).of(space["make"](captured), declared)


@pytest.mark.parametrize(
    ("file", "text", "changes"),
    [
        ("pkg/helper.py", HELPER.replace("Doc.", "Other words.").replace("# note", "# remark\n\n"), False),
        ("pkg/helper.py", HELPER.replace("* 2", "* 3"), True),
        ("pkg/other.py", "X = 2\n", False),
        ("pkg/data/limits.yaml", "a: 2\n", True),
        ("pkg/__init__.py", "Y = 1\n", True),
        ("../conda_recipe/meta.yaml", "pandas 3\n", True),
    ],
)
def test_what_counts_as_logic(tree: Path, file: str, text: str, changes: bool) -> None:
    before = version(tree)
    (tree / file).write_text(text)
    assert (version(tree) != before) is changes


@pytest.mark.parametrize(
    ("gradle", "file", "changes"),
    [
        ("", "pkg/other.py", False),
        ("// transformsPython { tllv false }", "pkg/other.py", False),
        ("transformsPython {\n    tllv false\n}", "pkg/other.py", True),
        ("transformsPython { tllvFiles = ['queries/a.sql'] }", "../queries/a.sql", True),
        ('transformsPython { tllvFiles "queries" }', "../queries/a.sql", True),
        ("transformsPython { sharedChannels 'libs' }", "../queries/a.sql", False),
        ("transformsPython { tllvIncludeDeps = false }", "../conda_recipe/meta.yaml", False),
    ],
)
def test_logic_versions_follow_build_gradle(tree: Path, gradle: str, file: str, changes: bool) -> None:
    (tree.parent / "queries").mkdir()
    (tree.parent / "queries" / "a.sql").write_text("select 1")
    (tree.parent / "build.gradle").write_text(gradle)
    before, seen = version(tree), tree_fingerprint(tree)
    (tree / file).write_text("Z = 3\n")
    assert (version(tree) != before) is changes
    assert not changes or tree_fingerprint(tree) != seen


def test_data_that_transforms_carry_counts_by_their_values_alone(tree: Path) -> None:
    (tree / "pkg" / "fleet.yaml").write_text("a: 1\n")
    (tree / "pkg" / "__init__.py").write_text('CARRIED_BY_TRANSFORMS = ("*.yaml",)\n')
    before, seen = version(tree), tree_fingerprint(tree)
    (tree / "pkg" / "fleet.yaml").write_text("a: 2\n")
    assert version(tree) == before != version(tree, 2)
    assert tree_fingerprint(tree) != seen  # published anew, or nobody would look at the values
    (tree / "pkg" / "limits.json").write_text("{}")
    assert version(tree) != before
    before = version(tree)
    (tree / "pkg" / "data" / "limits.yaml").write_text("a: 2\n")  # not beside the package that promised
    assert version(tree) != before


def test_values_count_through_functions_and_models_of_any_depth(tree: Path) -> None:
    from datetime import date

    from pydantic import BaseModel

    class Days(BaseModel):
        days: tuple[date, ...]

    def made(value: object) -> str:
        def helper() -> object:
            return value

        def compute() -> object:
            return helper()

        return LogicVersions(tree).of(compute, "")

    assert made(1) == made(1) != made(2)
    assert made(Days(days=(date(2026, 1, 1),))) != made(Days(days=(date(2026, 1, 2),)))
    assert made([[Days(days=())]]) != made([[Days(days=(date(2026, 1, 2),))]])


def test_captured_values_and_declarations_count(tree: Path) -> None:
    assert version(tree, 1) == version(tree, 1)
    assert version(tree, 1) != version(tree, 2)
    assert version(tree, 1, "Output(/a)") != version(tree, 1, "Output(/b)")


def test_partials_and_callable_objects_count_by_what_they_carry(tree: Path) -> None:
    code = """
class Limit:
    def __init__(self, n): self.n = n
    def __call__(self, x): return x[: self.n]
    def method(self, x): return x
def double(x, factor=2): return x * factor
"""
    space: dict = {"__name__": "pkg.job"}
    exec(compile(code, str(tree / "pkg" / "job.py"), "exec"), space)  # noqa: S102
    limit, partial = space["Limit"], functools.partial
    kinds = [
        lambda n: limit(n),
        lambda n: limit(n).method,
        lambda n: partial(space["double"], factor=n),
        lambda n: partial(partial(limit(n)), x=1),
    ]
    versions = LogicVersions(tree)
    for make in kinds:
        assert versions.of(make(1), "") == versions.of(make(1), "")
        assert versions.of(make(1), "") != versions.of(make(2), "")
    # What is not written in Python follows the whole tree.
    before = versions.of(len, "")
    (tree / "pkg" / "other.py").write_text("X = 2\n")
    assert LogicVersions(tree).of(len, "") != before


def test_tree_fingerprint_sees_every_file_but_caches(tree: Path) -> None:
    before = tree_fingerprint(tree)
    (tree / "pkg" / "__pycache__").mkdir()
    (tree / "pkg" / "__pycache__" / "job.pyc").write_bytes(b"x")
    assert tree_fingerprint(tree) == before
    (tree / "pkg" / "other.py").write_text("X = 1  # comment\n")
    assert tree_fingerprint(tree) != before


ERRORS: list[tuple[MirrorError, int, tuple[str, ...]]] = [
    (e.PipelineImportError("p:x", "/f.py:3", "ValueError: no"), 2, ("p:x", "/f.py:3", "ValueError: no")),
    (e.ProfileRefusedError("p.yaml, line 3: no unit."), 2, ("p.yaml, line 3: no unit.", "was not copied")),
    (e.PackageNameError("rich", "/repo/src"), 2, ("'rich'", "/repo/src", "mirror itself runs on", "Rename it")),
    (e.PipelineObjectError("p:x", "/setup.py", "a list"), 2, ("/setup.py", "p:x", "a list", "Pipeline")),
    (e.CyclicPipelineError(("/a", "/b"), ("'x'", "'y'")), 2, ("/a -> /b -> /a", "'x', 'y'", "Cut")),
    (e.TwoProducersError("/a", "'x'", "'y'"), 2, ("'/a'", "'x' and 'y'", "another output")),
    (e.UnknownTargetError("/aa", ("/a",)), 2, ("'/aa'", "Did you mean '/a'", "--dry-run")),
    (e.FallbackMismatchError("/a", "f", "it comes from 'x'"), 2, ("'/a'", "'f'", "it comes from 'x'", "delete /a f")),
    (e.WaitingTargetError("/a", "input /b was never ingested"), 2, ("'/a'", "/b was never ingested")),
    (e.UnknownTransformError("cleen", ("clean",)), 2, ("'cleen'", "Did you mean 'clean'", "Known: clean")),
    (e.UnboundKindError("t", "p", "media_set"), 2, ("'t'", "'p'", "media_set", "docs/fidelity.md")),
    (e.JobFailedError("t", ("/a",), "/f.py:3", "ValueError", "no"), 1, ("'t'", "/a", "/f.py:3", "ValueError: no")),
    (e.JobFailedError("t", (), None, "ValueError", "no"), 1, ("transform 't' failed: ValueError: no",)),
    (e.ChecksFailedError("t", (("/a", "pk", "2 doubled"),)), 1, ("'t'", "'pk' on '/a': 2 doubled", "nothing")),
    (e.BatchInputError("t", "why"), 1, ("'t'", "why", "APPEND", "InvalidTransactionTypeForBatchInputResolution")),
    (e.NotIncrementalError("t", "why"), 1, ("'t'", "why", "semantic_version")),
    (e.InconsistentProvenanceError("t", "why"), 1, ("'t'", "why", "semantic_version", "InconsistentProvenanceRecords")),
    (e.InputHistoryError("t", "why", "Catalog:X"), 1, ("'t'", "why", "semantic_version", "Catalog:X")),
    (
        e.SameDatasetError("'t' (f.py:1)", "/a", "input 'x' ('ri.a')", "output 'y' ('/a')"),
        2,
        ("'t' (f.py:1)", "'/a'", "input 'x' ('ri.a')", "output 'y' ('/a')", "alias map"),
    ),
    (e.DeclarationError("f.py:1: why"), 2, ("f.py:1: why",)),
]


@pytest.mark.parametrize(("error", "code", "fragments"), ERRORS, ids=lambda v: type(v).__name__)
def test_errors_name_subject_and_fix(error: MirrorError, code: int, fragments: tuple[str, ...]) -> None:
    for fragment in fragments:
        assert fragment in str(error)
    assert error.exit_code == code
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - our own bytes
