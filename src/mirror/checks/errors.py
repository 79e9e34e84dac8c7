"""What can go wrong between an expectation and its verdict.

CheckError (MirrorError)
|-- NotComputable (VerdictError)      one check has no verdict: outcome ERROR, its neighbours still report
|   |-- ColumnMissingError            the column is not there
|   |-- ColumnTypeError               the column's type cannot meet what is asked of it
|   |-- PatternError                  Spark cannot compile the regular expression
|   |-- ZonelessTimestampError        a timestamp without a zone is compared with an instant
|   |-- UnknownTypeError              what was given as a type is none
|   |-- ReferenceMissingError         ``E.dataset_ref`` names no dataset of the transform, or one without data
|   |-- NoSchemaError                 the dataset holds raw files
|   |-- SwappedRangeError             no value can lie between the two ends demanded
|   |-- MixedLevelsError              a conditional mixes row and dataset expectations
|   |-- NotAnExpectationError         the check holds something that is no finished expectation
|   `-- OverflowedError               a sum left the range of its type
`-- DuplicateCheckError (UsageError)  two checks of one dataset share a name
"""

from __future__ import annotations

from typing import ClassVar

from mirror.errors import MirrorError, UsageError, VerdictError, nearest


class CheckError(MirrorError):
    """Root of the room's errors."""


class NotComputable(CheckError, VerdictError):  # noqa: N818 - an outcome, named as the outcome
    """A check that can be neither passed nor failed; ``reason`` is its machine-readable name."""

    reason: ClassVar[str] = "not_computable"


class ColumnMissingError(NotComputable):
    """Args: dataset, column, the columns there are."""

    reason = "missing_column"

    def __str__(self) -> str:
        dataset, column, known = self.args
        return f"{dataset} has no column {column!r}.{nearest(column, known) or f' Its columns: {_some(known)}.'}"


class ColumnTypeError(NotComputable):
    """Args: dataset, what was looked at, its type, what was asked of it, the way out."""

    reason = "wrong_type"

    def __str__(self) -> str:
        dataset, column, found, asked, way_out = self.args
        return f"{column} of {dataset} has type {found}, which does not go with {asked}: {way_out}"


class PatternError(NotComputable):
    """Args: dataset, column, pattern, what Java's compiler says."""

    reason = "bad_pattern"

    def __str__(self) -> str:
        dataset, column, pattern, message = self.args
        return f"The regular expression {pattern!r} for {column} of {dataset} does not compile: {message}"


class ZonelessTimestampError(NotComputable):
    """Args: dataset, column, the timestamp as written."""

    reason = "timestamp_without_zone"

    def __str__(self) -> str:
        dataset, column, written = self.args
        return (
            f"{written!r}, compared with {column} of {dataset}, has no time zone; "
            f"write e.g. '{written}+00:00' or datetime(..., tzinfo=timezone.utc)."
        )


class UnknownTypeError(NotComputable):
    """Args: dataset, column, what was given as a type."""

    reason = "unknown_type"

    def __str__(self) -> str:
        dataset, column, given = self.args
        return f"{given!r}, expected of {column} of {dataset}, is no Spark or Polars type; write e.g. T.LongType()."


class ReferenceMissingError(NotComputable):
    """Args: dataset, the reference's name, the names there are, what is missing ('' when the name is unknown)."""

    reason = "missing_reference"

    def __str__(self) -> str:
        dataset, name, known, missing = self.args
        if missing:
            return f"E.dataset_ref({name!r}), used by a check of {dataset}, {missing}."
        return (
            f"E.dataset_ref({name!r}), used by a check of {dataset}, is no dataset of the same transform."
            f"{nearest(name, known) or f' Its parameters: {_some(known)}.'}"
        )


class NoSchemaError(NotComputable):
    """Args: dataset."""

    reason = "no_schema"

    def __str__(self) -> str:
        return f"{self.args[0]} has no schema (raw files or no data); only datasets with columns can be checked."


class SwappedRangeError(NotComputable):
    """Args: dataset, what is compared, the lower end, the upper end."""

    reason = "swapped_range"

    def __str__(self) -> str:
        dataset, subject, low, high = self.args
        return f"{subject} of {dataset} is to be {low} and {high}, which nothing is; swap the ends."


class MixedLevelsError(NotComputable):
    """Args: dataset, the expectation."""

    reason = "mixed_levels"

    def __str__(self) -> str:
        dataset, expectation = self.args
        return (
            f"{expectation} on {dataset} mixes expectations judged by row with one judged for the whole dataset; "
            f"split them into several checks."
        )


class NotAnExpectationError(NotComputable):
    """Args: dataset, what the check holds."""

    reason = "not_an_expectation"

    def __str__(self) -> str:
        dataset, found = self.args
        return f"A check of {dataset} holds {found}, which is no finished expectation of transforms.expectations."


class OverflowedError(NotComputable):
    """Args: dataset, the sum, its type."""

    reason = "overflow"

    def __str__(self) -> str:
        dataset, column, found = self.args
        return f"{column} of {dataset} does not fit its type {found}; cast the column to double first."


class DuplicateCheckError(CheckError, UsageError):
    """Args: dataset, the name used twice."""

    def __str__(self) -> str:
        dataset, name = self.args
        return f"{dataset} has two checks named {name!r}; a check is its name, so give each its own."


def _some(names: tuple[str, ...], most: int = 12) -> str:
    listed = ", ".join(sorted(names)[:most])
    return (listed or "none") + (f", ... ({len(names)} in all)" if len(names) > most else "")
