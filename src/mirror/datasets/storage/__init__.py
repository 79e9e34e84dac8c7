"""Where bytes lie: one root, a folder per transaction, whole files only (see ``protocol``)."""

from mirror.datasets.storage.entries import StoredEntry, local_paths, open_stream, opened, spark_names
from mirror.datasets.storage.local import LocalStorage, sha256_of, translated
from mirror.datasets.storage.names import checked, decode, encode
from mirror.datasets.storage.protocol import Found, Storage
from mirror.datasets.storage.settings import StorageSettings

__all__ = [
    "Found",
    "LocalStorage",
    "Storage",
    "StorageSettings",
    "StoredEntry",
    "checked",
    "decode",
    "encode",
    "local_paths",
    "open_stream",
    "opened",
    "sha256_of",
    "spark_names",
    "translated",
]
