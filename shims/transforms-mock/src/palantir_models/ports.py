"""The narrow ports between this library and whatever keeps model versions underneath.

The library turns an adapter into files and files into an adapter. Where the files lie, which version a branch or a
release stands for, and when a version becomes visible is the platform's business, which hands in objects of these
shapes.

Contract of every port
* ``publish`` stages: the version is visible to others only when the job that published it commits, and never when it
  fails.
* ``state_directory`` hands out files whose recorded hash was verified; nothing is unpickled before that.
* A port holds no Spark handle. It may hold a database handle, so it never travels to Spark workers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True)
class AdapterReference:
    """Where an adapter class is imported from: ``module`` and dotted ``qualname``."""

    module: str
    qualname: str

    def __str__(self) -> str:
        return f"{self.module}:{self.qualname}"

    @classmethod
    def parse(cls, text: str) -> AdapterReference:
        """The inverse of ``str``. Raises ``ValueError`` when ``text`` is not ``module:qualname``."""
        module, colon, qualname = text.partition(":")
        if not (module and colon and qualname):
            raise ValueError(f"{text!r} is no adapter reference; it reads 'package.module:ClassName'")
        return cls(module, qualname)


@dataclass(frozen=True)
class PublishedState:
    """What ``publish`` hands to the platform.

    Attributes:
        adapter: the class that loads the state again.
        state: a local directory that holds the saved files; the platform copies it before ``publish`` returns.
        api: the declared inputs and outputs as the wire document (JSON types only).
        change_type: ``MAJOR``, ``MINOR`` or ``PATCH`` as the author wrote it, or ``None``.
        experiment: the attached experiment as a JSON document, or ``None``.
        metadata: what the adapter tells about itself (``version_metadata()``), JSON types only.
    """

    adapter: AdapterReference
    state: Path
    api: Mapping[str, Any]
    change_type: str | None = None
    experiment: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class ModelReadPort(Protocol):
    """One resolved model version as one job sees it."""

    @property
    def model_rid(self) -> str: ...
    @property
    def model_path(self) -> str: ...
    @property
    def model_version_rid(self) -> str: ...
    @property
    def branch(self) -> str: ...
    @property
    def adapter(self) -> AdapterReference: ...

    def state_directory(self) -> Path:
        """The verified files of the version. Raises a typed error naming the version when a hash differs."""

    def attach_evaluation(self, document: Callable[[], Mapping[str, Any]]) -> None:
        """Stages an evaluation of this version: ``document`` is asked for, and made visible, when the job commits."""


@runtime_checkable
class ModelWritePort(Protocol):
    """One model inside a job that may publish versions of it."""

    @property
    def model_rid(self) -> str: ...
    @property
    def model_path(self) -> str: ...
    @property
    def branch(self) -> str: ...

    def publish(self, version: PublishedState) -> str:
        """Stages a version and returns its rid. The same state, adapter and api give the same rid."""
