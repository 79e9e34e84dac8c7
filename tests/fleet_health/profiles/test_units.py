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
        ("L/h", "L/s", 7200.0, 2.0),
        ("kelvin", "degC", 273.15, 0.0),
        ("kelvin", "degF", 273.15, 32.0),  # over the base unit, both ways with a shift
        ("degC", "degF", -40.0, -40.0),
        ("km/h", "mm/s", 3.6, 1000.0),
        ("inHg", "hPa", 29.92, 1013.2075888),
        ("mmHg", "Pa", 1.0, 133.322387415),
        ("mph", "km/h", 1.0, 1.609344),
        ("kn", "m/s", 3600.0, 1852.0),
        ("in", "mm", 1.0, 25.4),
        ("gal/min", "L/s", 60.0, 3.785411784),
        ("ft3/s", "m3/s", 1000.0, 28.316846592),
        ("ft3/min", "ft3/s", 60.0, 1.0),
        ("MJ", "kWh", 3.6, 1.0),
        ("GJ", "MWh", 3.6, 1.0),
        ("ug/m3", "mg/m3", 1000.0, 1.0),
        ("ug/L", "mg/m3", 1.0, 1.0),
        ("rad", "deg", 3.141592653589793, 180.0),
        ("gn", "m/s2", 1.0, 9.80665),
        ("kvar", "var", 1.0, 1000.0),
    ],
)
def test_known_conversions(source: str, stored: str, value: float, expected: float) -> None:
    rule = conversion(source, stored)
    assert rule is not None
    assert (value + rule.shift) * rule.factor == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_unknown_conversions() -> None:
    assert conversion("degF", "kPa") is None
    assert conversion("degC", "K") is None  # one is a temperature, the other a difference
    assert sources_for("Pa") == [*("MPa", "Pa", "atm", "bar", "hPa", "inH2O", "inHg", "kPa", "mbar", "mmHg", "psi")]
    assert sources_for("widgets", {"widgets", "kPa"}) == ["widgets"]
