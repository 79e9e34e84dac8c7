"""The conda recipe against what Foundry offers: Python 3.10 to 3.12 on Spark 3.5, with versions that mean one thing.

Source: Foundry's documentation of supported Python versions, and lock files of public repositories.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from mirror.porting.recipe import required_packages
from mirror.porting.rules import Finding
from mirror.porting.source import Module

PYTHONS = ((3, 10), (3, 11), (3, 12))
_SPARK = "3.5"
# Served by the platform in the version of its release; a pin would only keep upgrades out.
_FOUNDRY = ("external-systems", "foundry", "palantir", "transforms")
_RULE = "environment"


def environment_findings(recipe: Path, modules: Sequence[Module]) -> Iterator[Finding]:
    """Findings about the recipe, and about syntax that its Python does not know yet."""
    lines = recipe.read_text(encoding="utf-8").splitlines()
    required = required_packages(recipe)

    def at(package: str) -> int:
        return next((n for n, line in enumerate(lines, 1) if re.match(rf"\s*-\s*{re.escape(package)}\b", line)), 1)

    file = f"../{recipe.parent.name}/{recipe.name}"
    python = _python(required.get("python", ""))
    known = ", ".join(f"{major}.{minor}" for major, minor in PYTHONS)
    if python not in PYTHONS:
        said = f"asks for python {required.get('python') or 'of any version'}"
        yield Finding(file, at("python"), _RULE, f"{said}; Foundry has {known}.", "Name one of these: python 3.11.*")
    spark = required.get("pyspark", "").lstrip("= ")
    if spark and not spark.startswith(_SPARK):
        fix = "Leave pyspark out: it comes with transforms."
        yield Finding(file, at("pyspark"), _RULE, f"asks for pyspark {spark}; Foundry runs {_SPARK}.", fix)
    for package, version in sorted(required.items()):
        if package not in ("python", "setuptools") and not package.startswith(_FOUNDRY) and not _is_exact(version):
            problem = f"{package} is not pinned to one version ({version or 'none given'})."
            yield Finding(file, at(package), _RULE, problem, "Pin it: the solved environment must be the tested one.")
    if python in PYTHONS:
        yield from (finding for module in modules if (finding := _syntax(module, python)) is not None)


def _python(version: str) -> tuple[int, int] | None:
    found = re.match(r"[= ]*(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found and not version.startswith((">", "<")) else None


def _is_exact(version: str) -> bool:
    return re.fullmatch(r"[= ]*\d+(\.\d+)*([a-z]+\d+)?", version) is not None


def _syntax(module: Module, python: tuple[int, int]) -> Finding | None:
    try:
        ast.parse(module.text, filename=module.file, feature_version=python)
    except SyntaxError as error:
        problem = f"is no Python {python[0]}.{python[1]}: {error.msg}."
        return Finding(module.file, error.lineno or 1, _RULE, problem, "Write it so that this version can read it.")
    return None
