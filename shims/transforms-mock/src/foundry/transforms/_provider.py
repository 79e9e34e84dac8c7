"""Who opens datasets for ``Dataset.get``: a platform for the whole process, or a test for the time of a block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Protocol

from transforms.errors import NotAvailableError, TransformValueError
from transforms.ports import ReadPort, WritePort

Opener = Callable[[str, bool], "ReadPort | WritePort"]

_opener: ContextVar[Opener | None] = ContextVar("foundry_datasets", default=None)


class DatasetHost(Protocol):
    """A platform that serves a process outside of any job, such as a notebook."""

    def open(self, alias: str, for_writing: bool) -> ReadPort | WritePort:
        """The port of a dataset. Raises a typed error naming it when there is none."""

    def commit(self, port: Any) -> None:
        """Makes what was written through a port visible: outside of a job nobody else does."""


_host: DatasetHost | None = None


def connect(host: DatasetHost | None) -> None:
    """Says which platform serves this process; ``None`` disconnects."""
    global _host
    _host = host


@contextmanager
def datasets_from(opener: Opener) -> Iterator[None]:
    """Within the block, ``Dataset.get`` opens datasets with ``opener(alias, for_writing)``."""
    token = _opener.set(opener)
    try:
        yield
    finally:
        _opener.reset(token)


def open_port(alias: str, for_writing: bool) -> Any:
    """The port of a dataset.

    Raises:
        NotAvailableError: nobody opens datasets here.
    """
    if (opener := _opener.get()) is not None:
        return opener(alias, for_writing)
    if _host is None:
        why = (
            "no platform serves datasets to this process; connect it first (mirror.models.notebook.connect() serves a"
            " workspace, foundry.transforms.datasets_from(opener) a test), or use a transform"
        )
        raise NotAvailableError(f"Dataset '{alias}'", why)
    return _host.open(alias, for_writing)


def finished(port: Any) -> bool:
    """Commits what was written through a port of the host; whoever opened it for a block commits himself."""
    if _opener.get() is not None or _host is None:
        return False
    _host.commit(port)
    return True


def load_aliases(path: str | Path) -> Mapping[str, str]:
    """``.foundry/aliases.yml`` of a code workspace: alias -> RID.

    Raises:
        TransformValueError: the file has another shape.
    """
    import yaml

    found = yaml.safe_load(Path(path).read_text()) or {}
    if not isinstance(found, dict):
        raise TransformValueError("aliases.yml must map each alias to its rid.", str(path))
    aliases = {}
    for alias, entry in found.items():
        rid = entry.get("rid") if isinstance(entry, dict) else entry
        if not isinstance(rid, str):
            raise TransformValueError(f"alias '{alias}' has no rid.", str(path))
        aliases[str(alias)] = rid
    return aliases
