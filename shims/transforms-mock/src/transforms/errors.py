"""Every error this package raises on purpose.

    TransformsError                      facts as fields, one text rendered from them
    |-- DeclarationError                 a decorator or spec was misused; names file and line
    |   |-- UnknownArgumentError         (TypeError) a keyword that Foundry does not have
    |   |-- TransformTypeError           (TypeError) a decorator on, or an argument of, the wrong kind
    |   |-- TransformKeyError            (KeyError) ``snapshot_inputs`` names no input
    |   `-- TransformValueError          (ValueError) the kind is right, the value is not
    |-- UnknownNameError                 (ImportError) and UnknownAttributeError (AttributeError): no such name in
    Foundry |-- NotAvailableError                (NotImplementedError) Foundry has it, this environment cannot honour it
    |-- EntryPointError                  no ``transforms.pipelines`` entry point
    |-- PipelineError                    (ValueError) two transforms claim the same output or reference
    |-- BindingError                     (TypeError) a compute function and its declared parameters do not fit
    |-- ReturnTypeError                  (TypeError) a compute function returned something that is no frame
    |-- SourceError                      (ValueError) a source or secret is not configured
    |-- UnionError                       (ValueError) frames that ``union_many`` cannot put together
    `-- RuntimeUseError                  a dataset object was used against its rules, inside a job
        |-- WriteModeError               (ValueError), ModeAfterWriteError, WrittenTwiceError, ReadOnlyError
        |-- ReadModeError, PreviousWithoutSchemaError (ValueError), SchemaMismatchError
        |-- WriteArgumentError           (ValueError), FrameTypeError (TypeError)
        |-- NoSchemaError, PathError     (ValueError) no rows, or no such place, in a dataset
        |-- MediaItemError               (KeyError) no such item in a media set
        |-- DatasetNotFoundError         (KeyError), RequireIncrementalError: in ``transforms.verbs.testing``
        `-- DriverOnlyError              a Spark frame was asked for on a worker

Each subclass of a builtin error also is what Foundry documents for that case. All of them pickle: facts are the
arguments. The ``Lightweight*`` errors of single-node transforms close the page.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, fields


def nearest(name: str, known: Iterable[str]) -> str:
    """``" Did you mean 'x'?"`` for the known name closest to ``name``, or an empty string."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if not close:
        folded = {n.replace("_", "").lower(): n for n in names}
        close = [folded[k] for k in difflib.get_close_matches(name.replace("_", "").lower(), folded, n=1, cutoff=0.6)]
    return f" Did you mean '{close[0]}'?" if close else ""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


class TransformsError(Exception):
    """Root of all deliberate errors of this package."""

    def __post_init__(self) -> None:
        Exception.__init__(self, *(getattr(self, f.name) for f in fields(self)))  # type: ignore[arg-type]


class DeclarationError(TransformsError):
    """A decorator or a spec was misused; raised while the module is imported, with file and line."""


@dataclass(eq=False, repr=False)
class UnknownArgumentError(DeclarationError, TypeError):
    """A keyword argument that the function does not have in Foundry."""

    owner: str
    argument: str
    known: tuple[str, ...]
    where: str

    def __str__(self) -> str:
        hint = nearest(self.argument, self.known)
        return f"{self.where}: {self.owner} has no argument '{self.argument}'.{hint} It takes: {', '.join(self.known)}."


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
            f"{nearest(self.name, self.known)} Its inputs: {_listed(self.known)}."
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
class BindingError(TransformsError, TypeError):
    """A compute function cannot take the parameters that its decorator declares."""

    transform: str
    where: str
    declared: tuple[str, ...]
    accepted: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]

    def __str__(self) -> str:
        parts = []
        if self.unexpected:
            parts.append(f"declared but not accepted by the function: {_listed(self.unexpected)}")
        if self.missing:
            parts.append(f"wanted by the function but not declared: {_listed(self.missing)}")
        return (
            f"{self.where}: transform '{self.transform}' declares [{', '.join(self.declared)}] but its function "
            f"takes [{', '.join(self.accepted)}]; {'; '.join(parts)}."
        )


@dataclass(eq=False, repr=False)
class ReturnTypeError(TransformsError, TypeError):
    """A frame-returning transform returned something else."""

    transform: str
    where: str
    expected: str
    got: str

    def __str__(self) -> str:
        hint = " Did you forget the return statement?" if self.got == "NoneType" else ""
        return f"{self.where}: transform '{self.transform}' must return a {self.expected}, got {self.got}.{hint}"


class RuntimeUseError(TransformsError):
    """A dataset object was used against its rules; the job aborts and nothing is committed."""


@dataclass(eq=False, repr=False)
class WriteModeError(RuntimeUseError, ValueError):
    """``set_mode`` got a mode that does not exist."""

    dataset: str
    mode: object
    known: tuple[str, ...]

    def __str__(self) -> str:
        hint = nearest(str(self.mode), self.known)
        return f"Output '{self.dataset}' has no write mode {self.mode!r}.{hint} Known: {', '.join(self.known)}."


@dataclass(eq=False, repr=False)
class ModeAfterWriteError(RuntimeUseError, ValueError):
    """``set_mode`` was called when the output already held data of this job."""

    dataset: str
    mode: str

    def __str__(self) -> str:
        return (
            f"set_mode('{self.mode}') came after data was written to '{self.dataset}'; call it before the first write."
        )


