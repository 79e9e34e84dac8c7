"""Commands a policy names: argument lists with placeholders, no shell, a limit that ends the process group."""

from __future__ import annotations

import hashlib
import os
import signal
import string
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mirror.clock import Clock
from mirror.promotion.git import clean_environment

PLACEHOLDERS = {
    "python": "the interpreter that runs mirror",
    "bin": "the folder of that interpreter, where `mirror`, `ruff` and `mypy` lie",
    "tree": "the temporary work tree that is judged or built",
    "workspace": "for a gate a fresh temporary workspace, for a rebuild the real one",
    "source": "the branch that is promoted",
    "target": "the branch it is promoted to",
    "fallbacks": "the step's fallback branches for data, with commas between them",
}
_TAIL = 15


@dataclass(frozen=True)
class CommandRun:
    """How a command ended. ``code`` is ``None`` when it was stopped or could not start; see ``problem``."""

    arguments: tuple[str, ...]
    code: int | None
    output: str
    seconds: float
    problem: str = ""

    @property
    def tail(self) -> tuple[str, ...]:
        """The end of the output, and the hash of all of it."""
        lines = [line.rstrip() for line in self.output.splitlines() if line.strip()]
        digest = hashlib.sha256(self.output.encode("utf-8", "surrogatepass")).hexdigest()
        return (*lines[-_TAIL:], f"sha256 of the whole output: {digest}")


def unknown_placeholders(argument: str) -> list[str]:
    """Names in braces that :data:`PLACEHOLDERS` does not hold; a torn brace counts as unknown."""
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(argument) if name is not None]
    except ValueError:
        return [argument]
    return [name for name in names if name not in PLACEHOLDERS]


def filled(template: Sequence[str], tree: Path, values: Mapping[str, str]) -> tuple[str, ...]:
    """The arguments of a command, its placeholders replaced."""
    known = {"python": sys.executable, "bin": str(Path(sys.executable).parent), "tree": str(tree), **values}
    return tuple(part.format_map(known) for part in template)


def run_command(
    template: Sequence[str],
    *,
    tree: Path,
    values: Mapping[str, str],
    python_path: Sequence[str],
    limit_seconds: float,
    clock: Clock,
) -> CommandRun:
    """Runs one command in ``tree`` with the tree's own source roots first on ``PYTHONPATH``.

    Without that, an editable installation would answer for the candidate with the code of the user's checkout.
    """
    arguments = filled(template, tree, values)
    environment = clean_environment(
        {
            "PYTHONPATH": os.pathsep.join(str(tree / root) for root in python_path),
            # A tree changes within the second it was read in; compiled files compare seconds and sizes only.
            "PYTHONDONTWRITEBYTECODE": "1",
        }
    )
    started = clock()
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                arguments,
                cwd=tree,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            return CommandRun(arguments, None, "", 0.0, f"{arguments[0]} could not be started: {error.strerror}")
        problem = ""
        try:
            code: int | None = process.wait(timeout=limit_seconds)
        except subprocess.TimeoutExpired:
            code, problem = None, f"was stopped at its limit of {limit_seconds:g} s"
        finally:
            # Whatever the command left running in its session ends with it.
            _end_group(process)
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    return CommandRun(arguments, code, text, (clock() - started).total_seconds(), problem)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        process.wait()
