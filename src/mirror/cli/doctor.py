"""``mirror doctor``: tries what a build needs, one verdict each, and says how to mend what fails."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from packaging.requirements import Requirement
from rich.console import Console
from rich.table import Table

from mirror.cli.context import CliContext
from mirror.errors import ExitCode, MirrorError
from mirror.java import find_java

MINIMUM_FREE_BYTES = (
    1 << 30
)  # a build of the bundled data writes about 100 MB; ten times that leaves room for a rebuild


@dataclass(frozen=True)
class Finding:
    """One check of the machine. ``fix`` is empty when it passed."""

    check: str
    passed: bool
    seen: str
    fix: str = ""


def _python() -> Finding:
    seen = sys.version.split()[0]
    fine = (3, 11) <= sys.version_info[:2] <= (3, 12)
    return Finding("Python", fine, seen, "" if fine else "create .venv with Python 3.11 or 3.12")


def _java() -> Finding:
    try:
        return Finding("Java", True, str(find_java()))
    except MirrorError as error:
        return Finding("Java", False, "none", str(error))


def _packages() -> Finding:
    wrong: list[str] = []
    requirements = [Requirement(text) for text in importlib.metadata.requires("foundry-mirror") or []]
    for requirement in requirements:
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            installed = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(installed, prereleases=True):
            wrong.append(f"{requirement.name} is {installed}, wanted {requirement.specifier}")
    if wrong:
        return Finding("Packages", False, "; ".join(wrong), "run `make clean` and the make target again")
    return Finding("Packages", True, f"{len(requirements)} requirements met")


def _spark() -> Finding:
    import pandas as pd

    from mirror.spark import start_session

    session = start_session(app_name="mirror doctor")
    frame = session.createDataFrame(pd.DataFrame({"n": [1, 2, 3]}))
    total = sum(row.n for row in frame.mapInPandas(lambda batches: batches, frame.schema).collect())
    version = session.version
    session.stop()
    fine = total == 6
    return Finding(
        "Spark", fine, f"{version}: Arrow and Python workers answer", "" if fine else f"1+2+3 came out as {total}"
    )


def _git() -> Finding:
    path = shutil.which("git")
    return Finding("git", path is not None, path or "none", "" if path else "install git; promotion needs it")


def _protection(context: CliContext) -> Finding | None:
    """Whether the hook refuses what it must; nothing to say where no policy protects a branch, or git is missing."""
    from mirror.datasets.errors import WorkspaceNotFoundError
    from mirror.promotion.audit import read_audit
    from mirror.promotion.errors import NotARepositoryError
    from mirror.promotion.git import Repository
    from mirror.promotion.history import replay
    from mirror.promotion.hooks import hook_state, protected_branches

    if shutil.which("git") is None:
        return None
    try:
        with context.open_workspace() as workspace:
            folder = workspace.config.repository
    except WorkspaceNotFoundError:
        folder = Path()
    try:
        repository = Repository(folder)
        protected = protected_branches(repository)
        if not protected:
            return None
        state = hook_state(repository, protected)
        log = read_audit(repository)
    except NotARepositoryError:
        return None
    except MirrorError as error:
        return Finding("Protected branches", False, str(folder), str(error))
    if state.problem:
        fix = f"`mirror init --git --repo {folder}` puts it right"
        return Finding("Protected branches", False, state.problem, fix)
    heads = repository.branches()
    strayed = [name for name, head in replay(log).branches.items() if heads.get(name, head) != head]
    if strayed:
        fix = "find out by whom with `git reflog`; the next promotion says so again"
        return Finding("Protected branches", False, f"{', '.join(strayed)} moved past the audit log", fix)
    seen = f"{', '.join(protected)}: a move by hand was tried and refused; {len(log)} audit entries hold"
    return Finding("Protected branches", True, seen)


def _disk(where: Path) -> Finding:
    folder = where.absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    fine = free >= MINIMUM_FREE_BYTES
    return Finding("Disk", fine, f"{free / 2**30:.1f} GiB free at {folder}", "" if fine else "free at least 1 GiB")


def _workspace(context: CliContext) -> Finding:
    from mirror.builds import discover

    try:
        pipeline = discover(context.open_workspace())
    except MirrorError as error:
        return Finding("Workspace", False, context.workspace_path, str(error))
    return Finding("Workspace", True, f"{context.workspace_path}: {len(pipeline.transforms)} transforms discovered")


def _storage(context: CliContext) -> Finding | None:
    """Whether the root can be written; nothing to say where there is no workspace."""
    try:
        workspace = context.open_workspace()
    except MirrorError:
        return None
    with workspace:
        root = workspace.config.storage.root
        try:
            workspace.storage.prepare()
        except MirrorError as error:
            return Finding("Storage", False, root, str(error))
    return Finding("Storage", True, f"{root} can be written")


def _spark_storage(context: CliContext) -> Finding | None:
    """Whether Spark writes where fsspec reads; only a URL can have two names."""
    from mirror.datasets.frames import reachable
    from mirror.spark import start_session

    try:
        workspace = context.open_workspace()
    except MirrorError:
        return None
    with workspace:
        if not workspace.config.storage.is_url:
            return None
        storage = workspace.storage
        folder = f"_scratch/doctor-{uuid.uuid4()}"
        place = storage.spark_name(folder)
        session = start_session(app_name="mirror doctor")
        try:
            with reachable(place):
                session.range(3).write.parquet(place)
            found = sum(file.location.endswith(".parquet") for file in storage.listing(folder))
        except MirrorError as error:
            return Finding("Spark storage", False, place, str(error))
        finally:
            storage.remove_tree(folder)
            session.stop()
    if not found:
        fix = f"[storage] root and spark_root of {workspace.path}/config.toml must name the same place"
        return Finding("Spark storage", False, f"what Spark wrote to {place} is not below {storage.root}", fix)
    return Finding("Spark storage", True, f"{storage.spark_name('')[:-1]} and {storage.root} are the same place")


def _findings(context: CliContext, start_spark: bool) -> Iterator[Finding]:
    checks: list[Callable[[], Finding | None]] = [
        _python,
        _java,
        _packages,
        _git,
        lambda: _protection(context),
        lambda: _disk(Path(context.workspace_path)),
        lambda: _workspace(context),
        lambda: _storage(context),
    ]
    if start_spark:
        checks += [_spark, lambda: _spark_storage(context)]
    for check in checks:
        if (finding := check()) is not None:
            yield finding


@click.command()
@click.option(
    "--spark/--no-spark", default=True, show_default=True, help="Also start a session and send rows through it."
)
@click.pass_obj
def command(context: CliContext, spark: bool) -> int:
    """Check this machine and the workspace: a verdict each, and the way to mend what fails.

    Exit code 1 when anything failed.

    \b
    Examples:
      mirror doctor
      mirror doctor --no-spark
      mirror --json doctor --no-spark
    """
    findings = list(_findings(context, spark))

    def render(console: Console) -> None:
        table = Table(box=None, pad_edge=False)
        for heading in ("check", "verdict", "seen", "fix"):
            table.add_column(heading, overflow="fold")
        for finding in findings:
            table.add_row(finding.check, "ok" if finding.passed else "FAILED", finding.seen, finding.fix)
        console.print(table)

    context.emit([asdict(finding) for finding in findings], render)
    return int(ExitCode.DONE if all(finding.passed for finding in findings) else ExitCode.REFUSED)