@dataclass(eq=False, repr=False)
class WrittenTwiceError(RuntimeUseError, ValueError):
    """A second frame was written to one output in the same job."""

    dataset: str

    def __str__(self) -> str:
        return (
            f"'{self.dataset}' was already written in this job. One job writes one frame per output: union the frames "
            f"(transforms.verbs.dataframes.union_many) and write once."
        )


@dataclass(eq=False, repr=False)
class ReadOnlyError(RuntimeUseError, PermissionError):
    """A file of an input was opened for writing."""

    dataset: str
    path: str
    mode: str

    def __str__(self) -> str:
        return f"'{self.dataset}' is read-only; cannot open '{self.path}' with mode '{self.mode}'. Write to an output."


@dataclass(eq=False, repr=False)
class ReadModeError(RuntimeUseError, ValueError):
    """A read mode that Foundry does not support on this object."""

    dataset: str
    mode: object
    known: tuple[str, ...]

    def __str__(self) -> str:
        hint = nearest(str(self.mode), self.known)
        return f"'{self.dataset}' cannot be read in mode {self.mode!r}.{hint} Known: {', '.join(self.known)}."


@dataclass(eq=False, repr=False)
class PreviousWithoutSchemaError(RuntimeUseError, ValueError):
    """The previous output was read where there is none, and no schema says what an empty one looks like."""

    dataset: str

    def __str__(self) -> str:
        return (
            f"'{self.dataset}' has no previous content in this run, so dataframe('previous') needs the schema of the "
            f"empty frame: dataframe('previous', schema=...)."
        )


@dataclass(eq=False, repr=False)
class SchemaMismatchError(RuntimeUseError, ValueError):
    """The schema given for the previous output differs from the stored one."""

    dataset: str
    given: str
    stored: str
    difference: str

    def __str__(self) -> str:
        return (
            f"The schema given for '{self.dataset}' does not match the stored one: {self.difference}. "
            f"Given {self.given}; stored {self.stored}. Stored columns are always nullable."
        )


@dataclass(eq=False, repr=False)
class WriteArgumentError(RuntimeUseError, ValueError):
    """An argument of a write cannot be met."""

    dataset: str
    what: str

    def __str__(self) -> str:
        return f"Cannot write '{self.dataset}': {self.what}"


@dataclass(eq=False, repr=False)
class FrameTypeError(RuntimeUseError, TypeError):
    """A write got something that is no frame of the kind it takes."""

    dataset: str
    method: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.method} of '{self.dataset}' takes a {self.expected}, got {self.got}."


@dataclass(eq=False, repr=False)
class NoSchemaError(RuntimeUseError, ValueError):
    """Rows were asked for where there are only files, or nothing yet."""

    dataset: str

    def __str__(self) -> str:
        return f"'{self.dataset}' has no schema, so it has no rows to read; its files open with filesystem().open(...)."


@dataclass(eq=False, repr=False)
class PathError(RuntimeUseError, ValueError):
    """A logical path leaves the dataset or names nothing."""

    dataset: str
    path: str

    def __str__(self) -> str:
        return f"'{self.path}' is no path inside '{self.dataset}': it must be relative and may not contain '..'."


@dataclass(eq=False, repr=False)
class DatasetNotFoundError(RuntimeUseError, KeyError):
    """A test's datastore holds no such dataset."""

    dataset: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        hint = nearest(self.dataset, self.known)
        return (
            f"The datastore holds no '{self.dataset}' and no transform of the pipeline writes it.{hint} "
            f"Store it first: store_dataframe('{self.dataset}', df). Stored: {_listed(self.known)}."
        )


@dataclass(eq=False, repr=False)
class RequireIncrementalError(RuntimeUseError):
    """``require_incremental`` was set and this run cannot be incremental."""

    transform: str
    reason: str

    def __str__(self) -> str:
        return f"Transform '{self.transform}' requires an incremental run, which is not possible: {self.reason}."


@dataclass(eq=False, repr=False)
class SourceError(TransformsError, ValueError):
    """A source, or one of its secrets, is not configured. Never carries a secret."""

    source: str
    what: str

    def __str__(self) -> str:
        return f"Source '{self.source}': {self.what}."


@dataclass(eq=False, repr=False)
class MediaItemError(RuntimeUseError, KeyError):
    """A media set has no such item."""

    media_set: str
    item: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        return f"Media set '{self.media_set}' has no item '{self.item}'.{nearest(self.item, self.known)}"


@dataclass(eq=False, repr=False)
class UnionError(TransformsError, ValueError):
    """Frames that cannot be put together."""

    what: str

    def __str__(self) -> str:
        return f"union_many: {self.what}"


@dataclass(eq=False, repr=False)
class DriverOnlyError(RuntimeUseError, RuntimeError):
    """Spark itself was needed where there is only a Python worker."""

    dataset: str
    method: str

    def __str__(self) -> str:
        return (
            f"{self.method} of '{self.dataset}' was called where there is no Spark session (a Python worker or a unit "
            f"test). Workers may use filesystem().open(...) and ls(...); frames are made on the driver."
        )


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
