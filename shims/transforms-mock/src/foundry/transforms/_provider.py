"""Who opens datasets for ``Dataset.get``: a platform or a test says so for the time of a block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from transforms.errors import NotAvailableError, TransformValueError
from transforms.ports import ReadPort, WritePort

Opener = Callable[[str, bool], "ReadPort | WritePort"]

_opener: ContextVar[Opener | None] = ContextVar("foundry_datasets", default=None)


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
    opener = _opener.get()
    if opener is None:
        why = (
            "no platform serves datasets to this process; use foundry.transforms.datasets_from(opener), or a transform"
        )
        raise NotAvailableError(f"Dataset '{alias}'", why)
    return opener(alias, for_writing)


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
