"""Every pass that is taken, from landing to alerts; a new measure is added to the pass over its dataset."""

from __future__ import annotations

from fleet_health.monitoring import passes_of_alerts, passes_of_data, passes_of_drift, passes_of_models
from fleet_health.monitoring.measured import Pass

PASSES: tuple[Pass, ...] = (
    *passes_of_data.PASSES,
    *passes_of_drift.PASSES,
    *passes_of_models.PASSES,
    *passes_of_alerts.PASSES,
)
MEASURES: tuple[str, ...] = tuple(name for one in PASSES for name in one.measures)
DATASETS: tuple[str, ...] = tuple(sorted({name for one in PASSES for name in one.needs}))


def pass_of(measure: str) -> Pass:
    """The pass that gives a measure."""
    return next(one for one in PASSES if measure in one.measures)
