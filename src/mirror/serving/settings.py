"""The numbers that bound a live deployment. Each has a default, and the command line may set those that people turn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What one server takes on. Whatever is beyond is refused at once; nothing here grows with the number of callers.

    Attributes:
        workers: requests computed at the same time, each on a thread of its own.
        waiting: admitted requests that may wait for a worker.
        body_bytes: of one request.
        buffered_bytes: of all request bodies that are held at the same time, complete or on their way.
        request_seconds: from the request's head to its answer, waiting included.
        head_seconds: for a request's head to arrive, and for what a refused client still sends.
        body_seconds: for a body to arrive.
        write_seconds: for a client to take its answer.
        idle_seconds: a connection is kept open between requests; above the 60 s that proxies usually keep theirs.
        connections: open at the same time; each may hold what one read of its socket gives, a quarter of a megabyte.
        poll_seconds: between two looks at the releases.
        retry_seconds: longest pause before a version that failed to load is tried again.
    """

    workers: int = 4
    waiting: int = 32
    body_bytes: int = 5_000_000
    buffered_bytes: int = 64_000_000
    request_seconds: float = 30.0
    head_seconds: float = 10.0
    body_seconds: float = 10.0
    write_seconds: float = 10.0
    idle_seconds: int = 65
    connections: int = 2_000
    poll_seconds: float = 2.0
    retry_seconds: float = 60.0
