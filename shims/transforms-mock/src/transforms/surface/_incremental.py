"""Fidelity of ``@incremental``: what was decided where Foundry's pages disagree or are silent, and why."""

from __future__ import annotations

from transforms.surface._row import LIBRARY, Row, Status, rows

_SCENARIOS = "builds/test_incremental_builds.py::test_scenarios"
_PLAN = "builds/test_incremental_plan.py::"

_NOTES = {
    "require_incremental": (
        _SCENARIOS,
        "Pages disagree on what is exempt. Here, as in the guide: a run of which one output was never built, and a "
        "changed semantic version; the reference exempts only a run none of whose outputs was built.",
    ),
    "semantic_version": (
        _SCENARIOS,
        "No recorded version counts as 1, so adding @incremental() starts nothing over, nor does changed logic. Not "
        "documented: a transform that keeps its module and function name stays the same one when it gets an output.",
    ),
    "snapshot_inputs": (
        _SCENARIOS,
        "Not documented: a parameter taken off the list counts as a new input, so all of it is added once.",
    ),
    "allow_retention": (
        _SCENARIOS,
        "Not documented: a retention delete alone makes no job due; the next run does not see the files any more. On "
        "an output it hides nothing of who made it.",
    ),
    "strict_append": (
        _SCENARIOS,
        "Incremental runs append, also when told set_mode('modify'). Pages disagree on runs that start over: here, as "
        "in the guide, they write a SNAPSHOT and may overwrite.",
    ),
    "v2_semantics": (
        f"{_PLAN}test_aborting_outputs_one_by_one",
        "Switching it on starts over once, under require_incremental too. Aborting outputs one by one makes the next "
        "run start over. Media sets, tables and transaction_limit are refused without it before anything runs.",
    ),
}

INCREMENTAL: tuple[Row, ...] = tuple(
    row
    for name, (test, note) in _NOTES.items()
    for row in rows("transforms.api.IncrementalSettings", name, f"{LIBRARY}api-incremental", test, Status.DIFFERS, note)
)

RULES = (
    "The plan names for each job how it runs and the input or transaction that decides. Pages disagree: UPDATE and "
    "DELETE transactions break it only where they change or remove files that were read (guide; the datasets page says "
    "always); without inputs it is incremental from the second run on (an example; the guide wants one input). An "
    "input whose history was rewritten fails the job, as documented, unless the run starts over for another reason."
)
ABORTED = (
    "Pages disagree: here an aborted run leaves no trace, and the next one sees the same inputs (abort page; the "
    "performance page lets the input pointers advance)."
)
PANDAS = (
    "Pages disagree: reads mode 'added', as transform_pandas does (the reference says the full view). A mode is taken "
    "as well, which the reference does not list; dataframe(mode).toPandas() is sure to port."
)
READS = (
    "Where the reference names no use case: 'current' before a write is what the job found, 'added' is empty. A run "
    "that starts over replaces what it found, so there 'current' is only what it wrote, its files included."
)
MODE = (
    "Not documented: 'modify' and 'append' on a run that starts over add to what is there; after a write set_mode is "
    "an error."
)
