"""Imports only the standard library, the guest itself, and packages the conda recipe installs in Foundry."""

from __future__ import annotations

from collections.abc import Iterator

from mirror.porting.rules import Finding, GuestFacts
from mirror.porting.source import Module

_OURS = "mirror"


def findings(module: Module, guest: GuestFacts) -> Iterator[Finding]:
    for line, name in module.imported():
        top = name.partition(".")[0]
        if top == _OURS:
            fix = "Ask for what is needed through an Input, an Output or a parameter: Foundry has no mirror."
            yield Finding(module.file, line, "provided_imports", f"imports {name!r} of this platform.", fix)
        elif top not in guest.packages and top not in guest.provided:
            fix = "Add its conda package to requirements: run in conda_recipe/meta.yaml, or do without."
            yield Finding(module.file, line, "provided_imports", f"imports {top!r}, which no package provides.", fix)
