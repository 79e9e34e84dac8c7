"""Run as a file with a tree's source roots on ``PYTHONPATH``: prints what a pipeline promises, and its JobSpecs.

The judged tree may hold another version of mirror, so the one that judges is put in its place before anything is
imported: both sides of a comparison are then described by the same code.

Usage: ``python declared_script.py <folder of mirror> <source root> <module> <attribute> <RIDs as JSON>``; the last line
of stdout is ``declared: <JSON>``.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

_SAID_BY_COLUMNS = frozenset({"SchemaExpectation", "TypeExpectation", "PrimaryKeyExpectation", "ExistsExpectation"})

_SIDES = {"gt": "above", "gte": "above", "lt": "below", "lte": "below"}


def conjuncts(expectation: Any) -> Iterator[Any]:
    """The parts that must each hold; what stands under ``any`` or ``negate`` does not have to."""
    if type(expectation).__name__ == "AllOf":
        for child in expectation.children:
            yield from conjuncts(child)
    else:
        yield expectation


def type_name(kind: Any) -> str:
    kind = kind() if isinstance(kind, type) else kind
    return kind.simpleString() if hasattr(kind, "simpleString") else str(kind)


def promise(expectation: Any, on_error: str) -> dict[str, Any]:
    """An expectation as it can be compared: what it is about, its words, and its limit or list where it has one."""
    found: dict[str, Any] = vars(expectation)
    condition = found.get("condition")
    about = [type(expectation).__name__, found.get("column"), found.get("property_name"), list(found.get("keys") or ())]
    document: dict[str, Any] = {"on_error": on_error, "text": repr(expectation), "column": found.get("column")}
    if condition is not None and not hasattr(condition, "children"):
        parts = vars(condition)
        operator = parts.get("operator")
        # Limits on one side are about the same thing, whether or not they include the limit itself.
        about += [type(condition).__name__, _SIDES.get(str(operator), operator)]
        operand = parts.get("operand")
        if isinstance(operand, int | float) and not isinstance(operand, bool):
            document |= {"operator": operator, "limit": operand}
        if isinstance(parts.get("values"), tuple):
            document["values"] = sorted(map(repr, parts["values"]))
    return document | {"about": json.dumps(about, default=str)}


def contract(alias: str, checks: Any, incremental: bool, file: str) -> dict[str, Any]:
    columns: dict[str, str] = {}
    required: set[str] = set()
    key: tuple[str, ...] = ()
    promises = []
    for check in checks:
        for expectation in conjuncts(check.expectation):
            name = type(expectation).__name__
            present = name == "ColumnExpectation" and type(expectation.condition).__name__ == "Present"
            if name not in _SAID_BY_COLUMNS and not present:
                promises.append(promise(expectation, check.on_error))
            if check.on_error != "FAIL":
                # A check that only warns promises nothing.
                continue
            if name == "SchemaExpectation" and expectation.mode in ("contains", "equals"):
                columns |= {column: type_name(kind) for column, kind in expectation.columns}
            elif name == "TypeExpectation":
                columns[expectation.column] = type_name(expectation.data_type)
            elif name == "PrimaryKeyExpectation":
                key = expectation.keys
                required |= set(key)
            elif present:
                required.add(expectation.column)
    return {
        "dataset": alias,
        "file": file,
        "declares_columns": bool(columns),
        "columns": [{"name": n, "type": t, "nullable": n not in required} for n, t in columns.items()],
        "key": list(key),
        "write_mode": "append" if incremental else "snapshot",
        "promises": promises,
    }


def entry_point(module: str, attribute: str) -> Any:
    """The pipeline of an entry point; without an attribute, every module that is named, with commas between them."""
    if not attribute:
        api = importlib.import_module("transforms.api")
        pipeline = api.Pipeline()
        for name in module.split(","):
            pipeline.discover_transforms(importlib.import_module(name))
        return pipeline
    found: Any = importlib.import_module(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found


def judging_mirror(folder: Path) -> None:
    """Makes ``mirror`` the package in ``folder``, without what ``mirror.builds`` imports for those who build."""
    for name, place in (("mirror", folder), ("mirror.builds", folder / "builds")):
        package = ModuleType(name)
        package.__path__ = [str(place)]
        sys.modules[name] = package


def main(mirror: Path, source_root: Path, module: str, attribute: str, rids: Mapping[str, str]) -> None:
    judging_mirror(mirror)
    pipeline = entry_point(module, attribute)
    describe = importlib.import_module("mirror.builds.describing").describe
    versions = importlib.import_module("mirror.builds.fingerprint").LogicVersions(source_root)
    found: dict[str, Any] = {"contracts": [], "specs": [], "covers": [], "covered_by": []}
    covers: dict[tuple[str, ...], int] = {}
    for transform in pipeline.transforms:
        for output in transform.outputs.values():
            if output.kind == "dataset_output":
                file = os.path.relpath(str(transform.source.file))
                made = contract(output.alias, output.checks, transform.incremental is not None, file)
                found["contracts"].append(made)
        if not transform.unbound:
            found["specs"].append(describe(rids, transform, versions, source_root).to_json())
            # Transforms of one module stand on the same files: each list is handed out once.
            found["covered_by"].append(covers.setdefault(versions.covers(transform.compute_func), len(covers)))
    found["covers"] = list(covers)
    found["contracts"].sort(key=lambda one: one["dataset"])
    sys.stdout.write("\ndeclared: " + json.dumps(found) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]).resolve(), sys.argv[3], sys.argv[4], json.loads(sys.argv[5]))
