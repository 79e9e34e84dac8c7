"""What every command shares: where the workspace is, and how results and progress leave."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

if TYPE_CHECKING:
    from mirror.datasets import Workspace


@dataclass(frozen=True)
class CliContext:
    """Handed to each command by ``@click.pass_obj``.

    A command that returns an ``int`` sets the exit code; ``None`` is 0.
    """

    workspace_path: str
    as_json: bool
    repository: str | None = None

    def open_workspace(self) -> Workspace:
        """The workspace named by ``--workspace``; a usage error names ``mirror init`` when there is none.

        ``--repository`` replaces where its code is read from for this one command; the workspace's file stays as it is.
        """
        from mirror.datasets import Workspace

        workspace = Workspace.open(Path(self.workspace_path))
        if self.repository is not None:
            workspace.config = replace(workspace.config, repository=Path(self.repository).resolve())
        return workspace

    def emit(self, document: Any, render: Callable[[Console], None], *, markup: bool = True) -> None:
        """The result: ``document`` as JSON with ``--json``, else whatever ``render`` prints, on stdout.

        Without ``markup`` text is printed as it is, in tables too: paths may hold brackets, which else are styles.
        """
        if self.as_json:
            click.echo(json.dumps(document, default=str, ensure_ascii=False))
        else:
            console = Console(highlight=False, soft_wrap=True, markup=markup)
            if not console.is_terminal:
                # A file or pipe has no edge that a table could be folded at.
                console.width = 240
            render(console)

    def progress(self) -> Console:
        """A console on stderr for what is going on."""
        return Console(stderr=True, highlight=False, soft_wrap=True)


def moment(text: str) -> str | datetime:
    """A point of a history as typed: an ISO time, else the text itself (a transaction's RID or the start of its id)."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text
