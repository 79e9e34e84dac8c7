"""What must hold: expectations compiled to metrics, planned together, judged, shown with the rows that break them."""

from mirror.checks.evaluation import evaluate, explain
from mirror.checks.result import ERROR, FAIL, PASS, CheckResult, Part
from mirror.checks.states import StateStore, StateUnit
from mirror.checks.subject import CheckSubject

__all__ = [
    "ERROR",
    "FAIL",
    "PASS",
    "CheckResult",
    "CheckSubject",
    "Part",
    "StateStore",
    "StateUnit",
    "evaluate",
    "explain",
]
