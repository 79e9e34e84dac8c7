"""``python -m benchmarks NAME|all [--json] [--rounds N] [--data DIR] [--size SHARE]``."""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import benchmarks
from benchmarks._harness import Bench, Figure
from benchmarks._machine import describe
from mirror.errors import ExitCode, nearest


def entries() -> list[str]:
    """The names of all entries, found by listing the package."""
    return sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__) if not m.name.startswith("_"))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def measure(
    names: Iterable[str], rounds: int, data: Path | None = None, size: float = 1.0
) -> Iterable[tuple[ModuleType, Figure]]:
    """Runs the entries one after the other and hands out each figure as soon as it is known."""
    for name in names:
        module = importlib.import_module(f"benchmarks.{name}")
        with tempfile.TemporaryDirectory(prefix=f"bench-{name}-") as scratch:
            for figure in module.run(Bench(name, Path(scratch), rounds, say=_say, data=data, size=size)):
                yield module, figure


def main(arguments: Sequence[str] | None = None) -> int:
    known = entries()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Repeatable ratios; never seconds.")
    parser.add_argument("name", help=f"all, or one of: {', '.join(known)}")
    parser.add_argument("--json", action="store_true", help="one JSON line per figure on stdout")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="measured pairs per figure (default 5)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="published files, for the entries that score on them")
    parser.add_argument("--size", type=float, default=1.0, metavar="SHARE", help="share of the rows (default 1)")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    if not 0 < options.size <= 1:
        parser.error("--size must be above 0 and at most 1")
    if options.name != "all" and options.name not in known:
        parser.error(
            f"no benchmark is called {options.name!r}.{nearest(options.name, known)} Known: {', '.join(known)}"
        )
    header = "\n".join(f"{key:>14}  {value}" for key, value in describe().items())
    print(header, file=sys.stderr if options.json else sys.stdout, flush=True)
    exceeded = False
    chosen = known if options.name == "all" else [options.name]
    for module, measured in measure(chosen, options.rounds, options.data, options.size):
        # what is promised is promised of the whole
        figure = measured if options.size == 1 else replace(measured, limit=None)
        exceeded |= not figure.within
        if options.json:
            print(json.dumps(figure.to_json()), flush=True)
        else:
            promise = "" if figure.limit is None else f"  limit {figure.limit:g}{'' if figure.within else '  EXCEEDED'}"
            what = (module.__doc__ or "").strip().partition("\n")[0]
            spread = f"spread {figure.spread:.3f}, n={figure.n}"
            print(f"{figure.name:<32} {figure.ratio:8.3f}x  {spread}{promise}  ({what})", flush=True)
    return int(ExitCode.REFUSED if exceeded else ExitCode.DONE)


if __name__ == "__main__":
    sys.exit(main())
