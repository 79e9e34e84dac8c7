"""What a person or a program that waits for a build is told."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from mirror.builds import build
from mirror.builds.scope import Scope
from mirror.builds.watching import Unwatched, progress_of, seconds_before
from mirror.cli.progress import watching

TWO = """
@transform_df(Output("/big"))
def big(ctx):
    return ctx.spark_session.range(0, 1000, 1, 4)

@transform_df(Output("/small"), big=Input("/big"))
def small(big):
    return big.limit(1)
"""


class Groups(Unwatched):
    """Keeps the group of each job."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}

    def started(self, job, rid: str) -> None:
        self.of[job.spec.name] = rid


@pytest.mark.nightly
def test_rows_tasks_and_time(repository) -> None:
    r = repository()
    r.write("two", TWO)
    assert seconds_before(r.workspace) == {}
    groups = Groups()
    assert r.build(watcher=groups).status == "succeeded"
    big = progress_of(groups.of["big"])
    assert (big.rows_written, big.tasks, big.done) == (1000, 4, 4)
    assert progress_of("nobody").tasks == 0
    # The clock of these workspaces moves a second each time somebody looks.
    before = seconds_before(r.workspace)
    assert sorted(reference.rpartition(":")[2] for reference in before) == ["big(/big)", "small(/small)"]
    assert all(seconds >= 1 for seconds in before.values())

    drawn = io.StringIO()
    terminal = Console(file=drawn, force_terminal=True, width=160, color_system=None)
    with watching(r.workspace, terminal, as_json=False, jobs=1) as bars:
        r.build(force=True, watcher=bars)
    seen = drawn.getvalue()
    left = round(sum(before.values()))
    for expected in ("build of master", "0/2", f"about 0:{left:02} left", "  succeeded big (", "1,000 rows)"):
        assert expected in seen

    events, lines = io.StringIO(), io.StringIO()
    with watching(r.workspace, Console(file=events), as_json=True, jobs=1) as machine:
        r.build(force=True, watcher=machine)
    told = [json.loads(line) for line in events.getvalue().splitlines()]
    assert [(e["event"], e.get("transform")) for e in told] == [
        ("planned", None), ("started", "big"), ("ended", "big"), ("started", "small"), ("ended", "small"),
    ]  # fmt: skip
    assert (told[0]["run"], told[1]["reason"], told[2]["outputs"][0]["rows"]) == (2, "forced", 1000)
    with watching(r.workspace, Console(file=lines, width=200), as_json=False, jobs=1) as plain:
        r.build("/small", watcher=plain)
        assert lines.getvalue() == ""
        build(r.workspace, Scope(("/small",), only=True), force=True, spark=lambda: r.spark, watcher=plain)
    assert lines.getvalue().splitlines()[0] == "  run   small: forced"
