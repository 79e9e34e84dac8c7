"""What incremental runs read and write (transforms fact sheet, 9.3 to 9.7) in the patterns that Foundry documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

# Read and write modes over three runs are judged every time (``test_s09_incremental.py``), and so are the transactions
# of incremental builds (``test_incremental_builds.py``); the documented patterns made of the two are played at night.
pytestmark = pytest.mark.nightly
ENGINES = pytest.mark.parametrize("engine", ["lightweight", "spark"])

ADDS = "incremental: only additions since the last run"
KEPT = "incremental: there are no inputs; earlier output is kept"
FIRST = "snapshot: first build"

# Two read modes per kind of run and of input, and the output before and after its write.
MODES = """
MODES = ("added", "previous", "current")

@incremental(snapshot_inputs=["whole"])
@job(seen=Output("/$/seen"), out=Output("/$/out"), x=Input("/$/in"), whole=Input("/$/whole"))
def modes(ctx, x, whole, out, seen):
    frames = {"default": read(x), "before": read(out, "previous", SCHEMA)}
    frames |= {f"in {mode}": read(x, mode) for mode in MODES} | {f"whole {mode}": read(whole, mode) for mode in MODES}
    out.set_mode(WRITE) if WRITE else None
    out.write_pandas(read(x))
    frames |= {f"out {mode}": read(out, mode, SCHEMA) for mode in MODES}
    found = [(case, int(v)) for case, frame in frames.items() for v in frame["v"]]
    found += [(f"files {mode}", len(names(x.filesystem(mode)))) for mode in MODES]
    seen.set_mode("replace")
    seen.write_pandas(pd.DataFrame([*found, ("incremental", int(ctx.is_incremental))], columns=["case", "v"]))
