"""How a root below a URL is reached: fsspec's client, and the options it is told."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mirror.datasets.errors import StorageClientMissingError, StorageSettingsError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem


@dataclass(frozen=True)
class FromEnvironment:
    """An option whose value is an environment variable's; looked up when connecting, never stored or shown."""

    name: str


Option = str | int | bool | FromEnvironment | Mapping[str, "Option"]
"""A value of ``[storage.options]``."""


def connected(root: str, options: Mapping[str, Option]) -> AbstractFileSystem:
    """fsspec's file system of a root. Raises StorageClientMissingError, StorageSettingsError."""
    import fsspec
    from fsspec.registry import known_implementations

    protocol = root.split("://", 1)[0]
    values = {name: _value(name, option) for name, option in options.items()}
    try:
        return fsspec.filesystem(protocol, **_address(root), **values)
    except (ImportError, ValueError) as error:
        known = known_implementations.get(protocol)
        if known is None:
            raise StorageSettingsError("root", f"{root!r} has a scheme that fsspec does not know") from error
        package = known["class"].split(".")[0]
        if _importable(known["class"].rsplit(".", 1)[0]):
            raise StorageSettingsError("options", f"do not suit {protocol}: {error}") from error
        said = known.get("err", str(error))
        raise StorageClientMissingError(root, package if package != "fsspec" else None, said) from error


def _address(root: str) -> dict[str, Any]:
    from fsspec.registry import get_filesystem_class

    protocol = root.split("://", 1)[0]
    return dict(get_filesystem_class(protocol)._get_kwargs_from_urls(root))


def _importable(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


def _value(name: str, option: Option) -> Any:
    if isinstance(option, FromEnvironment):
        found = os.environ.get(option.name)
        if found is None:
            raise StorageSettingsError(f"options.{name}", f"needs the environment variable {option.name}")
        return found
    if isinstance(option, Mapping):
        return {key: _value(f"{name}.{key}", value) for key, value in option.items()}
    return option
