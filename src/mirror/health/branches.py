"""Guards against looking at a branch that nothing was ever written to."""

from __future__ import annotations

from mirror.datasets import DatasetStore
from mirror.health.errors import UnusedBranchError


def require_branch(store: DatasetStore, branch: str) -> str:
    """``branch`` itself. A store without any branch yet passes. Raises UnusedBranchError."""
    known = {one.name for dataset in store.datasets() for one in store.branches(dataset)}
    if known and branch not in known:
        raise UnusedBranchError(branch, tuple(sorted(known)))
    return branch
