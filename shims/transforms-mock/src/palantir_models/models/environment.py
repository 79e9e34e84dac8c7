"""The environment declarations older adapter templates carry; recorded only, the lock file decides locally."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class CondaDependency:
    """One pinned package of an adapter library."""

    package_name: str = ""
    package_version: str = ""
    repository_rid: str | None = None


@dataclass(frozen=True)
class PythonEnvironment:
    """The packages an adapter asks for."""

    conda_dependencies: Sequence[CondaDependency] = field(default_factory=list)
    pip_dependencies: Sequence[Any] = field(default_factory=list)
    black_box_provided_dependencies: Sequence[Any] = field(default_factory=list)
    python_version: str | None = None
