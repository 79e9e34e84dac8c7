"""How the last job of each dataset ended, and how much it brought."""

from __future__ import annotations

from collections.abc import Iterator

from mirror.health.condition import Condition, read_conditions
from mirror.health.runs import Run, Runs
from mirror.report.fleet_data import FleetData
from mirror.report.parts import BAD, GOOD, NEUTRAL, WATCH, Rows, Tile, Tiles

AUDIENCE, ORDER = "operations", 20
TITLE = "Pipeline status"
LEAD = "The newest job and commit of every dataset; what needs somebody comes first."

_LEVELS = {"aborted": BAD, "failed": BAD, "empty": WATCH, "open": WATCH, "never": NEUTRAL, "ok": GOOD}


def read(fleet: FleetData) -> Iterator[Tiles | Rows]:
    """Counts of states, then one row per dataset, worst first."""
    runs = Runs(fleet.workspace, fleet.branch)
    conditions = read_conditions(fleet.workspace.store, fleet.branch, fleet.as_of, under=f"{fleet.prefix}/")
    lines = [_line(one, runs.jobs(one.dataset)) for one in conditions]
    lines.sort(key=lambda line: (list(_LEVELS).index(line[0]), line[1]))
    failed, good = (sum(_LEVELS[state] == level for state, *_ in lines) for level in (BAD, GOOD))
    waits = len(lines) - failed - good
    yield Tiles(
        (
            Tile("sound", str(good), f"of {len(lines)} datasets", GOOD),
            Tile("empty, being written or never written", str(waits), "look, no hurry", WATCH if waits else NEUTRAL),
            Tile("failed or aborted", str(failed), "the last good data is still served", BAD if failed else NEUTRAL),
        )
    )
    yield Rows(
        caption=f"Datasets of {fleet.prefix}",
        columns=("state", "dataset", "last commit", "rows", "usual rows", "last job", "took", "what it said"),
        rows=tuple(tuple(line) for line in lines),
        total=len(lines),
        levels=tuple(_LEVELS[state] for state, *_ in lines),
    )


def _line(one: Condition, jobs: tuple[Run, ...]) -> tuple[str, ...]:
    job = jobs[-1] if jobs else None
    state = "failed" if job is not None and not job.good and job.finished_at is not None else one.state
    error = job.error.strip().splitlines()[0] if job is not None and job.error and job.error.strip() else ""
    return (
        state,
        one.dataset.rsplit("/", 1)[-1],
        "–" if one.committed_at is None else f"{one.committed_at:%Y-%m-%d %H:%M}",
        "–" if one.rows is None else f"{one.rows:,}",
        "–" if one.usual_rows is None else f"{one.usual_rows:,.0f}",
        "none" if job is None else job.status.replace("_", " ").lower(),
        "–" if job is None or job.finished_at is None else f"{job.seconds(job.finished_at):,.0f} s",
        error[:160] or "–",
    )
