"""A stored view as something to be checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mirror.checks.subject import CheckSubject
from mirror.datasets.records import View

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def stored_subject(
    spark: SparkSession, view: View, references: Mapping[str, CheckSubject] | None = None
) -> CheckSubject:
    """The rows of a view; without a schema (raw files, no data) every column check is an ERROR that says so."""
    from mirror.datasets.frames import read_frame, spark_schema

    stored, path, branch = view.schema, view.dataset.path, view.branch
    visible = [file for file in view.entries if not file.path.rsplit("/", 1)[-1].startswith((".", "_"))]
    return CheckSubject(
        name=path,
        schema=None if stored is None else spark_schema(stored),
        frame=lambda: read_frame(spark, path, branch, view.entries, stored),
        # columns that come from paths are not in the files, so neither footers nor parts may speak for them
        files=visible if stored is not None and not stored.path_columns else (),
        references=references or {},
        part=lambda files: read_frame(spark, path, branch, files, stored),
    )
