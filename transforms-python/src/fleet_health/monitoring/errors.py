"""What can be wrong with metric and runbook definitions."""

from __future__ import annotations

from fleet_health.definition_errors import DefinitionError


class MetricDefinitionError(DefinitionError):
    """A metric that nobody could act on: no reason, no owner, no runbook, no escalation; or a broken file."""
