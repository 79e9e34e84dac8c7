"""Every error of the builds room.

UsageError
|-- PipelineImportError       the repository cannot be imported; names file and line
|-- PipelineObjectError       the entry point is no Pipeline
|-- ProfileRefusedError       the repository's own loader refuses a profile; nothing was copied
|-- CyclicPipelineError       datasets that need each other
|-- TwoProducersError         one dataset, two transforms
|-- UnknownTargetError        names the nearest
|-- FallbackMismatchError     a dataset's branch does not come from where the fallbacks say
|-- WaitingTargetError        an explicit target that cannot be built yet
|-- UnknownTransformError     `mirror preview` of what does not exist
|-- UnboundKindError          a parameter of a kind that nobody here serves
|-- NothingToBackfillError    no backfill of that dataset is declared
|-- OtherFormulasError        what is there was computed with other formulas
|-- ForeignDatasetError       the dataset beside the live one holds something else
|-- SameDatasetError          one transform names a dataset twice, under two names
`-- DeclarationError          what is declared contradicts itself
MirrorError (exit 1: the job failed at run time)
|-- JobFailedError            the transform raised
|-- ChecksFailedError         a FAIL check refused
`-- NotIncrementalError       require_incremental, and it cannot be
    |-- InconsistentProvenanceError
    |-- InputHistoryError     what was read is not in the input's view any more, or its branch was moved back
    `-- BatchInputError       transaction_limit on a view that is not made of appends
"""

from __future__ import annotations

from mirror.errors import ExitCode, MirrorError, UsageError, VerdictError, nearest


class PipelineImportError(UsageError):
    """``args``: entry point, place (``file:line``) or ``None``, error text."""

    def __str__(self) -> str:
        entry, place, text = self.args
        where = f" at {place}" if place else ""
        return (
            f"the pipeline {entry} cannot be imported{where}: {text}. `mirror init` lists everything that is broken;"
            " `mirror build --skip-broken` builds the rest."
        )


class ProfileRefusedError(UsageError):
    """``args``: what the repository's own loader says of the profile: file, line, problem, fix."""

    def __str__(self) -> str:
        return f"{self.args[0]} The profile was not copied."


class PackageNameError(UsageError):
    """``args``: name of a top-level module of the repository, source root."""

    def __str__(self) -> str:
        name, root = self.args
        return (
            f"the repository's module {name!r} in {root} has the name of a package that mirror itself runs on, and"
            " would take its place. Rename it, or keep it outside of the source root."
        )


class PipelineObjectError(UsageError):
    """``args``: entry point, file that declares it, what was found."""

    def __str__(self) -> str:
        return (
            f"{self.args[1]} names {self.args[0]} as the pipeline, which is {self.args[2]};"
            " it must be a transforms.api.Pipeline."
        )


class CyclicPipelineError(UsageError):
    """``args``: the datasets of the cycle, in order (tuple), and the transforms that make them (tuple)."""

    def __str__(self) -> str:
        datasets, transforms = self.args
        circle = " -> ".join([*datasets, datasets[0]])
        return f"the pipeline is cyclic: {circle} (made by {', '.join(transforms)}). Cut one of these inputs."


class TwoProducersError(UsageError):
    """``args``: dataset, first transform, second transform."""

    def __str__(self) -> str:
        return (
            f"dataset {self.args[0]!r} is written by two transforms, {self.args[1]} and {self.args[2]};"
            " give one of them another output."
        )


class UnknownTargetError(UsageError):
    """``args``: target, known outputs (tuple)."""

    def __str__(self) -> str:
        target, known = self.args
        return (
            f"no transform of the pipeline makes {target!r}.{nearest(target, known)}"
            " `mirror build --dry-run` lists what it makes."
        )


class ScopeError(UsageError):
    """``args``: what to ask for instead."""

    def __str__(self) -> str:
        return f"{self.args[0]}."


class NoPathError(UsageError):
    """``args``: source, targets (tuple)."""

    def __str__(self) -> str:
        source, targets = self.args
        return (
            f"nothing leads from {source!r} to {' or '.join(map(repr, targets))} on this branch: no transform between"
            " them reads it, or only through an input pinned to another branch."
        )


class NothingPublishedError(UsageError):
    """``args``: branch, fallbacks (tuple)."""

    def __str__(self) -> str:
        branch, fallbacks = self.args
        where = f"{branch!r}" + (f" or its fallbacks {', '.join(fallbacks)}" if fallbacks else "")
        return f"no JobSpec was published on {where}. Build without --published to publish the repository's."


