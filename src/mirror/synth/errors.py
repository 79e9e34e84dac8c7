"""Errors of the synthetic fleet.

UsageError
`-- SynthError
    |-- FleetFileError        the fleet's YAML file is missing or says something impossible
    |-- SynthRequestError     devices, hours, shares or anomalies that cannot be generated
    `-- OutputNotEmptyError   the output folder already holds files
"""

from __future__ import annotations

from mirror.errors import UsageError


class SynthError(UsageError):
    """Root of this room's errors."""


class FleetFileError(SynthError):
    """A fleet file that cannot be used: ``path``, the ``place`` in it (dotted, may be empty), the ``problem``."""

    def __init__(self, path: str, place: str, problem: str) -> None:
        super().__init__(path, place, problem)
        self.path, self.place, self.problem = path, place, problem

    def __str__(self) -> str:
        where = f"{self.path}: {self.place}" if self.place else self.path
        return f"{where}: {self.problem}"


class SynthRequestError(SynthError):
    """An argument of the request that cannot be met: its ``name``, what was given, and what would do."""

    def __init__(self, name: str, given: object, wanted: str) -> None:
        super().__init__(name, given, wanted)
        self.name, self.given, self.wanted = name, given, wanted

    def __str__(self) -> str:
        return f"{self.name}: {self.given!r} will not do; {self.wanted}"


class OutputNotEmptyError(SynthError):
    """``directory`` holds files already; mixing two fleets in one folder would make neither reproducible."""

    def __init__(self, directory: str) -> None:
        super().__init__(directory)
        self.directory = directory

    def __str__(self) -> str:
        return f"{self.directory} is not empty; give a new folder to --out or remove it first"
