"""What a transforms repository holds, what it still needs, and what of it cannot run here: a read-only snapshot."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mirror.builds.declared import declaration_problem
from mirror.builds.describing import describe
from mirror.builds.discovery import discover_tolerantly
from mirror.builds.errors import UnboundKindError
from mirror.builds.failures import place_of, text_of
from mirror.builds.graph import JobGraph
from mirror.builds.resources import ResourceBinder
from mirror.builds.specs import SECRET_KINDS, VALUE_KINDS, JobSpec
from mirror.datasets import Workspace
from mirror.datasets.guest import parsed_shrinkwrap, source_roots
from mirror.errors import MirrorError


@dataclass(frozen=True)
class InspectedTransform:
    """One transform.

    Attributes:
        kind: ``spark`` or ``lightweight``.
        inputs / outputs: canonical dataset paths, or the aliases of other resources; plain values are left out.
        recorded: what Foundry would act on and this platform only notes.
        blocked: why it cannot run here; empty when it can.
    """

    name: str
    kind: str
    source: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    incremental: bool
    recorded: Mapping[str, str]
    blocked: tuple[str, ...]


@dataclass(frozen=True)
class UnresolvedInput:
    """A dataset that transforms read, that none of them makes, and that holds nothing yet.

    Attributes:
        path: the name it is stored under.
        spellings: its RID and other names in the code or in the alias map.
        used_by: names of the transforms.
        command: what fills it.
    """

    path: str
    spellings: tuple[str, ...]
    used_by: tuple[str, ...]
    command: str


@dataclass(frozen=True)
class BrokenPart:
    """A module that cannot be imported. ``place`` is ``file:line`` where Python tells one."""

    module: str
    place: str | None
    problem: str


@dataclass(frozen=True)
class RepositoryInspection:
    """The whole repository.

    Attributes:
        others: further source roots that declare a pipeline, relative to the repository; `--source` takes one.
        problems: what keeps the pipeline as a whole from being built.
        misread: what could not be read in ``transforms-shrinkwrap.yml``; the rest of it holds.
    """

    repository: Path
    source_root: Path
    entry: str
    declared_in: Path
    others: tuple[str, ...]
    transforms: tuple[InspectedTransform, ...]
    unresolved: tuple[UnresolvedInput, ...]
    broken: tuple[BrokenPart, ...]
    problems: tuple[str, ...]
    misread: tuple[str, ...]

    @property
    def blocked(self) -> tuple[InspectedTransform, ...]:
        """Those that cannot run here."""
        return tuple(one for one in self.transforms if one.blocked)

    def to_json(self) -> dict[str, Any]:
        """A JSON document."""
        return {k: str(v) if isinstance(v, Path) else v for k, v in dataclasses.asdict(self).items()}


def inspect(workspace: Workspace, binders: Sequence[ResourceBinder] = ()) -> RepositoryInspection:
    """Imports the repository module by module and looks at what it declares; nothing is published, built or written.

    Raises GuestNotFoundError, SeveralSourceRootsError. Whatever is wrong inside the repository is in the result.
    """
    guest = workspace.guest
    live, broken = discover_tolerantly(workspace)
    specs = [describe(workspace.store.rids, transform, None, guest.source_root) for transform in live]
    # A transform without alias is never published, so what it would write is made by nobody.
    known = [spec for spec, transform in zip(specs, live, strict=True) if not transform.unbound]
    made = {path for spec in known for path in spec.output_paths}
    by_kind = {kind: binder for binder in binders for kind in binder.kinds}
    transforms = tuple(
        InspectedTransform(
            name=spec.name,
            kind=spec.engine,
            source=spec.source,
            inputs=tuple(path for p in spec.inputs if p.is_dataset or p.kind not in VALUE_KINDS for path in p.aliases),
            outputs=spec.output_paths,
            incremental=spec.incremental is not None,
            recorded=spec.recorded,
            blocked=tuple(_obstacles(workspace, transform, spec, by_kind, made)),
        )
        for spec, transform in zip(specs, live, strict=True)
    )
    root = guest.source_root
    return RepositoryInspection(
        repository=guest.repository,
        source_root=guest.source_root,
        entry=guest.entry,
        declared_in=guest.declared_in,
        others=_others(workspace, guest.source_root),
        transforms=transforms,
        unresolved=tuple(_unresolved(workspace, known, made)),
        broken=tuple(BrokenPart(b.module, place_of(b.error, root), text_of(b.error, root)) for b in broken),
        problems=tuple(_problems(known)),
        misread=parsed_shrinkwrap(workspace.config.repository, workspace.config.source).problems,
    )


def _others(workspace: Workspace, chosen: Path) -> tuple[str, ...]:
    repository = workspace.config.repository
    return tuple(str(root.relative_to(repository)) for root in source_roots(repository) if root != chosen)


def _obstacles(
    workspace: Workspace, transform: Any, spec: JobSpec, binders: Mapping[str, ResourceBinder], made: set[str]
) -> Iterator[str]:
    from transforms.errors import SourceError
    from transforms.external.systems import configured

    for name in transform.unbound:
        yield f"parameter {name!r} names no resource, so the transform is never published"
    declared = None if transform.unbound else declaration_problem(transform, spec)
    for problem in (transform.binding_problem(), transform.refusal(), declared):
        if problem is not None:
            yield str(problem)
    for param in spec.params:
        if param.kind in SECRET_KINDS:
            try:
                configured(transform.parameters[param.name], workspace.config.sources_file)
            except SourceError as error:
                yield str(error)
    for param in (*spec.resources("input"), *spec.resources("output")):
        if param.kind.startswith("custom") or not param.aliases:
            continue
        if (binder := binders.get(param.kind)) is None:
            yield str(UnboundKindError(spec.name, param.name, param.kind))
        elif param.direction == "input" and param.alias not in made:
            waiting = binder.resolve(param, workspace.config.default_branch).waiting
            if waiting:
                yield waiting


def _problems(specs: Sequence[JobSpec]) -> Iterator[str]:
    try:
        JobGraph.of(specs)
    except MirrorError as error:
        yield str(error)


def _unresolved(workspace: Workspace, specs: Sequence[JobSpec], made: set[str]) -> Iterator[UnresolvedInput]:
    store, branch = workspace.store, workspace.config.default_branch
    readers: dict[str, list[str]] = {}
    for spec in specs:
        for _, path in spec.dataset_inputs():
            if path not in made:
                readers.setdefault(path, []).append(spec.name)
    for path, names in readers.items():
        dataset = store.find(path)
        if dataset is not None:
            on = store.resolve_branch(dataset, branch)
            if on is not None and store.view(dataset, branch).transactions:
                continue
        spellings = tuple(name for name, target in store.rids.items() if target == path and name != path)
        yield UnresolvedInput(path, spellings, tuple(names), f"mirror ingest {shlex.quote(path)} FILE...")
