"""The environment declarations older adapter templates carry: taken with any arguments, kept, and without effect here.

Foundry documents neither class; repositories written from its template call them with various arguments. The lock
file of the repository decides what is installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class _Recorded:
    """Keeps what it was given, for ``repr`` and for whoever asks."""

    def __repr__(self) -> str:
        facts = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if value)
        return f"{type(self).__name__}({facts})"


class CondaDependency(_Recorded):
    """One pinned package of an adapter library."""

    def __init__(
        self, package_name: str = "", package_version: str = "", repository_rid: str | None = None, **more: Any
    ) -> None:
        self.package_name, self.package_version, self.repository_rid = package_name, package_version, repository_rid
        vars(self).update(more)


class PythonEnvironment(_Recorded):
    """The packages an adapter asks for."""

    def __init__(
        self, conda_dependencies: Sequence[Any] = (), pip_dependencies: Sequence[Any] = (), **more: Any
    ) -> None:
        self.conda_dependencies, self.pip_dependencies = list(conda_dependencies), list(pip_dependencies)
        vars(self).update(more)
