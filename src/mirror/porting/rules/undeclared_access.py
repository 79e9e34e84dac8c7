"""Data comes in and goes out through declared inputs and outputs: whatever else is read or written has no lineage.

Where a comment on the line or the one above says why, it is let through: a stream that no build runs, for example.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mirror.porting.rules import Finding, GuestFacts
from mirror.porting.source import Module

_READERS = frozenset({"csv", "jdbc", "json", "load", "orc", "parquet", "table", "text"})
_WRITERS = frozenset({"csv", "insertInto", "jdbc", "json", "orc", "parquet", "save", "saveAsTable", "start", "toTable"})
_CLIENTS = ("boto3", "ftplib", "http.client", "requests", "smtplib", "socket", "sqlite3", "urllib.request", "urllib3")


def findings(module: Module, guest: GuestFacts) -> Iterator[Finding]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and (what := _access(module, node)) and not module.has_reason(node):
            fix = "Declare an Input, an Output or a Source and use what it gives, or say in a comment why not."
            yield Finding(module.file, node.lineno, "undeclared_access", what, fix)


def _access(module: Module, node: ast.Call) -> str:
    """What is read or written past the declarations; empty when nothing is."""
    function = node.func
    if isinstance(function, ast.Attribute):
        chain = _attributes(function)
        if function.attr in _READERS and {"read", "readStream"} & chain:
            return f"reads from storage itself (.read.{function.attr})."
        if function.attr in _WRITERS and {"write", "writeStream"} & chain:
            return f"writes to storage itself (.write.{function.attr})."
    name = module.dotted(function) or ""
    if name == "open" or name.startswith(("io.open", "pathlib.Path.open")):
        return "opens a file that no input names."
    if name.startswith("pandas.read_") and node.args and _is_path(node.args[0]):
        return f"reads a file that no input names ({name})."
    if name.startswith(tuple(f"{client}." for client in _CLIENTS)):
        return f"asks a system outside ({name})."
    return ""


def _attributes(node: ast.expr) -> set[str]:
    """Names of the attributes and calls that a chain goes through: ``spark.read.format(x).load`` -> read, format."""
    found: set[str] = set()
    while isinstance(node, ast.Attribute | ast.Call):
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
            node = node.value
        else:
            node = node.func
    return found


def _is_path(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant | ast.JoinedStr)
