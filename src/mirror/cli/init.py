"""``mirror init``: a workspace for a transforms repository."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mirror.cli.context import CliContext

if TYPE_CHECKING:
    from rich.console import Console

    from mirror.builds.inspection import RepositoryInspection
    from mirror.datasets.workspace import Workspace


@click.command()
@click.option(
    "--repo",
    type=click.Path(exists=True, file_okay=False),
    metavar="DIR",
    help="The transforms repository (default: the working directory).",
)
@click.option("--source", metavar="DIR", help="Its sub-project to run, where several declare a pipeline.")
@click.option("--sources", metavar="FILE", help="Describes the external systems that transforms ask for.")
@click.option("--profile", "profile", metavar="FILE", help="Fleet profile to copy into the repository.")
@click.option("--catalog", metavar="URL", help="Where the catalog lies (default: SQLite inside the workspace).")
@click.option("--storage", metavar="URL", help="Where files lie (default: the folder data inside the workspace).")
@click.option("--spark-root", metavar="URL", help="What Spark calls that place (default: the same, s3:// as s3a://).")
@click.option(
    "--storage-option",
    "storage_options",
    multiple=True,
    metavar="NAME=VALUE",
    help="For the client of --storage, e.g. endpoint_url=http://host:9000; env:NAME is looked up when connecting.",
)
@click.option("--git", "git", is_flag=True, help="Also keep people off the branches that ci/branches.yml protects.")
@click.pass_obj
def command(
    ctx: CliContext,
    repo: str | None,
    source: str | None,
    sources: str | None,
    profile: str | None,
    catalog: str | None,
    storage: str | None,
    spark_root: str | None,
    storage_options: tuple[str, ...],
    git: bool,
) -> None:
    """Create a workspace (once), and list what the repository holds, still needs, and cannot run here.

    With --git a hook refuses commits, merges, resets and deletions of protected branches; in a bare repository (which
    gets no workspace) it refuses every push to them that no promotion made. `mirror doctor` tries the hook.

    \b
    Examples:
      mirror init
      mirror init --repo ../fleet --git
      mirror init --repo /srv/git/fleet.git --git
    """
    from mirror.builds.inspection import inspect
    from mirror.cli.build import binders
    from mirror.datasets.errors import GuestNotFoundError, SeveralSourceRootsError
    from mirror.datasets.guest import find_source_root
    from mirror.datasets.workspace import CONFIG_FILE, DEFAULT_CATALOG, Workspace

    protection = _protect(Path(repo or ".")) if git else None
    if protection is not None and protection["bare"]:
        ctx.emit({"protection": protection}, lambda console: _show_protection(console, protection))
        return
    path = Path(ctx.workspace_path)
    existed = (path / CONFIG_FILE).is_file()
    problem: str | None = None
    if not existed:
        try:
            find_source_root(Path(repo or ".").resolve(), source)
        except GuestNotFoundError as error:
            # A repository may be filled later, but a choice that is open or wrong must not be written down.
            if source is not None or isinstance(error, SeveralSourceRootsError):
                raise
    described = None if sources is None else Path(sources)
    with Workspace.create(
        path,
        repository=Path(repo) if repo else None,
        catalog_url=catalog or DEFAULT_CATALOG,
        storage=storage_section(storage, spark_root, storage_options),
        source=source,
        sources_file=described,
    ) as workspace:
        copied = _added(workspace, Path(profile)) if profile else None
        found = None
        try:
            found = inspect(workspace, binders(workspace))
        except GuestNotFoundError as error:
            problem = str(error)
        document = {
            "workspace": str(workspace.path),
            "repository": str(workspace.config.repository),
            "catalog": workspace.catalog.label,
            "storage": workspace.config.storage.root,
            "created": not existed,
            "profile": str(copied) if copied else None,
            "problem": problem,
            "inspection": found.to_json() if found else None,
            "protection": protection,
        }

    def render(console: Console) -> None:
        said = "already initialised" if existed else "created"
        console.print(f"workspace {document['workspace']}: {said} (repository {document['repository']})")
        if workspace.config.storage.is_url:
            console.print(f"files lie in {document['storage']}", markup=False)
        if copied:
            console.print(f"profile {copied}: in place; `mirror build` builds its datasets")
        if protection is not None:
            _show_protection(console, protection)
        if found:
            _show(console, found)
        elif problem:
            console.print(problem, markup=False)

    ctx.emit(document, render)


def _protect(path: Path) -> dict[str, Any]:
    """Installs the hook of a git repository. Raises NotARepositoryError, PolicyError, ForeignHookError."""
    from mirror.promotion.errors import PolicyError
    from mirror.promotion.git import Repository
    from mirror.promotion.hooks import install_hooks, protected_branches
    from mirror.promotion.policy import POLICY_FILE

    repository = Repository(path)
    protected = protected_branches(repository)
    if not protected:
        raise PolicyError(POLICY_FILE, 1, "no branch holds this file, so nobody can say which branches are protected.")
    hook = install_hooks(repository, protected)
    return {"hook": str(hook), "protected": list(protected), "bare": hook.name == "pre-receive"}


def _show_protection(console: Console, protection: dict[str, Any]) -> None:
    console.print(f"protected: {', '.join(protection['protected'])} ({protection['hook']})", markup=False)


def _added(workspace: Workspace, profile: Path) -> Path:
    """Where the profile lies now. The repository's own loader reads it first: what it refuses is not copied."""
    from mirror.builds.guest_profiles import check_profile
    from mirror.datasets.profiles import add_profile

    check_profile(workspace.config.source_root, profile)
    return add_profile(workspace, profile)


