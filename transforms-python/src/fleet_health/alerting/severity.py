"""How urgent a flagged window is: the first rule of the profile that holds."""

from __future__ import annotations

from fleet_health.contracts.alerts import SEVERITIES
from fleet_health.profiles.model import Alerting


def severity_of(max_score: float, families_flagging: int, consecutive_flagged: int, rules: Alerting) -> str:
    """The severity of one flagged window.

    Args:
        max_score: highest score over the released models for device, length and window.
        families_flagging: different model families that flag it.
        consecutive_flagged: closed windows in a row, ending here, that are flagged; a missing window breaks the row.
        rules: ranked; a score limit is exclusive, so a score equal to it belongs to the band below. An enabled guard
            lowers the severity it names where neither families nor windows agree.
    """
    guard = rules.guard
    for rule in rules.severities:
        by_score = (rule.above is None or max_score > rule.above) and consecutive_flagged >= rule.sustained_windows
        if by_score or (rule.or_families is not None and families_flagging >= rule.or_families):
            if guard is not None and guard.enabled and rule.severity == guard.severity:
                agreed = families_flagging >= guard.families or consecutive_flagged >= guard.or_sustained_windows
                return rule.severity if agreed else guard.otherwise
            return rule.severity
    return rules.severities[-1].severity


def rank(severity: str) -> int:
    """0 for LOW to 3 for CRITICAL."""
    return SEVERITIES.index(severity)


def acknowledge_minutes(severity: str, rules: Alerting) -> int:
    return next(rule.acknowledge_minutes for rule in rules.severities if rule.severity == severity)
