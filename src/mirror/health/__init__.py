"""What is watched: alerts with an owner and a next step, and how fresh, full and sound each dataset is.

Quality alerts (data, models, the pipeline itself) and equipment alerts (a machine) are two kinds that never mix: they
have different owners, channels and runbooks, and a page for one must not drown in the other. What is shown comes from
the datasets that the pipeline writes; this room knows no profile and no guest.
"""

from mirror.health.alerts import SEVERITIES, AlertBook, EquipmentAlert, QualityAlert, read_alerts
from mirror.health.branches import require_branch
from mirror.health.condition import Condition, read_conditions
from mirror.health.errors import AlertColumnsError, HealthError, UnusedBranchError

__all__ = [
    "SEVERITIES",
    "AlertBook",
    "AlertColumnsError",
    "Condition",
    "EquipmentAlert",
    "HealthError",
    "QualityAlert",
    "UnusedBranchError",
    "read_alerts",
    "read_conditions",
    "require_branch",
]
