"""Real servers on loopback that take messages: an HTTP one that answers as told, and an SMTP one that keeps mails."""

from __future__ import annotations

import contextlib
import email
import email.policy
import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[["_Hook"], None]


class _Hook(BaseHTTPRequestHandler):
    server: HookServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), json.loads(body)))
        answers = self.server.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if callable(answer):
            answer(self)
        else:
            self.send_response(answer)
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


class HookServer(ThreadingHTTPServer):
    """``got`` holds (path, headers, document); ``answers`` are statuses or functions, the last one for ever."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.got: list[tuple[str, dict, dict]] = []
        self.answers: list[int | Answer] = [200]
        self.url = f"http://127.0.0.1:{self.server_address[1]}/hook/s3cr3t"

    def handle_error(self, *_: object) -> None:
        """A caller that gave up is what some tests want."""


@contextlib.contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    """Serves in a thread until the end of the block."""
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Mailbox(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._say("220 mail")
        while line := self.rfile.readline().decode().strip():
            command = line.split(":")[0].split(" ")[0].upper()
            refusal = self.server.refuses.get(command)
            if refusal:
                self._say(refusal)
            elif command == "EHLO":
                self._say("250-mail\r\n250 AUTH PLAIN")
            elif command == "DATA":
                self._say("354 go on")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.got.append(email.message_from_bytes(b"".join(lines), policy=email.policy.default))
                self._say("250 kept")
            elif command == "AUTH":
                self.server.logins.append(line)
                self._say("235 welcome")
            elif command == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class MailServer(socketserver.ThreadingTCPServer):
    """``refuses``: command -> what is answered instead."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Mailbox)
        self.got: list[EmailMessage] = []
        self.logins: list[str] = []
        self.refuses: dict[str, str] = {}
