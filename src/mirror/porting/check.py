"""The lint of a transforms repository."""

from __future__ import annotations

from pathlib import Path

from mirror.datasets.guest import find_source_root
from mirror.porting.environment import environment_findings
from mirror.porting.recipe import provided_imports
from mirror.porting.rules import Finding, GuestFacts, all_findings
from mirror.porting.source import modules


def check_guest(repository: Path, source: str | None = None) -> tuple[list[Finding], int]:
    """Findings, and the number of files looked at. ``source``: as of :func:`mirror.datasets.guest.find_source_root`.

    Raises:
        GuestNotFoundError: there is no transforms source root in ``repository``.
        RecipeError: the conda recipe beside it cannot be read.
        GuestFileError: a file is no Python.
    """
    root = find_source_root(repository, source)
    found = modules(root)
    recipe = root.parent / "conda_recipe" / "meta.yaml"
    guest = GuestFacts(
        packages=frozenset(module.name.partition(".")[0] for module in found),
        provided=provided_imports(recipe),
    )
    return sorted([*environment_findings(recipe, found), *all_findings(found, guest)]), len(found)
