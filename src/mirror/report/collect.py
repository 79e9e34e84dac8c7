"""Reads a workspace into a snapshot. No Spark session: catalog tables, and small Parquet columns through Arrow."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mirror.builds.discovery import published_specs
from mirror.datasets import Workspace
from mirror.health import AlertBook, AlertsRefusedError, read_alerts, require_branch
from mirror.health.delivery import alert_states
from mirror.health.routing_file import load_routing, shipped_routing
from mirror.report.catalog import check_lines, dataset_lines, model_lines
from mirror.report.fleet_data import FleetData
from mirror.report.fleets import fleet_sections
from mirror.report.health import health_lines
from mirror.report.lineage import edges_of, models_of
from mirror.report.parts import Panel
from mirror.report.runbooks import runbooks_of
from mirror.report.sections import panels
from mirror.report.snapshot import DatasetLine, FleetSection, ReportSnapshot


def collect(workspace: Workspace, branch: str | None = None, *, name: str | None = None) -> ReportSnapshot:
    """What there is on ``branch`` (the workspace's default when not given). Fallback branches are not looked through.

    Args:
        name: what the page calls the workspace; the repository's folder name when not given.

    Raises:
        UnusedBranchError: no dataset has the branch.
    """
    branch = require_branch(workspace.store, branch or workspace.config.default_branch)
    specs = published_specs(workspace, branch)
    edges = edges_of(specs)
    lines = dataset_lines(workspace.store, branch, {edge.target for edge in edges} if specs else None)
    notes = (
        [] if specs or not lines else [f"No build has published its transforms on {branch} yet: no lineage is known."]
    )
    alerts, routing = AlertBook(), shipped_routing()
    try:
        routing = load_routing(workspace.config.repository)
        alerts = read_alerts(workspace.store, branch, routing=routing)
    except AlertsRefusedError as error:  # `mirror alerts` refuses; a page about everything else must still open
        notes.append(f"No alert is shown: {error}")
    as_of = max((line.committed_at for line in lines if line.committed_at is not None), default=None)
    fleets = fleet_sections(workspace.store, branch, lines, edges, alerts)
    return ReportSnapshot(
        workspace=name or workspace.config.repository.name,
        branch=branch,
        as_of=as_of,
        datasets=lines,
        edges=edges,
        model_paths=models_of(specs),
        checks=check_lines(workspace, branch),
        health=health_lines(workspace, branch),
        fleets=fleets,
        models=model_lines(workspace, branch),
        panels=_panels(workspace, branch, lines, fleets, as_of),
        told=tuple((name, state.words) for name, state in alert_states(workspace, branch).items()),
        runbooks=runbooks_of(fleets, routing, workspace.config.repository),
        notes=tuple(notes),
    )


def _panels(
    workspace: Workspace,
    branch: str,
    lines: Sequence[DatasetLine],
    fleets: Sequence[FleetSection],
    as_of: datetime | None,
) -> tuple[Panel, ...]:
    found: list[Panel] = []
    if as_of is None:
        return ()
    for fleet in fleets:
        mine = [line for line in lines if line.fleet == fleet.prefix and line.transaction is not None]
        views = {line.name: workspace.store.view(workspace.store.dataset(line.path), branch) for line in mine}
        found += panels(FleetData(workspace, branch, fleet.prefix, views, as_of, fleet.alerts))
    return tuple(found)
