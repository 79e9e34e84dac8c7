"""Errors of the health room.

UsageError
`-- HealthError
    |-- AlertColumnsError   a dataset that should hold alerts lacks columns without which nobody can be paged
    `-- UnusedBranchError   no dataset has the branch asked for
"""

from __future__ import annotations

from mirror.errors import UsageError, nearest


class HealthError(UsageError):
    """Root of this room's errors."""


class AlertColumnsError(HealthError):
    """``dataset`` lacks the columns ``missing``; ``known`` are those it has."""

    def __init__(self, dataset: str, missing: tuple[str, ...], known: tuple[str, ...]) -> None:
        super().__init__(dataset, missing, known)
        self.dataset, self.missing, self.known = dataset, missing, known

    def __str__(self) -> str:
        names = ", ".join(self.missing)
        return (
            f"{self.dataset} has no column {names}: an alert without it cannot be routed."
            f"{nearest(self.missing[0], self.known)} Let the transform that writes it add the column, then build again."
        )


class UnusedBranchError(HealthError):
    """No dataset has ``branch``; ``known`` are the branches there are. Silence would look like health."""

    def __init__(self, branch: str, known: tuple[str, ...]) -> None:
        super().__init__(branch, known)
        self.branch, self.known = branch, known

    def __str__(self) -> str:
        return (
            f"no dataset has a branch {self.branch!r}.{nearest(self.branch, self.known)} "
            f"There are: {', '.join(self.known)}."
        )