class FallbackMismatchError(UsageError):
    """``args``: dataset path, branch, why its ancestry does not fit (one clause)."""

    def __str__(self) -> str:
        dataset, branch, why = self.args
        return (
            f"the fallbacks do not fit branch {branch!r} of dataset {dataset!r}: {why}. Name them in the order of that"
            f" ancestry, or make the branch anew (`mirror branches delete {dataset} {branch}`)."
        )


class WaitingTargetError(UsageError):
    """``args``: target, reason."""

    def __str__(self) -> str:
        return f"{self.args[0]!r} cannot be built yet: {self.args[1]}."


class UnknownTransformError(UsageError):
    """``args``: name, known names (tuple)."""

    def __str__(self) -> str:
        name, known = self.args
        return f"no transform {name!r}.{nearest(name, known)} Known: {', '.join(known[:12])}."


class UnboundKindError(UsageError):
    """``args``: transform, parameter, kind."""

    def __str__(self) -> str:
        return (
            f"parameter {self.args[1]!r} of transform {self.args[0]!r} is a {self.args[2]}, which nothing serves"
            " outside Foundry (docs/fidelity.md lists what is served)."
        )


class JobFailedError(MirrorError):
    """``args``: transform, outputs (tuple), place (``file:line``) or ``None``, error type, error text."""

    exit_code = ExitCode.REFUSED

    def __str__(self) -> str:
        transform, outputs, place, kind, text = self.args
        where = f" at {place}" if place else ""
        makes = f" (makes {', '.join(outputs)})" if outputs else ""
        return f"transform {transform!r}{makes} failed{where}: {kind}: {text}"


class ChecksFailedError(VerdictError):
    """``args``: transform, tuple of (dataset, check, detail)."""

    def __str__(self) -> str:
        transform, failed = self.args
        said = "; ".join(f"check {check!r} on {dataset!r}: {detail}" for dataset, check, detail in failed)
        return f"transform {transform!r} was aborted, nothing was committed: {said}"


class SameDatasetError(UsageError):
    """``args``: transform (with its place), dataset, first use, second use (each ``output 'x' ('<alias>')``)."""

    def __str__(self) -> str:
        transform, dataset, first, second = self.args
        return (
            f"transform {transform} names dataset {dataset!r} twice: {first} and {second} are the same dataset by the"
            " alias map. Give one of them another dataset; an incremental transform reads its own output with"
            " output.dataframe('previous')."
        )


class DeclarationError(UsageError):
    """``args``: what is wrong, with file and line."""

    def __str__(self) -> str:
        return str(self.args[0])


class NotIncrementalError(VerdictError):
    """``args``: transform, reason."""

    foundry = ""
    fix = "Raise its semantic_version to rebuild it once from scratch."

    def __str__(self) -> str:
        called = f" In Foundry: {self.foundry}." if self.foundry else ""
        return f"transform {self.args[0]!r} must run incrementally and cannot: {self.args[1]}. {self.fix}{called}"


class InconsistentProvenanceError(NotIncrementalError):
    """As NotIncrementalError: the outputs' last transactions come from different runs or from another writer."""

    foundry = "InconsistentProvenanceRecords"


class InputHistoryError(NotIncrementalError):
    """``args``: transform, reason, Foundry's name. Raised with or without ``require_incremental``."""

    def __str__(self) -> str:
        name, reason, foundry = self.args
        return f"transform {name!r} cannot go on from its last run: {reason}. {self.fix} In Foundry: {foundry}."


class BatchInputError(NotIncrementalError):
    """``args``: transform, reason."""

    foundry = "Build2:InvalidTransactionTypeForBatchInputResolution"

    def __str__(self) -> str:
        return (
            f"transform {self.args[0]!r} cannot take its input in batches: {self.args[1]}; only APPEND transactions"
            f" (the first may be a SNAPSHOT) can be. Remove the limit. In Foundry: {self.foundry}."
        )


class NothingToBackfillError(UsageError):
    """``args``: what was asked for, datasets for which a backfill is declared."""

    def __str__(self) -> str:
        target, known = self.args
        if not known:
            return f"no backfill of {target!r}: the repository declares none in <package>/feature_store/backfills.py."
        listed = ", ".join(known)
        return f"{target!r} does not name one of the declared backfills: {listed}.{nearest(target, known)}"


class OtherFormulasError(UsageError):
    """``args``: dataset of the backfill, formula version of what it holds, formula version of the code."""

    def __str__(self) -> str:
        into, there, now = self.args
        return (
            f"{into} holds chunks of formula version {there}, and the code computes version {now}; rows of both would "
            "not compare. Put the old code back to finish, or begin again with --restart."
        )


class ForeignDatasetError(UsageError):
    """``args``: dataset of the backfill, branch, what is in its way."""

    def __str__(self) -> str:
        into, branch, found = self.args
        return f"{into} on {branch}: {found}. Finish that one with its own days, or begin again with --restart."
