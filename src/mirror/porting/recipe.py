"""What ``conda_recipe/meta.yaml`` installs, as the names that code imports."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

from mirror.porting.errors import RecipeError

# Packages whose import name is not their own name. Source: the packages' own documentation; for Foundry's, the table of
# import packages in its transforms reference.
_IMPORTS = {
    "beautifulsoup4": ("bs4",),
    "foundry-transforms-lib-python": ("foundry",),
    "opencv": ("cv2",),
    "pillow": ("PIL",),
    "python-dateutil": ("dateutil",),
    "pyyaml": ("yaml",),
    "scikit-learn": ("sklearn",),
    "transforms": ("transforms", "pyspark", "py4j"),
    "transforms-expectations": ("transforms",),
    "transforms-verbs": ("transforms",),
    "typing-extensions": ("typing_extensions",),
}
_JINJA_VALUE, _JINJA_STATEMENT = re.compile(r"\{\{.*?\}\}"), re.compile(r"\{%.*?%\}")


def required_packages(recipe: Path) -> dict[str, str]:
    """Package name -> the rest of its line (a version, or empty), from ``requirements: run`` and ``requirements: pip``.

    Raises:
        RecipeError: the file is missing, no YAML, or names nothing to run.
    """
    if not recipe.is_file():
        raise RecipeError(str(recipe), "there is no such file.")
    try:
        document = yaml.safe_load(_JINJA_VALUE.sub("X", _JINJA_STATEMENT.sub("", recipe.read_text(encoding="utf-8"))))
    except yaml.YAMLError as error:
        raise RecipeError(str(recipe), f"not valid YAML: {error}.") from error
    requirements = document.get("requirements") if isinstance(document, dict) else None
    run = requirements.get("run") if isinstance(requirements, dict) else None
    if not isinstance(requirements, dict) or not isinstance(run, list) or not run:
        raise RecipeError(str(recipe), "requirements: run names no package.")
    found: dict[str, str] = {}
    for line in [*run, *(requirements.get("pip") or [])]:
        name, version = _split(str(line))
        found[name] = version
    return found


def provided_imports(recipe: Path) -> frozenset[str]:
    """The top-level names that code in this environment can import, the standard library included."""
    return frozenset(sys.stdlib_module_names) | frozenset(_imports(required_packages(recipe)))


def _imports(packages: dict[str, str]) -> Iterator[str]:
    for package in packages:
        yield from _IMPORTS.get(package, (package.replace("-", "_"),))


def _split(line: str) -> tuple[str, str]:
    match = re.match(r"\s*([A-Za-z0-9._-]+)\s*(.*)", line)
    return (match[1].lower(), match[2].strip()) if match else (line, "")
