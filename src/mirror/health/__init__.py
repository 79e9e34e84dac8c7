"""What is watched: alerts with an owner and a next step, and how fresh, full and sound each dataset is.

Quality alerts (data, models, the pipeline itself) and equipment alerts (a machine) are two kinds that never mix: they
have different owners, channels and runbooks, and a page for one must not drown in the other. What is shown comes from
the datasets that the pipeline writes; this room knows no profile and no guest.

Health checks (``health/checks/*.yaml`` of the repository) are the third kind: what a dataset, job or schedule is held
to from outside. :mod:`mirror.health.check_files` reads them, :mod:`mirror.health.monitor` evaluates them,
:mod:`mirror.health.reports` keeps what they said. They are not imported here: alerts need neither pydantic nor Spark.
"""

from mirror.health.alert_book import AlertBook, EquipmentAlert, QualityAlert
from mirror.health.alerts import read_alerts
from mirror.health.branches import require_branch
from mirror.health.condition import Condition, read_conditions
from mirror.health.errors import (
    AlertColumnsError,
    AlertsRefusedError,
    HealthCheckFileError,
    HealthError,
    UnknownHealthCheckError,
    UnusedBranchError,
)
from mirror.health.routing import SEVERITIES

__all__ = [
    "SEVERITIES",
    "AlertBook",
    "AlertColumnsError",
    "AlertsRefusedError",
    "Condition",
    "EquipmentAlert",
    "HealthCheckFileError",
    "HealthError",
    "QualityAlert",
    "UnknownHealthCheckError",
    "UnusedBranchError",
    "read_alerts",
    "read_conditions",
    "require_branch",
]
