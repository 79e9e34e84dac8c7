"""How resources other than datasets (models, say) join a build without this room knowing them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.engine import Connection

from mirror.builds.specs import JobSpec, ParamSpec


@dataclass(frozen=True)
class ResolvedResource:
    """What a parameter stands for at planning time.

    Attributes:
        version: identifies the content for staleness; for an output its newest version, ``None`` before the first.
        waiting: why the job must wait (a sentence that names the way out), or ``None``.
        label: what people see in plan and lineage.
        follows_producer: whether a run of the job that writes this resource makes its readers stale. A governed model
            that is read through a release does not: its readers become stale when the release moves.
        detail: whatever the binder wants to find again in :meth:`ResourceBinder.bind`.
    """

    version: str | None
    waiting: str | None = None
    label: str = ""
    follows_producer: bool = True
    detail: Any = None


@dataclass(frozen=True)
class RunningJob:
    """What a binder may know of the job.

    Attributes:
        inputs: RID of each dataset read -> its newest transaction, for lineage.
        outputs: parameter name -> RID of the open transaction, for datasets written.
    """

    rid: str
    build_rid: str
    spec: JobSpec
    branch: str
    fallbacks: tuple[str, ...]
    now: datetime
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]


class ResourceBinder(Protocol):
    """Serves parameters of some kinds. One object lives for one build and serves its jobs, also concurrently."""

    kinds: frozenset[str]

    def resolve(self, param: ParamSpec, branch: str) -> ResolvedResource:
        """The version in force on ``branch``, or why the job must wait. Called while planning and as the job starts."""

    def bind(self, param: Any, resolved: ResolvedResource, job: RunningJob) -> object:
        """What ``transforms.api.execute`` receives for the declared parameter (the live declaration, not its spec)."""

    def commit(self, connection: Connection, job: RunningJob) -> Mapping[str, str]:
        """Makes what the job published visible, in the job's own SQL transaction; parameter name -> new version."""

    def abort(self, job: RunningJob) -> None:
        """Forgets what the job published."""
