"""Which transform makes a dataset or another resource, by the code as it is now."""

from __future__ import annotations

from dataclasses import dataclass

from mirror.builds.discovery import current, published_specs
from mirror.builds.errors import PipelineImportError, PipelineObjectError
from mirror.builds.specs import JobSpec
from mirror.datasets import Workspace
from mirror.datasets.errors import GuestNotFoundError


@dataclass(frozen=True)
class Producer:
    """The JobSpec, or ``None`` where nothing makes the target; ``note`` says why it may be out of date."""

    spec: JobSpec | None
    note: str | None = None


def producer(workspace: Workspace, target: str, branch: str) -> Producer:
    """The transform that makes ``target`` (path, RID, unique end of a path).

    Where the repository cannot be imported or found, what was last published on the branch answers, with a note: a
    dataset can be looked at while its code is broken. Nothing is published.
    """
    note = None
    try:
        specs = current(workspace, branch).specs
    except (PipelineImportError, PipelineObjectError, GuestNotFoundError) as error:
        specs = published_specs(workspace, branch)
        note = f"as last published on {branch}, because {error}" if specs else None
    path = workspace.store.rids.get(target, target)
    found = [spec for spec in specs if path in spec.output_paths]
    found = found or [s for s in specs if any(p.endswith("/" + path.lstrip("/")) for p in s.output_paths)]
    return Producer(found[0], note) if len(found) == 1 else Producer(None)
