"""The report over HTTP on this machine: made anew when somebody asks and the last one is old."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from mirror.clock import Clock
from mirror.report.errors import AddressTakenError

LOOPBACK = "127.0.0.1"
FRESH = timedelta(seconds=5)
_BROKEN = b"the report cannot be made, see the console\n"
_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class LiveReport(ThreadingHTTPServer):
    """Serves ``page()`` at ``/`` of a loopback port until closed.

    Requests at the same time share one page, and a page is served for ``fresh`` before it is made again, so that
    reloading costs the machine no more than that. A page that cannot be made is told with status 500, not its cause.

    Raises:
        AddressTakenError: another program has the port.
    """

    daemon_threads = True

    def __init__(
        self, page: Callable[[], str], port: int, clock: Clock, fresh: timedelta = timedelta(seconds=5)
    ) -> None:
        try:
            super().__init__((LOOPBACK, port), _Handler)
        except OSError as error:
            raise AddressTakenError(port, error.strerror or str(error)) from error
        self._page, self._clock, self._fresh = page, clock, fresh
        self._made: tuple[datetime, bytes] | None = None
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Where to point a browser."""
        return f"http://{LOOPBACK}:{self.server_address[1]}/"

    def current(self) -> bytes:
        """The page as it is now, at most ``fresh`` old."""
        with self._lock:
            now = self._clock()
            if self._made is None or now - self._made[0] >= self._fresh:
                self._made = (now, self._page().encode())
            return self._made[1]


class _Handler(BaseHTTPRequestHandler):
    server: LiveReport
    timeout = 30
    """Seconds that a silent connection is kept."""

    def do_GET(self) -> None:
        # A page elsewhere may point a name of its own at this machine; its script must not read the fleet's state.
        if (self.headers.get("Host") or "").rsplit(":", 1)[0] not in _NAMES:
            self._answer(HTTPStatus.FORBIDDEN, b"ask for 127.0.0.1 or localhost\n", "text/plain")
        elif self.path.split("?", 1)[0] not in ("/", "/report.html"):
            self._answer(HTTPStatus.NOT_FOUND, b"the report is at /\n", "text/plain")
        else:
            try:
                page = self.server.current()
            except Exception:
                self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, _BROKEN, "text/plain")
                raise
            self._answer(HTTPStatus.OK, page, "text/html; charset=utf-8")

    do_HEAD = do_GET  # noqa: N815 - the base class looks for this name

    def _answer(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Type": kind, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: whoever opens the page is the one who started it."""
