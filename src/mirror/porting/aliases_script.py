"""Run as a file with a ported tree on ``PYTHONPATH``: prints which aliases its pipeline reads and builds.

It imports nothing of mirror: a tree that needs any would not run in Foundry. Run in the tree's source root as
``python aliases_script.py <module> <attribute> <guest package>...``; the last line of stdout is
``aliases: <JSON object alias -> modes>``. A guest package that was found elsewhere than in the tree is an error.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator
from typing import Any


def names(parameter: Any) -> Iterator[str]:
    """The aliases of one parameter; values such as build parameters have none."""
    if parameter.kind.endswith("_set"):
        yield from parameter.aliases
    elif parameter.kind != "parameter" and getattr(parameter, "alias", None):
        yield parameter.alias


def strangers(packages: list[str]) -> Iterator[str]:
    """Guest modules that came from an installation beside the tree."""
    here = os.getcwd() + os.sep
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name.partition(".")[0] in packages and file and not os.path.realpath(file).startswith(here):
            yield name


def main(module: str, attribute: str, packages: list[str]) -> None:
    pipeline = importlib.import_module(module)
    for part in attribute.split("."):
        pipeline = getattr(pipeline, part)
    if missing := list(strangers(packages)):
        sys.exit(f"{', '.join(missing)} are imported but are not in the tree")
    found: dict[str, set[str]] = {}
    for transform in pipeline.transforms:
        for mode, parameters in (("READ", transform.inputs), ("BUILD", transform.outputs)):
            for parameter in parameters.values():
                for name in names(parameter):
                    found.setdefault(name, set()).add(mode)
    sys.stdout.write("\naliases: " + json.dumps({name: sorted(found[name]) for name in sorted(found)}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
