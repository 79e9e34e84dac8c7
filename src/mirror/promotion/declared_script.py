"""Run as a file with a tree's source roots on ``PYTHONPATH``: prints what a pipeline's outputs promise.

It imports nothing of mirror, because the judged tree may hold another version of it.

Usage: ``python declared_script.py <module> <attribute>``; the last line of stdout is ``contracts: <JSON list>``.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator
from typing import Any


def promised(check: Any) -> Iterator[Any]:
    """The expectations that hold whenever the dataset was written: a check that only warns promises nothing."""
    if check.on_error == "FAIL":
        yield from conjuncts(check.expectation)


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


def contract(alias: str, checks: Any, incremental: bool, file: str) -> dict[str, Any]:
    columns: dict[str, str] = {}
    required: set[str] = set()
    key: tuple[str, ...] = ()
    for check in checks:
        for expectation in promised(check):
            name = type(expectation).__name__
            if name == "SchemaExpectation" and expectation.mode in ("contains", "equals"):
                columns |= {column: type_name(kind) for column, kind in expectation.columns}
            elif name == "TypeExpectation":
                columns[expectation.column] = type_name(expectation.data_type)
            elif name == "PrimaryKeyExpectation":
                key = expectation.keys
                required |= set(key)
            elif name == "ColumnExpectation" and type(expectation.condition).__name__ == "Present":
                required.add(expectation.column)
    return {
        "dataset": alias,
        "file": file,
        "declares_columns": bool(columns),
        "columns": [{"name": n, "type": t, "nullable": n not in required} for n, t in columns.items()],
        "key": list(key),
        "write_mode": "append" if incremental else "snapshot",
    }


def main(module: str, attribute: str) -> None:
    pipeline = importlib.import_module(module)
    for part in attribute.split("."):
        pipeline = getattr(pipeline, part)
    found = []
    for transform in pipeline.transforms:
        for output in transform.outputs.values():
            if output.kind == "dataset_output":
                file = os.path.relpath(str(transform.source.file))
                found.append(contract(output.alias, output.checks, transform.incremental is not None, file))
    sys.stdout.write("\ncontracts: " + json.dumps(sorted(found, key=lambda c: c["dataset"])) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
