"""Every layer of the pipeline is imported by tests."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from mirror.datasets.guest import find_guest
from mirror.promotion.review import Answer, ReviewCase, Verdict


def examine(case: ReviewCase) -> Answer:
    guest = find_guest(case.repository)
    package = guest.module.partition(".")[0]
    layers = sorted(
        folder.name
        for folder in (guest.source_root / package).iterdir()
        if folder.is_dir() and any(file.name != "__init__.py" for file in folder.glob("*.py"))
    )
    counts: Counter[str] = Counter()
    for path in sorted((case.repository / "tests").rglob("test_*.py")):
        touched, tests = _layers_and_tests(path, package)
        counts.update(dict.fromkeys(touched, tests))
    proof = "test functions in files that import the layer: " + ", ".join(f"{name} {counts[name]}" for name in layers)
    missing = [layer for layer in layers if not counts[layer]]
    if missing:
        return Answer(Verdict.NOT_MET, proof, "tests/", f"Write tests that import {package}.{' and '.join(missing)}.")
    return Answer(Verdict.MET, proof, "tests/")


def _layers_and_tests(path: Path, package: str) -> tuple[set[str], int]:
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    imported = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imported += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    imported += [
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    layers = {name.split(".")[1] for name in imported if name.startswith(f"{package}.")}
    tests = sum(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
        for node in ast.walk(tree)
    )
    return layers, tests
