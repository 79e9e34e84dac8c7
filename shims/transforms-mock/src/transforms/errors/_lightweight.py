"""Errors of single-node transforms, under the names that Foundry documents."""

from __future__ import annotations

from dataclasses import dataclass

from transforms.errors._root import TransformsError


class LightweightException(TransformsError):  # noqa: N818 -- Foundry's name
    """Base of the errors of single-node transforms."""


@dataclass(eq=False, repr=False)
class LightweightNotImplementedError(LightweightException, NotImplementedError):
    """A combination that single-node transforms do not offer."""

    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(eq=False, repr=False)
class LightweightTypeError(LightweightException, TypeError):
    """Something of the wrong type was given to a single-node object or decorator."""

    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(eq=False, repr=False)
class LightweightValueError(LightweightException, ValueError):
    """The type is right, the value is not."""

    message: str

    def __str__(self) -> str:
        return self.message
