"""Checks of one job: pre-conditions on what it reads, post-conditions on what it has staged."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mirror.builds.report import CheckEntry
from mirror.datasets.catalog import Catalog
from mirror.datasets.output_port import DatasetWritePort
from mirror.datasets.ports import DatasetReadPort, Selection

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from mirror.checks import CheckSubject
    from mirror.datasets import Workspace

Port = DatasetReadPort | DatasetWritePort


def evaluate_checks(
    side: str,
    params: Mapping[str, Any],
    ports: Mapping[str, Sequence[Port]],
    spark: Callable[[], SparkSession],
    now: datetime,
    workspace: Workspace,
) -> list[CheckEntry]:
    """The verdicts of all checks on one side of a job. Without checks nothing is read and Spark is not asked for.

    Args:
        side: ``input`` or ``output``.
        params: parameter name -> live declaration of that side.
        ports: parameter name -> ports of the whole job; the others are what ``E.dataset_ref`` refers to.
        workspace: keeps metric states, so that files judged before are not read again, and says what is sensitive.
    """
    checked = {name: param for name, param in params.items() if getattr(param, "checks", ()) and ports.get(name)}
    if not checked:
        return []
    from mirror.checks import evaluate
    from mirror.checks.state_tables import CatalogStates

    session, states = spark(), CatalogStates(workspace.catalog)
    sensitive = workspace.config.sensitive
    subjects = {name: _subject(session, found[0], sensitive) for name, found in ports.items() if found}
    entries = []
    for name, param in checked.items():
        port = ports[name][0]
        if isinstance(port, DatasetWritePort) and port.aborted:
            continue
        others = {other: subject for other, subject in subjects.items() if other != name}
        subject = _subject(session, port, sensitive, others)
        for result in evaluate(param.checks, subject, spark=session, now=now, states=states):
            entries.append(
                CheckEntry(name, port.path, side, result.name, result.on_error, result.outcome, result.to_json())
            )
    return entries


def keep_footers(ports: Iterable[Port], catalog: Catalog) -> None:
    """Collects what the footers of staged files say, so that no later check or health check opens them for it.

    Only where Spark's types are in the process already: a job that needs no Spark does not pay for them.
    """
    if "pyspark" not in sys.modules:
        return
    from mirror.checks.known_footers import known_footers
    from mirror.checks.state_tables import CatalogStates
    from mirror.checks.stored import speaking
    from mirror.checks.subject import without
    from mirror.datasets.frames import spark_schema

    states = CatalogStates(catalog)
    for port in ports:
        if isinstance(port, DatasetWritePort) and not port.aborted:
            stored = port.outcome().schema
            if stored is not None:
                files = speaking(port.selection("added").files, stored)
                known_footers(port.path, files, without(spark_schema(stored), stored.path_columns), states)


def _subject(
    spark: SparkSession,
    port: Port,
    sensitive: Mapping[str, frozenset[str]],
    references: Mapping[str, CheckSubject] | None = None,
) -> CheckSubject:
    from mirror.checks.stored import subject_of

    selection: Selection = (
        port.outcome() if isinstance(port, DatasetWritePort) else port.selections["current"]
    )  # fmt: skip
    hidden = sensitive.get(port.path, ())
    return subject_of(spark, port.path, port.branch, selection.files, selection.schema, references, hidden)


def blocking(entries: Sequence[CheckEntry]) -> tuple[tuple[str, str, str], ...]:
    """Dataset, check and detail of every verdict that forbids the commit."""
    return tuple(
        (entry.dataset, entry.name, str(entry.document.get("detail", entry.outcome)))
        for entry in entries
        if entry.on_error == "FAIL" and not entry.passed
    )
