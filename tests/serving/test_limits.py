"""What is too much, too long or too slow is answered or cut, and its place is free again."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from .conftest import Live, Site, connect, serving

WORKERS, WAITING = 2, 3
ROOM = WORKERS + WAITING


@pytest.fixture(scope="module")
def narrow(site: Site) -> Iterator[Live]:
    """Two workers, three places in line, time for everything."""
    with serving(site, workers=WORKERS, waiting=WAITING, buffered_bytes=8_000_000, write_seconds=0.2) as found:
        found.until(lambda: found.server.parts.follower.served is not None)
        yield found


@pytest.fixture(scope="module")
def hurried(site: Site) -> Iterator[Live]:
    """A fifth of a second and less for everything, and one worker."""
    with serving(site, workers=1, waiting=4, request_seconds=0.15, head_seconds=0.2, body_seconds=0.2) as found:
        found.until(lambda: found.server.parts.follower.served is not None)
        yield found


@contextlib.contextmanager
def raw(live: Live, text: str, window: int | None = None) -> Iterator[socket.socket]:
    """A connection over which ``text`` was sent; ``window`` bytes of an answer fit into it."""
    host, port = live.server.url.removeprefix("http://").split(":")
    with socket.socket() as connection:
        if window is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        connection.settimeout(10)
        connection.connect((host, int(port)))
        connection.sendall(text.encode())
        yield connection


def received(connection: socket.socket) -> bytes:
    """All that comes until the server closes; empty where it cut the connection."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            found += part
    return found


def head(live: Live, length: int) -> str:
    return (
        f"POST {live.url()} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\n\r\n"
    )


def test_a_full_line_answers_429_at_once_and_loses_nobody(narrow: Live, gate: threading.Event) -> None:
    line = narrow.server.parts.line
    with ThreadPoolExecutor(ROOM) as pool, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(narrow.server)) for _ in range(ROOM)]
        taken = [pool.submit(narrow.ask, {"x": n}, mode="wait", client=c) for n, c in enumerate(clients)]
        narrow.until(lambda: (line.running, line.waiting) == (WORKERS, WAITING))
        refused = [narrow.ask() for _ in range(20)]
        assert {(a.status_code, a.json()["errorName"], a.headers["retry-after"]) for a in refused} == {
            (429, "TooManyRequests", "1")
        }
        assert narrow.client.get("/health/ready").status_code == 200
        gate.set()
        answers = [future.result() for future in taken]
    assert [(a.status_code, a.json()["df_out"][0]["x"]) for a in answers] == [(200, float(n)) for n in range(ROOM)]
    assert narrow.ask().status_code == 200


def test_who_hangs_up_while_waiting_leaves_the_line(narrow: Live, gate: threading.Event) -> None:
    line = narrow.server.parts.line
    body = json.dumps({"df_in": [{"x": 1}], "mode": "wait"})
    with contextlib.ExitStack() as stack:
        for _ in range(ROOM):
            waiting = stack.enter_context(raw(narrow, head(narrow, len(body)) + body))
        narrow.until(lambda: (line.running, line.waiting) == (WORKERS, WAITING))
        waiting.close()
    # those that run go on: what a model does cannot be ended
    narrow.until(lambda: line.waiting == 0)
    assert line.running == WORKERS
    gate.set()
    narrow.until(lambda: line.running == 0)


def test_ten_megabytes_are_refused_before_they_are_read(narrow: Live) -> None:
    answer = narrow.client.post(narrow.url(), content=b"x" * 10_000_000, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["errorName"]) == (413, "RequestEntityTooLarge")
    assert answer.json()["parameters"] == {"limitBytes": 5_000_000}
    with raw(narrow, head(narrow, 10_000_000)) as connection:
        # nothing of the body was sent, and nothing need be
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


def test_a_body_of_unknown_length_is_counted_as_it_comes(narrow: Live) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 200_000_000:
            sent += 100_000
            yield b"x" * 100_000

    with connect(narrow.server) as client, contextlib.suppress(httpx.TransportError):
        answer = client.post(narrow.url(), content=endless(), headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
    assert 5_000_000 < sent < 60_000_000, "it was cut off after four times the limit and what the sockets hold"
    assert narrow.server.parts.buffers.held == 0


def test_bodies_on_their_way_share_one_budget(narrow: Live) -> None:
    buffers = narrow.server.parts.buffers
    with raw(narrow, head(narrow, 4_900_000) + "x" * 4_000_000):
        narrow.until(lambda: buffers.held == 4_000_000)
        with raw(narrow, head(narrow, 4_900_000) + "x" * 4_000_100) as second:
            assert second.recv(200).startswith(b"HTTP/1.1 429")
    narrow.until(lambda: buffers.held == 0)
    assert narrow.ask().status_code == 200


def answers(live: Live) -> None:
    """A slow machine may need more than one try within so little time."""
    live.until(lambda: live.ask().status_code == 200)


@pytest.mark.nightly
def test_a_request_out_of_time_is_504_and_its_place_is_free(hurried: Live, gate: threading.Event) -> None:
    line = hurried.server.parts.line
    answer = hurried.ask(mode="wait")
    assert (answer.status_code, answer.json()["errorName"]) == (504, "InferenceTimeout")
    assert (line.stuck, line.running) == (1, 0)
    answers(hurried)
    # a model that always hangs uses up what may hang, and the server says so
    hurried.until(lambda: hurried.ask(mode="wait").status_code == 503)
    assert (line.stuck, line.exhausted) == (5, True)
    assert hurried.ask().json()["errorName"] == "LiveDeploymentNotReady"
    assert [hurried.client.get(f"/health/{kind}").status_code for kind in ("live", "ready")] == [503, 503]
    gate.set()
    hurried.until(lambda: line.stuck == 0)
    answers(hurried)
    assert hurried.client.get("/health/live").status_code == 200


@pytest.mark.nightly
def test_clients_that_hang_are_cut_off_and_cost_nobody_a_place(hurried: Live) -> None:
    with (
        raw(hurried, "") as silent,
        raw(hurried, "POST /foundry-ml-live HTTP/1.1\r\nHost: loc") as in_the_head,
        raw(hurried, head(hurried, 1000) + '{"df_in": [') as in_the_body,
    ):
        answers(hurried)
        assert received(silent) == b""
        assert received(in_the_head) == b""
        assert received(in_the_body).startswith(b"HTTP/1.1 408")
        hurried.until(lambda: hurried.server.connections <= 1)


@pytest.mark.nightly
def test_a_client_that_does_not_take_its_answer_is_cut_off(narrow: Live) -> None:
    body = json.dumps({"df_in": [{"x": 1}], "mode": "long"})
    with raw(narrow, head(narrow, len(body)) + body, window=4096) as connection:
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
        narrow.until(lambda: narrow.server.connections <= 1)
        assert len(received(connection)) < 20_000_000
