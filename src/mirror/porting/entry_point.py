"""The entry module of each ported repository: the guest's own, minus the packages that go elsewhere."""

from __future__ import annotations

import ast

from mirror.porting.errors import GuestFileError
from mirror.porting.source import Module

_PIPELINE = '''\
"""Everything this repository publishes."""

from __future__ import annotations

{imports}
from transforms.api import Pipeline

{attribute} = Pipeline()
{attribute}.discover_transforms({packages})
'''


def discovered_packages(module: Module, attribute: str) -> list[str]:
    """The guest packages that the entry module hands to ``<attribute>.discover_transforms``.

    Raises:
        GuestFileError: the module does anything else with the pipeline, so that nobody can tell how to divide it.
    """
    packages: list[str] = []
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if not isinstance(node.func.value, ast.Name) or node.func.value.id != attribute:
            continue
        names = [module.dotted(argument) for argument in node.args]
        if node.func.attr != "discover_transforms" or not all(names):
            problem = f"{attribute}.{node.func.attr}(...) cannot be divided between repositories"
            raise GuestFileError(
                module.file, node.lineno, f"{problem}; use {attribute}.discover_transforms(package, ...)."
            )
        packages += [name for name in names if name]
    if not packages:
        raise GuestFileError(
            module.file, 1, f"{attribute}.discover_transforms(...) is never called; nothing is published."
        )
    return packages


def pipeline_module(packages: list[str], attribute: str) -> str:
    """The text of an entry module that discovers ``packages``."""
    imports = "\n".join(f"import {package}" for package in sorted(packages))
    return _PIPELINE.format(imports=imports, attribute=attribute, packages=", ".join(sorted(packages)))
