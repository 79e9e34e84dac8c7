"""What the catalog says about datasets, checks and models, as lines of the report."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from mirror.builds import check_history, latest_of
from mirror.checks.result import CheckResult
from mirror.datasets import DatasetStore, Workspace
from mirror.models import tables as models
from mirror.report.snapshot import CheckLine, DatasetLine, ModelLine, verdict_status

SHOWN_VERDICTS = 30
"""Of one check, over time."""


def dataset_lines(store: DatasetStore, branch: str, produced: Collection[str] | None) -> tuple[DatasetLine, ...]:
    """One line per dataset, ordered by path. ``produced`` are the paths that transforms write, ``None`` if unknown."""
    lines = []
    for dataset in store.datasets():
        wrote = None if produced is None else dataset.path in produced
        if store.resolve_branch(dataset, branch) is None:
            lines.append(DatasetLine(dataset.path, None, 0, 0, 0, produced=wrote))
            continue
        view = store.view(dataset, branch)
        counts = [file.rows for file in view.files if not file.hidden]
        known = [count for count in counts if count is not None]
        newest = view.transactions[-1] if view.transactions else None
        lines.append(
            DatasetLine(
                path=dataset.path,
                rows=sum(known) if newest is not None and len(known) == len(counts) else None,
                files=len(counts),
                size=view.size,
                transactions=len(view.transactions),
                transaction=newest.rid if newest else None,
                kind=newest.type.value if newest else None,
                committed_at=newest.closed_at if newest else None,
                produced=wrote,
            )
        )
    return tuple(lines)


def check_lines(workspace: Workspace, branch: str) -> tuple[CheckLine, ...]:
    """The newest result of every check that still exists on the branch, and what came before; by dataset and name."""
    recorded = check_history(workspace, branch=branch)
    history: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for entry in recorded:
        history.setdefault((entry["dataset"], entry["name"]), []).append(entry)
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in sorted(latest_of(recorded), key=itemgetter("evaluated_at")):
        newest[entry["dataset"], entry["name"]] = entry
    return tuple(_check(entry, history[key]) for key, entry in sorted(newest.items()))


def _check(newest: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> CheckLine:
    result = CheckResult.from_json(newest["result"])
    return CheckLine(
        dataset=newest["dataset"],
        name=result.name,
        expectation=result.expectation,
        outcome=result.outcome,
        on_error=result.on_error,
        detail=result.detail,
        checked_at=newest["evaluated_at"],
        offending=tuple(tuple((key, _short(value)) for key, value in row.items()) for row in result.offending),
        past=tuple(
            (verdict_status(one["outcome"], one["on_error"]), one["evaluated_at"])
            for one in reversed(entries[:SHOWN_VERDICTS])
        ),
    )


def model_lines(workspace: Workspace, branch: str) -> tuple[ModelLine, ...]:
    """Every version published on the branch or released anywhere, newest first within its model."""
    workspace.catalog.ensure(*models.ALL)
    versions, releases = models.versions, models.releases
    with workspace.catalog.reading() as connection:
        serving: dict[str, list[str]] = {}
        newest: dict[tuple[str, str], str] = {}
        for row in connection.execute(sa.select(releases).order_by(releases.c.number)).mappings():
            newest[(row["model_rid"], row["environment"])] = row["version_rid"]
        for (_, environment), version in sorted(newest.items()):
            serving.setdefault(version, []).append(environment)
        query = sa.select(models.models.c.path, versions).join(versions, versions.c.model_rid == models.models.c.rid)
        rows = connection.execute(query.order_by(models.models.c.path, versions.c.sequence.desc())).mappings().all()
    return tuple(
        ModelLine(
            model=row["path"],
            version=row["semantic"],
            created_at=row["created_at"],
            released=tuple(sorted(serving.get(row["rid"], ()), reverse=True)),
            facts=_facts(row["facts"]),
        )
        for row in rows
        if row["branch"] == branch or row["rid"] in serving
    )


def _facts(facts: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What fits into a table cell: numbers and short texts."""
    plain = {key: value for key, value in sorted(facts.items()) if isinstance(value, int | float | str)}
    return tuple((key, text) for key, value in plain.items() if len(text := _short(value)) <= 24)


def _short(value: Any) -> str:
    if value is None:
        return "null"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
