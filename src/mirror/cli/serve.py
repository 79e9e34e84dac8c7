"""``mirror serve``: a model's live deployment over HTTP."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import click

from mirror.cli.context import CliContext


@click.command("serve")
@click.argument("objective", required=False)
@click.option(
    "--env", "environment", type=click.Choice(["staging", "production"]), default="production", show_default=True,
    help="Whose release is followed.",
)  # fmt: skip
@click.option(
    "--host", default="127.0.0.1", show_default=True, metavar="HOST", help="Other than loopback needs tokens."
)
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free one.")
@click.option(
    "--token-file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Who may call: one `NAME TOKEN` a line.",
)  # fmt: skip
@click.option(
    "--history", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="Write every request and answer to a new JSON-lines file there.",
)  # fmt: skip
@click.option("--workers", type=click.IntRange(1, 256), default=4, show_default=True, help="Requests at the same time.")
@click.option(
    "--waiting", type=click.IntRange(0, 10_000), default=32, show_default=True, help="Requests in line before 429."
)
@click.option(
    "--timeout", type=click.FloatRange(0.001, 3600), default=30.0, show_default=True, metavar="SECONDS",
    help="For one request, waiting included.",
)  # fmt: skip
@click.option(
    "--body-limit",
    type=click.IntRange(1),
    default=5_000_000,
    show_default=True,
    metavar="BYTES",
    help="Of one request.",
)
@click.option(
    "--poll", type=click.FloatRange(0.01, 3600), default=2.0, show_default=True, metavar="SECONDS",
    help="Between two looks at the releases.",
)  # fmt: skip
@click.pass_obj
def command(
    context: CliContext,
    objective: str | None,
    environment: str,
    host: str,
    port: int,
    token_file: Path | None,
    history: Path | None,
    workers: int,
    waiting: int,
    timeout: float,
    body_limit: int,
    poll: float,
) -> None:
    """Answer live requests with the released version, until SIGTERM or Ctrl-C.

    OBJECTIVE is an objective that governs a single model, or a model's path or its end; the only governed model by
    default. Releases and rollbacks are followed while it runs. The log goes to stderr, one JSON document a line.

    \b
    Examples:
      mirror serve
      mirror serve isolation_forest --env staging --port 0
      mirror serve --host 0.0.0.0 --token-file tokens.txt --history requests.jsonl
    """
    from mirror.datasets.errors import GuestNotFoundError
    from mirror.models import Governance
    from mirror.serving import Address, Deployment, Limits, LiveServer, Tokens
    from mirror.serving.logs import json_lines

    with context.open_workspace() as workspace:
        governance = Governance(workspace)
        limits = Limits(
            workers=workers,
            waiting=waiting,
            request_seconds=timeout,
            body_bytes=body_limit,
            buffered_bytes=max(Limits.buffered_bytes, 2 * body_limit),
            poll_seconds=poll,
        )
        deployment = Deployment.choose(governance, objective, environment)
        # adapters are the repository's own code, unless they are installed
        with contextlib.suppress(GuestNotFoundError):
            sys.path.insert(0, str(workspace.config.source_root))
        tokens = None if token_file is None else Tokens.read(token_file)
        server = LiveServer(governance, deployment, Address(host, port, tokens), limits, history)
        path = f"/foundry-ml-live/api/inference/transform/{deployment.rid}"
        document = {
            "model": deployment.model.path,
            "environment": environment,
            "deployment": deployment.rid,
            "url": server.url,
            "v1": server.url + path,
            "v2": f"{server.url}{path}/v2",
            "transform_json": f"{server.url}/v2/models/liveDeployments/{deployment.rid}/transformJson",
            "tokens": tokens is not None,
            "history": None if server.parts.history is None else str(server.parts.history.file),
        }
        context.emit(
            document,
            lambda console: console.print(
                f"{deployment.model.path} ({environment}) at {document['v2']}\n"
                f"readiness {server.url}/health/ready, metrics {server.url}/metrics, interface {server.url}/docs",
                markup=False,
            ),
        )
        sys.stdout.flush()
        with json_lines(sys.stderr, workspace.clock):
            server.run()
