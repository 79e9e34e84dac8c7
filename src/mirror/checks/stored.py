"""A stored view as something to be checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from mirror.checks.sensitivity import sensitive_columns
from mirror.checks.subject import CheckSubject
from mirror.checks.suggest_history import Commit
from mirror.datasets import Dataset, DatasetStore, TransactionStatus, TransactionType
from mirror.datasets.records import StoredSchema, View, is_hidden
from transforms.ports import FileEntry

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def stored_subject(
    spark: SparkSession,
    view: View,
    references: Mapping[str, CheckSubject] | None = None,
    *,
    sensitive: Iterable[str] = (),
) -> CheckSubject:
    """The rows of a view; without a schema (raw files, no data) every column check is an ERROR that says so.

    ``sensitive``: columns whose values stay out of results, besides those that their writer marked.
    """
    return subject_of(spark, view.dataset.path, view.branch, view.entries, view.schema, references, sensitive)


def subject_of(
    spark: SparkSession,
    path: str,
    branch: str,
    files: Sequence[FileEntry],
    stored: StoredSchema | None,
    references: Mapping[str, CheckSubject] | None = None,
    sensitive: Iterable[str] = (),
) -> CheckSubject:
    """:func:`stored_subject` of some files of a dataset, committed or not."""
    from mirror.datasets.frames import read_frame, spark_schema

    return CheckSubject(
        name=path,
        schema=None if stored is None else spark_schema(stored),
        frame=lambda: read_frame(spark, path, branch, files, stored),
        files=speaking(files, stored),
        references=references or {},
        sensitive=sensitive_columns(stored, sensitive),
        part=lambda some: read_frame(spark, path, branch, some, stored),
        outside=frozenset() if stored is None else frozenset(stored.path_columns),
    )


def speaking(files: Sequence[FileEntry], stored: StoredSchema | None) -> Sequence[FileEntry]:
    """The files whose footers, or rows part by part, may speak for the dataset; none without a schema.

    Of columns that come from paths footers say nothing, see :attr:`CheckSubject.outside`.
    """
    return [f for f in files if not is_hidden(f.path)] if stored is not None else ()


def commits_of(store: DatasetStore, dataset: Dataset, branch: str) -> list[Commit]:
    """The committed transactions that brought data, oldest first; retention and other deletes brought none."""
    found = []
    for transaction, counts in store.history_with_counts(dataset, branch):
        brought = transaction.status is TransactionStatus.COMMITTED and transaction.type is not TransactionType.DELETE
        if brought and transaction.closed_at is not None and counts["files"]:
            whole = counts["rows"] if transaction.type is TransactionType.SNAPSHOT else None
            found.append(Commit(transaction.closed_at, whole))
    return found
