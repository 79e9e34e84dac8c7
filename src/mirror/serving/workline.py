"""A fixed number of threads that compute, and a bounded line before them.

Python cannot end a thread. A request that runs out of time is answered and its thread given up: another takes its place
at once, and the old one, should its model ever return, drops the result and ends. The number of threads that may be
given up is bounded, too; beyond it the server says that it must be restarted.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

STUCK_PER_WORKER = 4
"""Threads that may hang for each worker before none takes their place."""


class LineFullError(Exception):
    """Nobody may wait any more; told at once."""


class LineExhaustedError(Exception):
    """So many threads hang that none is left to work."""


class OutOfTimeError(Exception):
    """The work was not done in time; its place is free again."""


class ClientGoneError(Exception):
    """The caller hung up while it waited; nothing was computed."""


class _Job:
    __slots__ = ("abandoned", "future", "loop", "running", "work")

    def __init__(self, work: Callable[[], Any], loop: asyncio.AbstractEventLoop) -> None:
        self.work = work
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.running = self.abandoned = False

    def finish(self, result: Any, error: BaseException | None) -> None:
        if self.future.done():
            return
        if error is not None:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class WorkLine:
    """Threads and the line before them.

    Args:
        workers: jobs at the same time.
        waiting: jobs in line while all workers are busy.
    """

    def __init__(self, workers: int, waiting: int) -> None:
        self.workers, self.room = workers, waiting
        self._ready = threading.Condition()
        self._line: deque[_Job] = deque()
        self._running = self._stuck = self._serving = 0
        self._closed = False
        for _ in range(workers):
            self._start_thread()

    @property
    def running(self) -> int:
        """Jobs that are computed now."""
        return self._running

    @property
    def waiting(self) -> int:
        """Jobs in line."""
        return len(self._line)

    @property
    def stuck(self) -> int:
        """Threads that were given up and have not returned."""
        return self._stuck

    @property
    def exhausted(self) -> bool:
        """Whether no thread is left that could work."""
        return self._serving == 0

    def check(self) -> None:
        """Raises LineFullError or LineExhaustedError when a job would be refused now."""
        if self._serving == 0:
            raise LineExhaustedError
        if self._running + len(self._line) >= self.workers + self.room:
            raise LineFullError

    async def run(self, work: Callable[[], Any], seconds: float, gone: asyncio.Future[Any]) -> Any:
        """What ``work`` returns or raises, computed on a worker.

        Args:
            seconds: for waiting and computing together.
            gone: done when the caller has hung up.

        Raises:
            LineFullError, LineExhaustedError: at once.
            OutOfTimeError: after ``seconds``; the place is free.
            ClientGoneError: nobody waits for it any more, and it had not begun.
        """
        loop = asyncio.get_running_loop()
        job = _Job(work, loop)
        with self._ready:
            self.check()
            self._line.append(job)
            self._ready.notify()
        try:
            end = loop.time() + seconds
            await asyncio.wait({job.future, gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if not job.future.done() and gone.done():
                if self._withdraw(job):
                    raise ClientGoneError
                # it runs already: its time is still limited, or a model that hangs would keep the place
                await asyncio.wait({job.future}, timeout=max(0.0, end - loop.time()))
            if not job.future.done():
                raise OutOfTimeError
            return job.future.result()
        finally:
            if not job.future.done():
                self._give_up(job)

    def close(self) -> None:
        """Lets the threads end once the line is empty; those that hang are left behind."""
        with self._ready:
            self._closed = True
            self._ready.notify_all()

    def _withdraw(self, job: _Job) -> bool:
        with self._ready:
            if job.running:
                return False
            self._line.remove(job)
        job.future.cancel()
        return True

    def _give_up(self, job: _Job) -> None:
        with self._ready:
            if not job.running:
                if job in self._line:
                    self._line.remove(job)
                return
            job.abandoned = True
            self._running -= 1
            self._serving -= 1
            self._stuck += 1
            if self._stuck <= STUCK_PER_WORKER * self.workers:
                self._start_thread()

    def _start_thread(self) -> None:
        self._serving += 1
        threading.Thread(target=self._work, name="live-worker", daemon=True).start()

    def _work(self) -> None:
        while (job := self._next()) is not None and self._compute(job):
            # or an idle thread would keep the last request's body
            del job

    def _compute(self, job: _Job) -> bool:
        """Computes one job and hands its result over. Returns whether this thread is still needed."""
        result, error = None, None
        try:
            result = job.work()
        except BaseException as raised:  # noqa: BLE001 - a model may raise anything; the caller is told, the thread lives
            error = raised
        with self._ready:
            job.running = False
            if job.abandoned:
                self._stuck -= 1
                needed = self._serving < self.workers
                self._serving += needed
                return needed
            self._running -= 1
        try:
            job.loop.call_soon_threadsafe(job.finish, result, error)
        except RuntimeError:
            # the server was stopped without waiting for its requests
            return False
        return True

    def _next(self) -> _Job | None:
        with self._ready:
            while not self._line:
                if self._closed:
                    return None
                self._ready.wait()
            job = self._line.popleft()
            job.running = True
            self._running += 1
            return job
