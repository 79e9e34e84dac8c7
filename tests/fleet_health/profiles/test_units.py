"""Units: known conversions give known numbers, unknown ones give nothing."""

from __future__ import annotations

import pytest

from fleet_health.profiles.units import conversion, sources_for


@pytest.mark.parametrize(
    ("source", "stored", "value", "expected"),
    [
        ("degF", "degC", 212.0, 100.0),
        ("degF", "degC", -40.0, -40.0),
        ("degF", "K", 9.0, 5.0),  # a difference has no zero point
        ("inH2O", "Pa", 1.4, 348.724474),
        ("psi", "kPa", 1.0, 6.894757293168),
        ("kPa", "kPa", 3.0, 3.0),
    ],
)
def test_known_conversions(source: str, stored: str, value: float, expected: float) -> None:
    rule = conversion(source, stored)
    assert rule is not None
    assert (value + rule.shift) * rule.factor == pytest.approx(expected, rel=1e-12)


def test_unknown_conversions() -> None:
    assert conversion("degF", "kPa") is None
    assert sources_for("Pa") == ["Pa", "inH2O", "kPa", "psi"]
