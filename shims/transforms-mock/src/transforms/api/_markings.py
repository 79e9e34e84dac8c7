"""Markings that an input stops handing on. Access control is Foundry's; here they are kept and shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from transforms._names import Named, caller, in_order, known_arguments
from transforms.errors import TransformTypeError


def _texts(owner: str, argument: str, given: str | Iterable[str]) -> tuple[str, ...]:
    values = (given,) if isinstance(given, str) else in_order(given) if isinstance(given, Iterable) else ()
    if not isinstance(given, Iterable) or not all(isinstance(value, str) for value in values):
        raise TransformTypeError(f"{argument} of {owner} is a list of texts, got {given!r}.", caller())
    return values


@dataclass(frozen=True, init=False)
class Markings(Named):
    """Markings, and the protected branches on which they are removed.

    Args:
        marking_ids: one id or a list of ids.
        on_branches: one branch name or a list of names.
    """

    marking_ids: tuple[str, ...]
    on_branches: tuple[str, ...]

    @known_arguments("{}")
    def __init__(self, marking_ids: str | Iterable[str], on_branches: str | Iterable[str]) -> None:
        owner = type(self).__name__
        object.__setattr__(self, "marking_ids", _texts(owner, "marking_ids", marking_ids))
        object.__setattr__(self, "on_branches", _texts(owner, "on_branches", on_branches))


class OrgMarkings(Markings):
    """Organisation markings, in the same two parts."""


@dataclass(frozen=True, init=False)
class UnmarkingPolicy:
    """A policy by reference that decides which markings are removed; kept as it was written."""

    arguments: tuple[object, ...]
    options: tuple[tuple[str, object], ...]

    def __init__(self, *arguments: object, **options: object) -> None:
        object.__setattr__(self, "arguments", arguments)
        object.__setattr__(self, "options", tuple(sorted(options.items())))
