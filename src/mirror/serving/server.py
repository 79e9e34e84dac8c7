"""The server: made from a workspace, started, and stopped without losing a request that it has taken on."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn

from mirror.models import Governance
from mirror.serving.application import Parts, application
from mirror.serving.deployment import Deployment
from mirror.serving.door import Door
from mirror.serving.errors import AddressError, TokenNeededError
from mirror.serving.follower import Follower
from mirror.serving.history import History
from mirror.serving.metrics import Metrics
from mirror.serving.patience import protocol
from mirror.serving.settings import Limits
from mirror.serving.tokens import Tokens, is_loopback
from mirror.serving.workline import WorkLine

_BACKLOG = 2048


@dataclass(frozen=True)
class Address:
    """Where to listen, and who may call."""

    host: str = "127.0.0.1"
    port: int = 8000
    tokens: Tokens | None = field(default=None, repr=False)


class LiveServer:
    """One live deployment on one port.

    Args:
        history: folder for the inference history; ``None`` keeps none.

    Raises TokenNeededError, AddressError, HistoryFolderError: nothing listens then.
    """

    def __init__(
        self,
        governance: Governance,
        deployment: Deployment,
        address: Address,
        limits: Limits | None = None,
        history: Path | None = None,
    ) -> None:
        limits = limits or Limits()
        trusted = is_loopback(address.host)
        if address.tokens is None and not trusted:
            raise TokenNeededError(address.host)
        metrics, clock = Metrics(), governance.workspace.clock
        self._socket = _listening(address)
        try:
            written = None if history is None else History(history, deployment, clock(), metrics)
        except Exception:
            self._socket.close()
            raise
        self.parts = Parts(
            deployment=deployment,
            limits=limits,
            follower=Follower(governance, deployment, limits, metrics),
            line=WorkLine(limits.workers, limits.waiting),
            metrics=metrics,
            clock=clock,
            open_to_all=address.tokens is None,
            history=written,
        )
        door = Door(application(self.parts), address.tokens, trusted=trusted, metrics=metrics)
        self._server = _Quiet(
            uvicorn.Config(
                door,
                http=protocol(limits),
                ws="none",
                loop="asyncio",
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                proxy_headers=False,
                backlog=_BACKLOG,
                limit_concurrency=limits.connections,
                timeout_keep_alive=limits.idle_seconds,
                # what was taken on may take all of its time, and then some to be sent
                timeout_graceful_shutdown=int(limits.body_seconds + limits.request_seconds + limits.write_seconds) + 1,
            )
        )

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self._socket.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def started(self) -> bool:
        """Whether it answers."""
        return self._server.started

    @property
    def accepting(self) -> bool:
        """Whether it takes on what comes; not any more once it drains."""
        return self._server.started and all(each.is_serving() for each in self._server.servers)

    @property
    def connections(self) -> int:
        """Open connections."""
        return len(self._server.server_state.connections)

    def run(self) -> None:
        """Serves until :meth:`stop`, SIGTERM or SIGINT; then answers what it has taken on, and returns."""
        self.parts.follower.start()
        try:
            asyncio.run(self._server.serve([self._socket]))
        finally:
            self.parts.follower.stop()
            self.parts.line.close()
            if self.parts.history is not None:
                self.parts.history.close()

    def stop(self) -> None:
        """Asks :meth:`run` to end; may be called from any thread."""
        self._server.should_exit = True


class _Quiet(uvicorn.Server):
    """uvicorn's server, which would raise the signal that ended it once more when it is done."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        handled = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in handled}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _listening(address: Address) -> socket.socket:
    """A socket that connections queue up on, with as many open files allowed as the system grants."""
    _allow_connections()
    try:
        found = socket.getaddrinfo(address.host.strip("[]"), address.port, type=socket.SOCK_STREAM)
        family, kind, proto, _, name = found[0]
        made = socket.socket(family, kind, proto)
    except OSError as error:
        raise AddressError(address.host, address.port, error.strerror or str(error)) from error
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(name)
        # whoever reads where we are may connect at once, and waits until we are up
        made.listen(_BACKLOG)
    except OSError as error:
        made.close()
        raise AddressError(address.host, address.port, error.strerror or str(error)) from error
    return made


def _allow_connections() -> None:
    """Each connection is an open file, of which many systems allow 1,024 unless asked."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
