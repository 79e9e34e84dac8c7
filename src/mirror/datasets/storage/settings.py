"""The ``[storage]`` section of a workspace, checked, and the root it names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mirror.datasets.errors import StorageSettingsError
from mirror.datasets.storage.client import FromEnvironment, Option
from mirror.datasets.storage.local import LocalStorage
from mirror.datasets.storage.remote import RemoteStorage

if TYPE_CHECKING:
    from mirror.datasets.storage.protocol import Storage

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SECRET = re.compile(r"secret|password|passphrase|token|credential|connection_string|(^|_)key$|private_key|account_key")


@dataclass(frozen=True)
class StorageSettings:
    """Where files lie.

    Attributes:
        root: an absolute local folder, or a URL that fsspec understands.
        spark_root: what Spark calls the same place; for a URL its own, ``s3://`` as ``s3a://``.
        options: fsspec's (``endpoint_url``, ...); secrets only as :class:`FromEnvironment`.
    """

    root: str
    spark_root: str | None = None
    options: Mapping[str, Option] = field(default_factory=dict, hash=False)

    @property
    def is_url(self) -> bool:
        """Whether files are reached through fsspec."""
        return is_url(self.root)

    def storage(self, cache: Path) -> Storage:
        """The root itself; nothing is contacted yet."""
        if not self.is_url:
            return LocalStorage(self.root, self.spark_root)
        return RemoteStorage(self.root, self.spark_root or spark_url(self.root), str(cache), self.options)


def is_url(root: str) -> bool:
    """Whether a root is a URL; everything else is a local folder."""
    return _URL.match(root) is not None


def spark_url(root: str) -> str:
    """Hadoop's usual name of a URL."""
    return re.sub(r"^s3://", "s3a://", root)


def parse(document: Mapping[str, Any], base: Path) -> StorageSettings:
    """The section, relative folders below ``base``. Raises StorageSettingsError naming the key."""
    root, spark_root = document.get("root", "data"), document.get("spark_root")
    for key, value in (("root", root), ("spark_root", spark_root)):
        if value is not None and (not isinstance(value, str) or not value.strip()):
            raise StorageSettingsError(key, f"must be a folder or a URL, not {value!r}")
    options = document.get("options", {})
    if not isinstance(options, Mapping):
        raise StorageSettingsError("options", f"must be a table, not {options!r}")
    if options and not is_url(root):
        raise StorageSettingsError("options", f"are for a URL; the root {root!r} is a local folder")
    if unknown := sorted(document.keys() - {"root", "spark_root", "options"}):
        raise StorageSettingsError(unknown[0], "is not known; there are root, spark_root and [storage.options]")
    if spark_root is not None:
        spark_root = _checked_url("spark_root", spark_root) if is_url(spark_root) else spark_root.rstrip("/")
    checked = {name: _option(f"options.{name}", name, value) for name, value in options.items()}
    if is_url(root):
        return StorageSettings(_checked_url("root", root), spark_root, checked)
    return StorageSettings(str((base / root).resolve()), spark_root)


def _option(place: str, name: str, value: Any) -> Option:
    if isinstance(value, Mapping):
        if set(value) == {"env"} and isinstance(value["env"], str):
            return FromEnvironment(value["env"])
        return {key: _option(f"{place}.{key}", key, inner) for key, inner in value.items()}
    if _SECRET.search(name.lower()):
        raise StorageSettingsError(place, 'looks like a secret; write {env = "NAME"} and set that variable')
    if not isinstance(value, str | int | bool):
        raise StorageSettingsError(
            place, f'must be a text, a number, true or false, or {{env = "NAME"}}, not {value!r}'
        )
    return value


def _checked_url(key: str, url: str) -> str:
    parts = urlsplit(url)
    if parts.password is not None:
        shown = url.replace(parts.password, "...")
        raise StorageSettingsError(key, f"{shown!r} holds a password; put it into the environment")
    if parts.query or parts.fragment or "::" in url or ".." in parts.path.split("/"):
        raise StorageSettingsError(key, f"{url!r} must be a plain address, without '..', '?', '#' and '::'")
    return url.rstrip("/")
