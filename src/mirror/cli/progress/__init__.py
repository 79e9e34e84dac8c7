"""How a build is watched: bars on a terminal, plain lines elsewhere, JSON lines for machines. All of it on stderr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from mirror.builds.watching import BuildWatcher
    from mirror.datasets import Workspace


@contextmanager
def watching(workspace: Workspace, console: Console, *, as_json: bool, jobs: int) -> Iterator[BuildWatcher]:
    """The watcher that suits where ``console`` leads. ``jobs``: how many jobs may run at the same time."""
    if as_json:
        from mirror.cli.progress.events import Events

        yield Events(workspace.clock, console.file)
    elif console.is_terminal:
        from mirror.builds.watching import seconds_before
        from mirror.cli.progress.bars import Bars

        with Bars(console, seconds_before(workspace), jobs) as bars:
            yield bars
    else:
        from mirror.cli.progress.lines import Lines

        yield Lines(console)
