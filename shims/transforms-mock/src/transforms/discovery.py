"""Discovery that survives broken modules, for a platform that must tell what a repository holds.

``Pipeline.discover_transforms`` raises what a module raises, as in Foundry. Within :func:`tolerant` it notes the module
and goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class BrokenModule:
    """A module that discovery could not take.

    Attributes:
        module: its full name.
        error: what importing it, or registering its transforms, raised.
    """

    module: str
    error: BaseException


_noted: ContextVar[list[BrokenModule] | None] = ContextVar("transforms_broken_modules", default=None)


@contextmanager
def tolerant() -> Iterator[list[BrokenModule]]:
    """Within it, discovery adds what is broken to the list it gives, instead of raising."""
    found: list[BrokenModule] = []
    token = _noted.set(found)
    try:
        yield found
    finally:
        _noted.reset(token)


@contextmanager
def noting(module: str) -> Iterator[None]:
    """Notes what is raised inside when somebody is tolerant; raises it otherwise."""
    try:
        yield
    except (Exception, SystemExit) as error:
        noted = _noted.get()
        if noted is None:
            raise
        noted.append(BrokenModule(module, error))
