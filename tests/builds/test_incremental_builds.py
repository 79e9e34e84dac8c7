"""Incremental runs over real transactions (transforms fact sheet, section 9): how each runs, why, and what comes of it.

Every scenario has datasets of its own in one workspace, so that three builds serve all of them. On ``lightweight`` they
start no Spark; at night the same scenarios run on Spark and must come to the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

ENGINES = pytest.mark.parametrize("engine", ["lightweight", "spark"])

ADDS = "incremental: only additions since the last run"
FIRST = "snapshot: first build"
REPLACED = "input /{}/in was replaced by a SNAPSHOT *"
MIXED = (
    "provenance records for the previous build are inconsistent: /{}/out was last written by something else than this"
    " transform"
)

COPY = """
@incremental()
@job(out=Output("/$/out"), x=Input("/$/in"))
def copy(x, out):
    out.write_pandas(read(x))
"""
OPEN = COPY.replace("(x, out)", "(x, out, **more)")
TWO = """
@incremental(snapshot_inputs=[])
@job(out=Output("/$/out"), x=Input("/$/in"),
     y=Input("/$/other")
)
def both(out, **inputs):
    out.write_pandas(pd.concat([read(one) for one in inputs.values()]))
"""


def copy(**settings: Any) -> str:
    return COPY.replace("()", f"({', '.join(f'{k}={v!r}' for k, v in settings.items())})", 1)


# Name -> code, then for each build: what happened before, how the plan and the report say it runs, the type of the
# transaction on /name/out (None: none), and all rows of it afterwards.
SCENARIOS: dict[str, tuple[Any, ...]] = {
    # Vector 12: an UPDATE that only adds is read by increments, one that rewrites starts over.
    "append": (
        COPY,
        ("in SNAPSHOT 1", FIRST, "SNAPSHOT", [1]),
        ("in APPEND 2", ADDS, "UPDATE", [1, 2]),
        ("in UPDATE 3; in APPEND 4", ADDS, "UPDATE", [1, 2, 3, 4]),
    ),
    "rewritten": (
        COPY,
        ("in SNAPSHOT 1", FIRST, "SNAPSHOT", [1]),
        ("in UPDATE@0 5", "snapshot: files of input /rewritten/in were changed (UPDATE *)", "SNAPSHOT", [5]),
        (
            "in APPEND 6; in DELETE@0",
            "snapshot: files of input /rewritten/in were removed (DELETE *)",
            "SNAPSHOT",
            [6],
        ),
    ),
    # Files that came and went, or changed, since the last run were never seen: nothing that was read changed.
    "passing": (
        COPY,
        ("in SNAPSHOT 1", FIRST, "SNAPSHOT", [1]),
        ("in APPEND 2; in UPDATE@1 3; in APPEND 4; in DELETE@3", ADDS, "UPDATE", [1, 3]),
    ),
    "replaced": (
        COPY,
        ("in SNAPSHOT 1", FIRST, "SNAPSHOT", [1]),
        ("in SNAPSHOT 7", "snapshot: " + REPLACED.format("replaced"), "SNAPSHOT", [7]),
        ("in APPEND 8", ADDS, "UPDATE", [7, 8]),
    ),
    "one_of_two": (
        TWO,
        ("in SNAPSHOT 1; other SNAPSHOT 10", FIRST, "SNAPSHOT", [1, 10]),
        ("in APPEND 2; other APPEND 20", ADDS, "UPDATE", [1, 2, 10, 20]),
        ("in APPEND 3; other SNAPSHOT 30", "snapshot: input /one_of_two/other was replaced by a SNAPSHOT *", "SNAPSHOT",
         [1, 2, 3, 30]),
    ),
    "snapshot_input": (
        TWO.replace("[]", '["y"]'),
        ("in SNAPSHOT 1; other SNAPSHOT 10", FIRST, "SNAPSHOT", [1, 10]),
        ("in APPEND 2; other SNAPSHOT 20", ADDS, "UPDATE", [1, 2, 10, 20]),
        # Removed from snapshot_inputs it counts as a new input: everything is added, nothing breaks.
        ('other APPEND 30; code ["y"] -> []', ADDS, "UPDATE", [1, 2, 10, 20, 20, 30]),
    ),
    "grown": (
        TWO,
        ("in SNAPSHOT 1; other SNAPSHOT 5; code y=Input -> # y=Input", FIRST, "SNAPSHOT", [1]),
        ("in APPEND 2; code # y -> y", ADDS, "UPDATE", [1, 2, 5]),
        ("in APPEND 3; code y=Input -> # y=Input", ADDS, "UPDATE", [1, 2, 3, 5]),
    ),
    "retention": (
        copy(allow_retention=True),
        ("in SNAPSHOT 1; in APPEND 2", FIRST, "SNAPSHOT", [1, 2]),
        ("in APPEND 3; in RETENTION@0", ADDS, "UPDATE", [1, 2, 3]),
        ("in RETENTION@1", "", None, [1, 2, 3]),
    ),
    "asked": (
        copy(require_incremental=True),
        ("in SNAPSHOT 1", FIRST, "SNAPSHOT", [1]),
        ("in APPEND 2; out START_OVER", "snapshot: a snapshot of /asked/out was asked for", "SNAPSHOT", [1, 2]),
        ("in APPEND 3", ADDS, "UPDATE", [1, 2, 3]),
    ),
    # The bytes are gone as well: what a run still reads as "previous" is what is left.
    "retired": (
        copy(allow_retention=True) + "    assert list(x.pandas('previous').v) in ([], [2])\n",
        ("in SNAPSHOT 1; in APPEND 2", FIRST, "SNAPSHOT", [1, 2]),
        ("in APPEND 3; in RETIRE@1", ADDS, "UPDATE", [1, 2, 3]),
    ),
    "no_retention": (
        COPY,
        ("in SNAPSHOT 1; in APPEND 2", FIRST, "SNAPSHOT", [1, 2]),
        (
            "in APPEND 3; in RETENTION@0",
            "snapshot: files of input /no_retention/in were removed (retention, DELETE *)",
            "SNAPSHOT",
            [2, 3],
        ),
        # Retention on an output hides nothing of who made it.
        ("in APPEND 4; out RETENTION@*", ADDS, "UPDATE", [4]),
    ),
    "strict": (
        copy(strict_append=True),
        ("in SNAPSHOT 1", FIRST, "SNAPSHOT", [1]),
        ("in APPEND 2", ADDS, "APPEND", [1, 2]),
        ("in APPEND 3; code out.write -> out.set_mode('modify')\n    out.write", ADDS, "APPEND", [1, 2, 3]),
    ),
    "overwrites": (
        copy(strict_append=True) + '    out.filesystem().open("_SUCCESS", "w").close()\n',
        ("in SNAPSHOT 1", FIRST, "SNAPSHOT", [1]),
        ("in APPEND 2", f"{ADDS}; FileExistsError", None, [1]),
        # A run that starts over may overwrite (C16).
        ("in SNAPSHOT 3", "snapshot: " + REPLACED.format("overwrites"), "SNAPSHOT", [3]),
    ),
    "version": (
        copy(semantic_version=1),
        ("in SNAPSHOT 1", FIRST, "SNAPSHOT", [1]),
        ("in APPEND 2; code version=1 -> version=2", "snapshot: semantic version 2 instead of 1", "SNAPSHOT", [1, 2]),
        ("in APPEND 3", ADDS, "UPDATE", [1, 2, 3]),
    ),
    "v2": (
        copy(v2_semantics=False),
        ("in SNAPSHOT 1", FIRST, "SNAPSHOT", [1]),
        ("in APPEND 2; code =False -> =True", "snapshot: v2_semantics was switched on", "SNAPSHOT", [1, 2]),
        ("in APPEND 3", ADDS, "UPDATE", [1, 2, 3]),
    ),
    "required": (
        copy(require_incremental=True, semantic_version=1),
        ("in SNAPSHOT 1", FIRST, "SNAPSHOT", [1]),
        ("in SNAPSHOT 2", f"refused: {REPLACED.format('required')}; must run incrementally and cannot", None, [1]),
        ("code version=1 -> version=2", "snapshot: semantic version 2 instead of 1", "SNAPSHOT", [2]),
    ),
    # C10: one output that never was built excuses it.
    "excused": (
        OPEN.replace("()", "(require_incremental=True)", 1),
        ("in SNAPSHOT 1", FIRST, "SNAPSHOT", [1]),
        ('in SNAPSHOT 2; code x=Input -> more=Output("/excused/more"), x=Input',
         "snapshot: " + REPLACED.format("excused"), "SNAPSHOT", [2]),
    ),
    "foreign": (
        copy(require_incremental=True),
        ("in SNAPSHOT 1", FIRST, "SNAPSHOT", [1]),
        ("in APPEND 2; out APPEND 9", f"refused: {MIXED.format('foreign')}; Foundry: InconsistentProvenanceRecords",
         None, [1, 9]),
        ("code require_incremental=True -> ", f"snapshot: {MIXED.format('foreign')}", "SNAPSHOT", [1, 2]),
    ),
    "renamed": (
        COPY,
        ("in SNAPSHOT 1", FIRST, "SNAPSHOT", [1]),
        ("in APPEND 2; code def copy -> def other", f"snapshot: {MIXED.format('renamed')}", "SNAPSHOT", [1, 2]),
    ),
    # A new output has no history: the transform stays the same one, and goes on.
    "second_output": (
        OPEN,
        ("in SNAPSHOT 1", FIRST, "SNAPSHOT", [1]),
        ('in APPEND 2; code x=Input -> more=Output("/second_output/more"), x=Input', ADDS, "UPDATE", [1, 2]),
        ("in APPEND 3", ADDS, "UPDATE", [1, 2, 3]),
    ),
    "logic": (
        COPY.replace("read(x)", "read(x) * 1"),
        ("in SNAPSHOT 1", FIRST, "SNAPSHOT", [1]),
        ("code * 1 -> * 10", ADDS, "UPDATE", [1]),
        ("in APPEND 2", ADDS, "UPDATE", [1, 20]),
    ),
    "adopted": (
        COPY.replace("@incremental()", "# none"),
        ("in SNAPSHOT 1", "snapshot: the transform is not incremental", "SNAPSHOT", [1]),
        ("in APPEND 2; code # none -> @incremental()", ADDS, "UPDATE", [1, 2]),
    ),
    "columns": (
        COPY,
        ("in SNAPSHOT v=1", FIRST, "SNAPSHOT", [1]),
        ("in APPEND v=2 w=20", ADDS, "UPDATE", [(1, None), (2, 20)]),
        ("in APPEND v=3 w=3; code (x)) -> (x).astype({'v': str}))", f"{ADDS}; column 'v'", None, [(1, None), (2, 20)]),
    ),
    "moved_back": (
        copy(semantic_version=1),
        ("in SNAPSHOT 1; in APPEND 2", FIRST, "SNAPSHOT", [1, 2]),
        ("in BACK@0", "refused: the branch of input /moved_back/in ends before the transaction that the last run read;"
         " Foundry: Catalog:InconsistentBranchesOrder", None, [1, 2]),
        ("in APPEND 3", "refused: the transaction last read of input /moved_back/in is not in its view any more;"
         " Foundry: Catalog:TransactionsNotInView", None, [1, 2]),
        ("code version=1 -> version=2", "snapshot: semantic version 2 instead of 1", "SNAPSHOT", [1, 3]),
    ),
    "nothing_new": (
        COPY.replace("out.write", "if read(x).v.max() > 0: out.write"),
        ("in SNAPSHOT 1", FIRST, "SNAPSHOT", [1]),
        ("in APPEND 0", f"{ADDS}; /nothing_new/out: nothing was written", "UPDATE", [1]),
    ),
    "aborted": (
        COPY.replace("x, out", "ctx, x, out").replace("out.w", "2 in read(x).v.values and ctx.abort_job()\n    out.w"),
        ("in SNAPSHOT 1", FIRST, "SNAPSHOT", [1]),
        ("in APPEND 2", ADDS, None, [1]),
        ("in APPEND 3; code 2 in -> 9 in", ADDS, "UPDATE", [1, 2, 3]),
    ),
}  # fmt: skip


@pytest.mark.nightly  # some fifty jobs; by day test_incremental_plan.py walks the ordinary ones
@ENGINES
def test_scenarios(play: Callable[..., Any], engine: str) -> None:
    played = play(SCENARIOS, engine)
    for name, (_, *steps) in SCENARIOS.items():
        for at, (events, expected, kind, rows) in enumerate(steps):
            (job,) = played[name][at]
            how, _, says = expected.partition("; ")
            found = (job.planned, job.mode, job.outputs["out"], job.rows)
            assert found == (how, how, kind, rows), (name, events, job)
            assert says in " ".join((job.error, *job.warnings)), (name, events, job)
