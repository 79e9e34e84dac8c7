"""The table as a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from transforms.surface._behaviours import Behaviour
from transforms.surface._row import DOCUMENTATION, Row, Status

_HEAD = """\
# Fidelity

How each public symbol of Foundry's libraries behaves here. This page is generated from one table in the code
(`python -m transforms.surface > docs/fidelity.md`) and compared with it in the tests: every public symbol stands in
the table, and every row names a test that exists.

- **same**: as Foundry documents it.
- **recorded**: taken, kept on the transform and shown; it changes no result.
- **differs**: works, with the difference stated.
- **refused**: imports and declares; using it raises an error with the reason stated.

Choices that no symbol stands for (builds, branches, Spark itself) close the page.

A name that stands nowhere on this page does not exist in Foundry as far as its public documentation says. Asking for it
raises an error that offers the nearest name that does.
"""


def render(table: Sequence[Row], behaviours: Sequence[Behaviour]) -> str:
    """The page as Markdown."""
    counts = Counter(row.status for row in table)
    total = ", ".join(f"{counts[status]} {status.value}" for status in Status)
    parts = [_HEAD, f"\n{len(table)} symbols: {total}.\n"]
    for module, rows in groupby(table, key=lambda row: _module(row.symbol)):
        parts += [f"\n## {module}\n\n", *_lines(rows, module)]
    for area, choices in groupby(behaviours, key=lambda behaviour: behaviour.area):
        parts += [f"\n## {area}\n\n| Foundry | here | test |\n| --- | --- | --- |\n"]
        parts += [f"| {one.foundry} | {one.here} | {_test(one.test)} |\n" for one in choices]
    return "".join(parts)


def _module(symbol: str) -> str:
    parts = symbol.split(".")
    for at, part in enumerate(parts):
        if at and (part[:1].isupper() or part.endswith("()")):
            return ".".join(parts[:at])
    if symbol.startswith("transforms.api."):
        return "transforms.api"
    return ".".join(parts[:-1])


def _lines(rows: Iterable[Row], module: str) -> list[str]:
    lines = ["| symbol | status | note | source | test |\n", "| --- | --- | --- | --- | --- |\n"]
    for row in rows:
        symbol = row.symbol.removeprefix(f"{module}.")
        page = row.source if row.source.startswith("open source") else f"[{row.source.rsplit('/', 1)[-1]}]({_url(row)})"
        lines.append(f"| `{symbol}` | {row.status.value} | {row.note} | {page} | {_test(row.test)} |\n")
    return lines


def _url(row: Row) -> str:
    return f"{DOCUMENTATION}{row.source}/"


def _test(test: str) -> str:
    file, _, function = test.partition("::")
    return f"[{function}](../{file})"
