"""Time comes from the data or a parameter: a rebuild of the same inputs must give the same rows."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mirror.porting.rules import Finding, GuestFacts
from mirror.porting.source import Module

_CLOCKS = frozenset(
    {
        "datetime.date.today",
        "datetime.datetime.now",
        "datetime.datetime.today",
        "datetime.datetime.utcnow",
        "numpy.datetime64.now",
        "pandas.Timestamp.now",
        "pandas.Timestamp.today",
        "pandas.Timestamp.utcnow",
        "pyspark.sql.functions.current_date",
        "pyspark.sql.functions.current_timestamp",
        "pyspark.sql.functions.localtimestamp",
        "pyspark.sql.functions.now",
        "time.gmtime",
        "time.localtime",
        "time.strftime",
        "time.time",
        "time.time_ns",
    }
)
# Always the same result for the same arguments.
_WITH_ARGUMENTS = frozenset({"time.gmtime", "time.localtime"})


def findings(module: Module, guest: GuestFacts) -> Iterator[Finding]:
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call) or (name := module.dotted(node.func)) not in _CLOCKS:
            continue
        if name in _WITH_ARGUMENTS and node.args:
            continue
        fix = "Take the newest timestamp of the input, or a build parameter."
        yield Finding(module.file, node.lineno, "wall_clock", f"asks the wall clock ({name}).", fix)
