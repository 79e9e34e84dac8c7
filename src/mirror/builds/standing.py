"""How the datasets that a build left alone stand: what people want to see beside what was rebuilt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mirror.builds.journal import verdict_counts
from mirror.datasets import Workspace


@dataclass(frozen=True)
class Standing:
    """The present state of one dataset on one branch.

    Attributes:
        transaction: RID of the newest committed transaction.
        rows: of the view; ``None`` for raw files.
        passed, failed: checks when that transaction was judged.
    """

    transaction: str
    rows: int | None
    passed: int
    failed: int


def standing(workspace: Workspace, branch: str, datasets: Iterable[str]) -> Mapping[str, Standing]:
    """The state of those of ``datasets`` that exist on ``branch`` and hold something. Reads the catalog only."""
    views = {}
    for path in datasets:
        found = workspace.store.find(path)
        if found is not None and workspace.store.resolve_branch(found, branch) is not None:
            view = workspace.store.view(found, branch)
            if view.end_rid is not None:
                views[path] = (view.end_rid, view.rows)
    counts = verdict_counts(workspace, [rid for rid, _ in views.values()])
    return {path: Standing(rid, rows, *counts.get(rid, (0, 0))) for path, (rid, rows) in views.items()}
