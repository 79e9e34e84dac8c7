"""Nothing a job may not do in Foundry: end its process or session, make a context or processes, ask a person."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mirror.porting.rules import Finding, GuestFacts
from mirror.porting.source import Module

_CALLS = {
    "exit": "ends the process",
    "input": "asks a person",
    "multiprocessing.Pool": "starts processes of its own",
    "multiprocessing.Process": "starts processes of its own",
    "os._exit": "ends the process",
    "os.fork": "starts processes of its own",
    "os.kill": "ends processes",
    "pyspark.SparkConf": "makes a Spark context of its own",
    "pyspark.SparkContext": "makes a Spark context of its own",
    "quit": "ends the process",
    "sys.exit": "ends the process",
}
_SESSIONS = frozenset({"spark", "session", "spark_session", "sparkContext"})


def findings(module: Module, guest: GuestFacts) -> Iterator[Finding]:
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call):
            continue
        name = module.dotted(node.func) or ""
        if name in _CALLS:
            fix = "Raise an exception, or use what the transform's context gives."
            yield Finding(module.file, node.lineno, "refused_apis", f"{_CALLS[name]} ({name}).", fix)
        elif isinstance(node.func, ast.Attribute) and node.func.attr == "stop" and _is_session(node.func.value):
            fix = "Leave the session alone: it belongs to the platform and other jobs use it."
            yield Finding(module.file, node.lineno, "refused_apis", "stops the Spark session.", fix)


def _is_session(node: ast.expr) -> bool:
    last = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return last in _SESSIONS
