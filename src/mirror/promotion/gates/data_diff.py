"""The source's data differs from the target's by no more than the limits: rows, shares of nulls, ranges of numbers.

Only what both branches hold can be compared. Figures come from the catalog and from the footers of the files; no row
is read.
"""

from __future__ import annotations

from collections.abc import Iterator

from mirror.datasets import Workspace
from mirror.datasets.errors import WorkspaceNotFoundError
from mirror.promotion.data_profile import DataProfile, data_profile
from mirror.promotion.gates import GateCase, GateSettings
from mirror.promotion.path_globs import matching
from mirror.promotion.verdict import GateResult, Outcome

SETTINGS = {"datasets": "texts", "max_row_change_percent": "number", "max_null_change_points": "number"}
OPTIONAL = {"max_range_growth_percent": "number"}


def judge(case: GateCase, settings: GateSettings) -> GateResult:
    source, target = case.plan.source, case.plan.target
    try:
        opened = Workspace.open(case.workspace, clock=case.clock)
    except WorkspaceNotFoundError as error:
        fix = "Name the workspace in which both branches are built: --workspace."
        return GateResult(settings.gate, Outcome.ERROR, f"no data can be compared: {error}", (), fix)
    with opened as workspace:
        store = workspace.store
        compared: list[str] = []
        over: list[str] = []
        for dataset in store.datasets():
            names = {branch.name for branch in store.branches(dataset) if branch.head is not None}
            if not matching([dataset.path], settings.texts("datasets")) or not {source, target} <= names:
                continue
            before, after = (data_profile(store.view(dataset, name)) for name in (target, source))
            compared.append(f"{dataset.path}: {_counted(before.rows)} -> {_counted(after.rows)} rows")
            over += [f"{dataset.path}: {what}" for what in _beyond(before, after, settings)]
    if not compared:
        why = f"no dataset of the policy has data on both {source!r} and {target!r}."
        return GateResult(settings.gate, Outcome.NOT_APPLICABLE, why)
    if over:
        fix = "Look at it with `mirror diff`; if it is meant, override this gate with the reason."
        evidence = (*over, *compared)
        return GateResult(settings.gate, Outcome.FAIL, f"{len(over)} figures beyond their limits.", evidence, fix)
    return GateResult(settings.gate, Outcome.PASS, f"{len(compared)} datasets within the limits.", tuple(compared))


def _beyond(before: DataProfile, after: DataProfile, settings: GateSettings) -> Iterator[str]:
    if before.rows is not None and after.rows is not None:
        limit = settings.number("max_row_change_percent")
        change = 100.0 * (after.rows - before.rows) / max(before.rows, 1)
        if abs(change) > limit:
            yield f"rows {before.rows:,} -> {after.rows:,} ({change:+.1f} %, limit {limit:g} %)"
    for name in sorted(before.null_shares.keys() & after.null_shares.keys()):
        limit = settings.number("max_null_change_points")
        points = 100.0 * (after.null_shares[name] - before.null_shares[name])
        if abs(points) > limit:
            yield f"nulls of {name} {points:+.1f} points (limit {limit:g})"
    if "max_range_growth_percent" in settings.values:
        yield from _wider(before, after, settings.number("max_range_growth_percent"))


def _wider(before: DataProfile, after: DataProfile, limit: float) -> Iterator[str]:
    for name in sorted(before.ranges.keys() & after.ranges.keys()):
        (low, high), (new_low, new_high) = before.ranges[name], after.ranges[name]
        room = (high - low) * limit / 100.0
        if new_low < low - room or new_high > high + room:
            yield f"range of {name} {low:g} to {high:g} -> {new_low:g} to {new_high:g} (limit {limit:g} % beyond)"


def _counted(rows: int | None) -> str:
    return "?" if rows is None else f"{rows:,}"
