"""Errors inside a job, and of running one."""

from __future__ import annotations

from dataclasses import dataclass

from transforms.errors._root import TransformsError, listed, nearest


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
            parts.append(f"declared but not accepted by the function: {listed(self.unexpected)}")
        if self.missing:
            parts.append(f"wanted by the function but not declared: {listed(self.missing)}")
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
            f"Store it first: store_dataframe('{self.dataset}', df). Stored: {listed(self.known)}."
        )


@dataclass(eq=False, repr=False)
class RequireIncrementalError(RuntimeUseError):
    """``require_incremental`` was set and this run cannot be incremental."""

    transform: str
    reason: str

    def __str__(self) -> str:
        return f"Transform '{self.transform}' requires an incremental run, which is not possible: {self.reason}."


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
