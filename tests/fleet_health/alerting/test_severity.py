"""Severity: the contract's examples."""

from __future__ import annotations

import pytest

from fleet_health.alerting.severity import acknowledge_minutes, severity_of
from fleet_health.profiles.loader import shipped_profile, shipped_profiles

RULES = shipped_profile("refrigeration").alerting


@pytest.mark.parametrize(
    ("score", "families", "run", "severity"),
    [
        (0.62, 1, 1, "LOW"),
        (0.59, 1, 1, "LOW"),
        (0.62, 2, 1, "MEDIUM"),
        (0.70, 1, 3, "LOW"),
        (0.71, 1, 1, "MEDIUM"),
        (0.90, 1, 1, "MEDIUM"),
        (0.90, 1, 2, "HIGH"),
        (0.95, 3, 2, "HIGH"),
        (0.951, 1, 1, "CRITICAL"),
        (0.85, 1, 5, "MEDIUM"),
    ],
)
def test_contract_examples(score: float, families: int, run: int, severity: str) -> None:
    assert severity_of(score, families, run, RULES) == severity


def test_deadlines_are_the_contract_in_every_profile() -> None:
    for profile in shipped_profiles():
        contract = {"CRITICAL": 30, "HIGH": 120, "MEDIUM": 240, "LOW": 1440}
        declared = [rule.severity for rule in profile.alerting.severities]  # a fleet may use fewer
        assert {s: acknowledge_minutes(s, profile.alerting) for s in declared} == {s: contract[s] for s in declared}
