"""Severity: the contract's examples."""

from __future__ import annotations

import pytest

from fleet_health.alerting.severity import acknowledge_minutes, severity_of
from fleet_health.profiles.loader import shipped_profile, shipped_profiles

RULES = shipped_profile("refrigeration").alerting


# score, families that flag, flagged windows in a row, severity
EXAMPLES = [
    (0.62, 1, 1, "LOW"),
    (0.59, 1, 1, "LOW"),
    (0.62, 2, 1, "MEDIUM"),
    (0.70, 1, 3, "LOW"),
    (0.71, 1, 1, "MEDIUM"),
    (0.90, 1, 1, "MEDIUM"),
    (0.90, 1, 2, "HIGH"),
    (0.95, 3, 2, "HIGH"),
    (0.951, 1, 1, "CRITICAL"),
]


@pytest.mark.case("SRV-HP-02")
def test_contract_examples() -> None:
    assert [severity_of(score, families, run, RULES) for score, families, run, _ in EXAMPLES] == [
        severity for *_, severity in EXAMPLES
    ]


@pytest.mark.case("SRV-EC-02")
def test_a_limit_belongs_to_the_band_below() -> None:
    assert severity_of(0.85, 1, 5, RULES) == "MEDIUM"
    assert [severity_of(0.850001, 1, run, RULES) for run in (1, 2)] == ["MEDIUM", "HIGH"]
    assert severity_of(0.95, 1, 2, RULES) == "HIGH"
    assert severity_of(0.950001, 1, 1, RULES) == "CRITICAL"


@pytest.mark.case("SRV-HP-05")
def test_deadlines_are_the_contract_in_every_profile() -> None:
    contract = {"CRITICAL": 30, "HIGH": 120, "MEDIUM": 240, "LOW": 1440}
    assert {severity: acknowledge_minutes(severity, RULES) for severity in contract} == contract
    for profile in shipped_profiles():
        declared = [rule.severity for rule in profile.alerting.severities]  # a fleet may use fewer
        assert {s: acknowledge_minutes(s, profile.alerting) for s in declared} == {s: contract[s] for s in declared}