def storage_section(root: str | None, spark_root: str | None, options: tuple[str, ...]) -> dict[str, Any] | None:
    """The section [storage] as typed; a dot in a name leads into a table."""
    section: dict[str, Any] = {"root": root, "spark_root": spark_root}
    for text in options:
        name, sign, value = text.partition("=")
        if not sign or not all(name.split(".")):
            raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--storage-option")
        table = section.setdefault("options", {})
        *outer, last = name.split(".")
        for part in outer:
            table = table.setdefault(part, {})
        variable = value.removeprefix("env:")
        table[last] = {"env": variable} if variable != value else _literal(value)
    return {key: value for key, value in section.items() if value is not None} or None


def _literal(text: str) -> str | int | bool:
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.lstrip("-").isdecimal() else text


def _show(console: Console, found: RepositoryInspection) -> None:
    from rich.table import Table

    def say(text: str) -> None:
        console.print(text, markup=False)

    say(f"pipeline {found.entry} in {found.source_root}: {len(found.transforms)} transform(s)")
    if found.others:
        say(f"  further pipelines, taken with --source: {', '.join(found.others)}")
    table = Table("transform", "kind", "reads", "makes", box=None)
    for one in found.transforms:
        kind = f"{one.kind}, incremental" if one.incremental else one.kind
        table.add_row(*(_plain("\n".join(x)) for x in ((one.name,), (kind,), one.inputs, one.outputs)))
    console.print(table)
    if found.unresolved:
        say(f"{len(found.unresolved)} input(s) to ingest (delimited text that is read as a table: --infer-schema):")
    for entry in found.unresolved:
        also = f"  (= {', '.join(entry.spellings)})" if entry.spellings else ""
        say(f"  {entry.command}{also}")
    for text in found.misread:
        say(f"transforms-shrinkwrap.yml: {text}")
    if found.blocked or found.broken or found.problems:
        say("cannot run here:")
    for module in found.broken:
        say(f"  module {module.module}{f' at {module.place}' if module.place else ''}: {module.problem}")
    for one in found.blocked:
        for reason in one.blocked:
            say(f"  {one.name} ({one.source}): {reason}")
    for reason in found.problems:
        say(f"  {reason}")


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
