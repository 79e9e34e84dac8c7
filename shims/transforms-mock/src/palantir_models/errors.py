"""What this library refuses, and how to put it right.

    PalantirModelsError
    |-- DeclarationError          an adapter's ``api()`` or constructor is declared in a way that cannot work
    |-- InferenceInputError       a call does not fit the declared inputs
    |-- InferenceOutputError      an adapter returned or wrote something its outputs do not declare
    |-- ModelStateError           a file of the stored state is missing, outside its root or cannot be rebuilt
    |-- PublishError              something that is no adapter, or cannot be stored, was published
    |-- ExperimentError           an experiment or evaluation was used against its rules
    |-- MissingPackageError       a serializer needs a package that is not installed
    `-- NeedsFoundryError         the request can only be met inside Foundry

Every error keeps its facts in ``args``, so it survives the way back from a Spark worker.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class PalantirModelsError(Exception):
    """Root of the errors of ``palantir_models``."""


def nearest(name: str, known: Iterable[str]) -> str:
    """``" Did you mean 'x'?"`` for the known name closest to ``name``, or an empty string."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


class _SaidError(PalantirModelsError):
    """An error about one thing: ``subject`` is what it concerns, ``reason`` what is wrong, ``remedy`` what to do."""

    def __init__(self, subject: str, reason: str, remedy: str = "") -> None:
        super().__init__(subject, reason, remedy)
        self.subject = subject
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.subject}: {self.reason}" + (f" {self.remedy}" if self.remedy else "")


class DeclarationError(_SaidError, TypeError):
    """An adapter's ``api()``, ``predict`` or constructor is declared in a way that cannot work."""


class InferenceInputError(_SaidError, ValueError):
    """A call does not fit the declared inputs; raised before the adapter's own code runs.

    ``error_type`` is the name the HTTP API gives the same mistake (``typeMismatch``, ``unknownInputName``, ...).
    """

    def __init__(self, subject: str, reason: str, remedy: str = "", error_type: str = "typeMismatch") -> None:
        super().__init__(subject, reason, remedy)
        self.args = (subject, reason, remedy, error_type)
        self.error_type = error_type


class InferenceOutputError(_SaidError, ValueError):
    """An adapter returned or wrote something its declared outputs do not hold."""


class ModelStateError(_SaidError):
    """A file of a version's stored state is missing, lies outside its root, or cannot be rebuilt."""


class PublishError(_SaidError, TypeError):
    """What was handed to ``publish`` is no adapter, or its state cannot be stored."""


class ExperimentError(_SaidError, ValueError):
    """An experiment or evaluation was used against its rules."""


class MissingPackageError(_SaidError, ImportError):
    """A serializer needs a package that is not installed; ``remedy`` is the line for the conda recipe."""


class NeedsFoundryError(_SaidError, NotImplementedError):
    """The request can only be met inside Foundry; ``remedy`` says what to do locally."""
