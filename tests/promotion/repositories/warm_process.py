"""Commands of a policy in forks of one process that has imported everything: a build for a tenth of its CPU.

Each command still has a process, working directory, environment and import path of its own, as ``run_command`` gives
it, so the code of two trees never meets.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from mirror.clock import Clock
from mirror.promotion.commands import CommandRun, filled

_IMPORTED = (
    "mirror.cli.build",
    "mirror.cli.ingest",
    "mirror.builds.describing",
    "mirror.builds.run",
    "mirror.checks",
    "mirror.models.binder",
    "pandas",
    "pyarrow.parquet",
    "transforms.api",
    "transforms.expectations",
)
DIES_AFTER = "TEST_DIES_AFTER_COMMITS"
"""Environment variable: the process ends as if killed once it has committed so many transactions."""

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["warm_process", *_IMPORTED])


def _die_after(commits: int) -> None:
    from mirror.datasets.store import DatasetStore

    original, left = DatasetStore.commit, [commits]

    def commit(*given: object, **more: object) -> object:
        if not left[0]:
            os._exit(137)
        left[0] -= 1
        return original(*given, **more)  # type: ignore[arg-type]  # whatever it is called with

    DatasetStore.commit = commit  # type: ignore[method-assign,assignment]  # as a kill -9 would find it


def _fork(arguments: Sequence[str], tree: str, roots: Sequence[str], output: str, dies_after: int | None) -> None:
    """In the child: standard streams into a file, then what the command line says."""
    out = os.open(output, os.O_WRONLY | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(out, stream)
    os.chdir(tree)
    sys.dont_write_bytecode = True
    sys.path[:0] = [os.path.join(tree, root) for root in roots]
    if dies_after is not None:
        _die_after(dies_after)
    try:
        if arguments[1] == "-c":
            from mirror.cli import run

            code = run(list(arguments[3:]))
        else:
            sys.argv = list(arguments[1:])
            runpy.run_path(arguments[1], run_name="__main__")
            code = 0
    except (Exception, SystemExit):  # noqa: BLE001 - whatever it was ends this process alone, with the trace in its output
        traceback.print_exc()
        code = 3
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(code))


def run_warm(
    template: Sequence[str],
    *,
    tree: Path,
    values: Mapping[str, str],
    python_path: Sequence[str],
    limit_seconds: float,
    clock: Clock,
) -> CommandRun:
    """As :func:`mirror.promotion.commands.run_command`, for ``python -c 'mirror' ...`` and ``python script ...``."""
    arguments = filled(template, tree, values)
    assert arguments[0] == sys.executable
    dies_after = os.environ.get(DIES_AFTER)
    with tempfile.NamedTemporaryFile() as output:
        given = (arguments, str(tree), tuple(python_path), output.name, int(dies_after) if dies_after else None)
        process = _CONTEXT.Process(target=_fork, args=given, daemon=True)
        process.start()
        process.join(limit_seconds)
        assert process.exitcode is not None, f"{arguments} is still running after {limit_seconds} s"
        text = Path(output.name).read_text(encoding="utf-8", errors="replace")
    return CommandRun(arguments, process.exitcode, text, 0.0)
