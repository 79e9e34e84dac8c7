"""Which failures may pass by themselves. A verdict, a wrong use or a wrong transform never does."""

from __future__ import annotations

import errno

from mirror.datasets.errors import CatalogBusyError

_PASSING = frozenset({errno.EAGAIN, errno.EIO, errno.ETIMEDOUT, errno.ESTALE, errno.EINTR, errno.EBUSY})


def is_transient(failure: BaseException) -> bool:
    """Whether trying again may help: a busy or restarted catalog, a broken connection, an I/O error of the moment."""
    seen: BaseException | None = failure
    while seen is not None:
        if isinstance(seen, CatalogBusyError | ConnectionError):
            return True
        if isinstance(seen, OSError) and seen.errno in _PASSING:
            return True
        seen = seen.__cause__
    return False


def backoff(attempt: int) -> float:
    """Seconds to wait before attempt number ``attempt`` (the second is 2): 1, 2, 4, ... at most 60."""
    return float(min(60, 2 ** (attempt - 2)))