"""


def seen(text: str) -> list[tuple[str, int]]:
    """``case 1 2, other 3`` as rows."""
    pairs = (part.rsplit(":", 1) for part in text.split(", "))
    return sorted((case, int(value)) for case, values in pairs for value in values.split())


MODES_FIRST = (
    "default: 1, in added: 1, in current: 1, whole added: 10, whole current: 10, out added: 1, out current: 1, "
    "files added: 1, files previous: 0, files current: 1, incremental: 0"
)
MODES_AGAIN = MODES_FIRST.replace(" 1,", " 3,").replace("files added: 3", "files added: 1").replace(
    "files current: 3", "files current: 1"
).replace("10", "30")  # fmt: skip
MODES_ADDED = (
    "default: 2, before: 1, in added: 2, in previous: 1, in current: 1 2, whole added: 20, whole current: 20, "
    "out added: 2, out previous: 1, out current: 1 2, "
    "files added: 1, files previous: 1, files current: 2, incremental: 1"
)

# Name -> code, then for each build: what happened before, how it runs, the type of the transaction on /name/out (None:
# none), and all rows of its first output afterwards.
SCENARIOS: dict[str, tuple[Any, ...]] = {
    "modes": (
        MODES.replace("WRITE", "None"),
        ("in SNAPSHOT 1; whole SNAPSHOT 10", FIRST, "SNAPSHOT", seen(MODES_FIRST)),
        ("in APPEND 2; whole SNAPSHOT 20", ADDS, "UPDATE", seen(MODES_ADDED)),
        ("in SNAPSHOT 3; whole SNAPSHOT 30", "snapshot: input /modes/in was replaced by a SNAPSHOT *", "SNAPSHOT",
         seen(MODES_AGAIN)),
    ),
    "replacing": (
        MODES.replace("WRITE", '"replace"'),
        ("in SNAPSHOT 1; whole SNAPSHOT 10", FIRST, "SNAPSHOT", seen(MODES_FIRST)),
        ("in APPEND 2; whole SNAPSHOT 20", ADDS, "SNAPSHOT",
         seen(MODES_ADDED.replace("out current: 1 2", "out current: 2"))),
    ),
    "appending": (
        MODES.replace("WRITE", '"append"'),
        ("in SNAPSHOT 1; whole SNAPSHOT 10", FIRST, "APPEND", seen(MODES_FIRST)),
        ("in APPEND 2; whole SNAPSHOT 20", ADDS, "APPEND", seen(MODES_ADDED)),
    ),
    # Told to modify, a run that starts over adds to what is there; the fact sheet's guess at what Foundry leaves open.
    "modify_anyway": (
        """
        @incremental()
        @job(out=Output("/$/out"), x=Input("/$/in"))
        def modify(x, out):
            out.set_mode("modify")
            out.write_pandas(read(x))
        """,
        ("in SNAPSHOT 1", FIRST, "UPDATE", [1]),
        ("in SNAPSHOT 2", "snapshot: input /modify_anyway/in was replaced by a SNAPSHOT *", "UPDATE", [1, 2]),
    ),
    "merge_and_append": (
        """
        @incremental()
        @job(out=Output("/$/out"), x=Input("/$/in"))
        def distinct(x, out):
            new, old = read(x).drop_duplicates(), read(out, "previous", schema=SCHEMA)
            out.write_pandas(new[~new["v"].isin(old["v"])])
        """,
        ("in SNAPSHOT 1 1 2", FIRST, "SNAPSHOT", [1, 2]),
        ("in APPEND 2 3 3", ADDS, "UPDATE", [1, 2, 3]),
    ),
    "merge_and_replace": (
        """
        @incremental()
        @job(out=Output("/$/out"), x=Input("/$/in"))
        def total(x, out):
            both = pd.concat([read(x), read(out, schema=SCHEMA, mode="previous")])
            out.set_mode("replace")
            out.write_pandas(pd.DataFrame({"v": [int(both["v"].sum())]}))
        """,
        ("in SNAPSHOT 1 2", FIRST, "SNAPSHOT", [3]),
        ("in APPEND 4", ADDS, "SNAPSHOT", [7]),
        # The output's own SNAPSHOT does not end the line of increments.
        ("in APPEND 10", ADDS, "SNAPSHOT", [17]),
    ),
    "append_new_rows": (
        """
        @incremental(snapshot_inputs=["x"])
        @job(out=Output("/$/out"), x=Input("/$/in"))
        def only_new(x, out):
            rows, old = read(x), read(out, "previous", SCHEMA)
            out.set_mode("modify")
            out.write_pandas(rows[~rows["v"].isin(old["v"])])
        """,
        ("in SNAPSHOT 1 2", FIRST, "UPDATE", [1, 2]),
        ("in SNAPSHOT 2 3", ADDS, "UPDATE", [1, 2, 3]),
    ),
    "historical": (
        """
        @incremental(snapshot_inputs=["input_data"])
        @job(out=Output("/$/out"), input_data=Input("/$/in"))
        def history(input_data, out):
            out.write_pandas(read(input_data))
        """,
        ("in SNAPSHOT 1 2", FIRST, "SNAPSHOT", [1, 2]),
        ("in SNAPSHOT 2 3", ADDS, "UPDATE", [1, 2, 2, 3]),
    ),
    "state_file": (
        """
        @incremental(semantic_version=1)
        @job(out=Output("/$/out"))
        def count(out):
            files = out.filesystem()
            step = 1
            known = "_state.json" in [f.path for f in files.ls(show_hidden=True)]
            before = int(files.open("_state.json").read()) if known else 0
            out.write_pandas(pd.DataFrame({"v": [before + step]}))
            with files.open("_state.json", "w") as state:
                state.write(str(before + step))
        """,
        ("", FIRST, "SNAPSHOT", [1]),
        ("code step = 1 -> step = 10", KEPT, "UPDATE", [1, 11]),
        # The state does not outlive its rows.
        ("code version=1 -> version=2", "snapshot: semantic version 2 instead of 1", "SNAPSHOT", [10]),
    ),
    # Only an incremental run measures a given schema by the stored one.
    "new_schema": (
        """
        @incremental(semantic_version=1)
        @job(out=Output("/$/out"), x=Input("/$/in"))
        def count(x, out):
            name = "v"
            known = read(out, "current", schema=T.StructType([T.StructField(name, T.LongType())]))
            out.write_pandas(pd.DataFrame({name: [len(known[name])]}))
        """,
        ("in SNAPSHOT 1", FIRST, "SNAPSHOT", [0]),
        ("in APPEND 2", ADDS, "UPDATE", [0, 1]),
        ('code version=1 -> version=2; code name = "v" -> name = "w"', "snapshot: semantic version 2 instead of 1",
         "SNAPSHOT", [0]),
    ),
    "new_files": (
        """
        @incremental()
        @job(out=Output("/$/out"), raw=Input("/$/in"))
        def parse(ctx, raw, out):
            found = names(raw.filesystem())
            if not found:
                ctx.abort_job()
            texts = [raw.filesystem().open(name).read() for name in found]
            out.write_pandas(pd.DataFrame({"name": found, "text": texts}))
        """,
        ("in FILE a.txt", FIRST, "SNAPSHOT", [("a.txt", "a.txt")]),
        ("in FILE b.txt", ADDS, "UPDATE", [("a.txt", "a.txt"), ("b.txt", "b.txt")]),
        ("code not found -> len(found) < 1", ADDS, None, [("a.txt", "a.txt"), ("b.txt", "b.txt")]),
    ),
    "trigger": (
        """
        @incremental()
        @job(out=Output("/$/out"), x=Input("/$/in"), trigger=Input("/$/trigger"))
        def copy(x, out, trigger):
            out.write_pandas(read(x))
        """,
        ("in SNAPSHOT 1; trigger SNAPSHOT 0", FIRST, "SNAPSHOT", [1]),
        ("in APPEND 2", ADDS, "UPDATE", [1, 2]),
        ("trigger SNAPSHOT 0", "snapshot: input /trigger/trigger was replaced by a SNAPSHOT *", "SNAPSHOT", [1, 2]),
    ),
    # A snapshot input whose files are remembered in a second output.
    "bookkeeping": (
        """
        PATHS = T.StructType([T.StructField("path", T.StringType())])

        @incremental(snapshot_inputs=["raw"])
        @job(out=Output("/$/out"), known=Output("/$/known"), raw=Input("/$/in"))
        def parse(raw, out, known):
            done = set(read(known, "previous", PATHS)["path"])
            new = [name for name in names(raw.filesystem()) if name not in done]
            known.write_pandas(pd.DataFrame({"path": new}))
            out.write_pandas(pd.DataFrame({"v": [len(new)]}))
        """,
        ("in FILE a.txt; in FILE b.txt", FIRST, "SNAPSHOT", [2]),
        ("in FILE c.txt", ADDS, "UPDATE", [1, 2]),
        ("in FILE d.txt", ADDS, "UPDATE", [1, 1, 2]),
    ),
    "sets": (
        """
        @incremental()
        @job(out=Output("/$/out"), odd=Output("/$/odd"), x=InputSet(["/$/in", "/$/other"]))
        def split(x, out, odd):
            rows = pd.concat([read(one) for one in x])
            out.write_pandas(rows[rows["v"] % 2 == 0])
            odd.write_pandas(rows[rows["v"] % 2 == 1])
        """,
        ("in SNAPSHOT 1 2; other SNAPSHOT 4", FIRST, "SNAPSHOT", [2, 4]),
        ("in APPEND 6; other APPEND 3 8", ADDS, "UPDATE", [2, 4, 6, 8]),
        ("in APPEND 10; other SNAPSHOT 12", "snapshot: input /sets/other was replaced by a SNAPSHOT *",
         "SNAPSHOT", [2, 6, 10, 12]),
    ),
}  # fmt: skip


@ENGINES
def test_patterns(play: Callable[..., Any], engine: str) -> None:
    played = play(SCENARIOS, engine)
    for name, (_, *steps) in SCENARIOS.items():
        for at, (events, how, kind, rows) in enumerate(steps):
            (job,) = played[name][at]
            assert job.error == "", (name, events, job)
            found = (job.planned, job.mode, job.outputs["out"], job.rows)
            assert found == (how, how, kind, rows), (name, events, job)
