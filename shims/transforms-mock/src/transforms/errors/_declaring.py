"""Errors of declaring: wrong decorators, specs, names and pipelines."""

from __future__ import annotations

from dataclasses import dataclass

from transforms.errors._root import TransformsError, listed, nearest


class DeclarationError(TransformsError):
    """A decorator or a spec was misused; raised while the module is imported, with file and line."""


@dataclass(eq=False, repr=False)
class UnknownArgumentError(DeclarationError, TypeError):
    """A keyword argument that the function does not have in Foundry."""

    owner: str
    argument: str
    known: tuple[str, ...]
    where: str
    hint: str = ""

    def __str__(self) -> str:
        named = self.argument if self.argument[:1] in "'\"" else f"'{self.argument}'"
        hint = f" {self.hint}" if self.hint else nearest(self.argument, self.known)
        return f"{self.where}: {self.owner} has no argument {named}.{hint} It takes: {', '.join(self.known) or 'none'}."


@dataclass(eq=False, repr=False)
class TransformTypeError(DeclarationError, TypeError):
    """Something of the wrong type was given to a decorator or spec."""

    what: str
    where: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(eq=False, repr=False)
class TransformKeyError(DeclarationError, KeyError):
    """``snapshot_inputs`` names a parameter that the transform does not have."""

    name: str
    known: tuple[str, ...]
    where: str

    def __str__(self) -> str:
        return (
            f"{self.where}: snapshot_inputs names '{self.name}', which is no input of the transform."
            f"{nearest(self.name, self.known)} Its inputs: {listed(self.known)}."
        )


@dataclass(eq=False, repr=False)
class TransformValueError(DeclarationError, ValueError):
    """An argument has the right type and an impossible value."""

    what: str
    where: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(eq=False, repr=False)
class UnknownNameError(TransformsError, ImportError):
    """A module of this package was asked to import a name that Foundry does not have."""

    module: str
    attribute: str
    known: tuple[str, ...]
    note: str = ""

    def __post_init__(self) -> None:
        TransformsError.__post_init__(self)
        self.name, self.path = self.module, None

    def __str__(self) -> str:
        note = f" {self.note}" if self.note else nearest(self.attribute, self.known)
        return f"Foundry's {self.module} has no '{self.attribute}'.{note}"


@dataclass(eq=False, repr=False)
class UnknownAttributeError(TransformsError, AttributeError):
    """An object or module was asked for an attribute that Foundry does not have."""

    owner: str
    attribute: str
    known: tuple[str, ...]
    note: str = ""

    def __post_init__(self) -> None:
        TransformsError.__post_init__(self)
        self.name = self.attribute

    def __str__(self) -> str:
        note = f" {self.note}" if self.note else nearest(self.attribute, self.known)
        return f"Foundry's {self.owner} has no '{self.attribute}'.{note}"


@dataclass(eq=False, repr=False)
class NotAvailableError(TransformsError, NotImplementedError):
    """Foundry has it; here it would change results or needs Foundry's servers, so it is refused."""

    what: str
    reason: str

    def __str__(self) -> str:
        return f"{self.what} is not available outside Foundry: {self.reason} (docs/fidelity.md)"


@dataclass(eq=False, repr=False)
class EntryPointError(TransformsError):
    """The repository's ``setup.py`` exports no usable ``transforms.pipelines`` entry point."""

    what: str

    def __str__(self) -> str:
        return f"{self.what} setup.py needs entry_points={{'transforms.pipelines': ['root = package.module:name']}}."


@dataclass(eq=False, repr=False)
class PipelineError(TransformsError, ValueError):
    """Two transforms of one pipeline cannot stand side by side."""

    what: str
    first: str
    second: str

    def __str__(self) -> str:
        return f"{self.what}: {self.first} and {self.second}. Rename one output or register only one of them."


@dataclass(eq=False, repr=False)
class SourceError(TransformsError, ValueError):
    """A source, or one of its secrets, is not configured. Never carries a secret."""

    source: str
    what: str

    def __str__(self) -> str:
        return f"Source '{self.source}': {self.what}."
