"""Which transform makes a dataset or another resource, by the code as it is now."""

from __future__ import annotations

from dataclasses import dataclass

from mirror.builds.discovery import current, published_specs
from mirror.builds.errors import PipelineImportError, PipelineObjectError
from mirror.builds.specs import JobSpec
from mirror.datasets import Workspace
from mirror.datasets.errors import AmbiguousDatasetError, GuestNotFoundError


@dataclass(frozen=True)
class Producer:
    """The JobSpec, or ``None`` where nothing makes the target; ``note`` says why it may be out of date."""

    spec: JobSpec | None
    note: str | None = None


def producer(workspace: Workspace, target: str, branch: str, *, exact: bool = False) -> Producer:
    """The transform that makes ``target`` (path, RID, and unless ``exact``, the unique end of a path or its own name).

    Where the repository cannot be imported or found, what was last published on the branch answers, with a note: a
    dataset can be looked at while its code is broken. Nothing is published. Raises AmbiguousDatasetError.
    """
    note = None
    try:
        specs = current(workspace, branch).specs
    except (PipelineImportError, PipelineObjectError, GuestNotFoundError) as error:
        specs = published_specs(workspace, branch)
        note = f"as last published on {branch}, because {error}" if specs else None
    path = workspace.store.rids.get(target, target)
    made = {output: spec for spec in specs for output in spec.output_paths}
    if path in made:
        return Producer(made[path], note)
    ending = () if exact else tuple(output for output in made if output.endswith("/" + path.lstrip("/")))
    if len(ending) > 1:
        raise AmbiguousDatasetError(target, ending)
    if ending:
        return Producer(made[ending[0]], note)
    named = () if exact else tuple(spec for spec in specs if target in (spec.name, spec.reference))
    if len(named) > 1:
        raise AmbiguousDatasetError(target, tuple(path for spec in named for path in spec.output_paths))
    return Producer(named[0], note) if named else Producer(None)
