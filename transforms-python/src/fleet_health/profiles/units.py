"""Units a profile may use, and how a source unit becomes the unit that is stored.

Units of one dimension convert into each other: ``base = (value + shift) * factor``. A profile may name further units
under ``units``; they convert to nothing but themselves.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Conversion:
    """``stored = (value + shift) * factor``."""

    shift: float = 0.0
    factor: float = 1.0

    @property
    def is_identity(self) -> bool:
        return self.shift == 0.0 and self.factor == 1.0


_DIMENSIONS: dict[str, dict[str, Conversion]] = {
    "temperature": {
        "degC": Conversion(),
        "degF": Conversion(shift=-32.0, factor=5.0 / 9.0),
        "kelvin": Conversion(shift=-273.15),
    },
    "difference of temperatures": {"K": Conversion()},
    "pressure": {
        "Pa": Conversion(),
        "hPa": Conversion(factor=100.0),
        "mbar": Conversion(factor=100.0),
        "kPa": Conversion(factor=1000.0),
        "MPa": Conversion(factor=1e6),
        "bar": Conversion(factor=1e5),
        "psi": Conversion(factor=6894.757293168),
        "inH2O": Conversion(factor=249.08891),  # water at 4 degC
        "inHg": Conversion(factor=3386.389),  # mercury at 0 degC
        "mmHg": Conversion(factor=133.322387415),
        "atm": Conversion(factor=101325.0),
    },
    "current": {"A": Conversion(), "mA": Conversion(factor=0.001)},
    "voltage": {"V": Conversion(), "mV": Conversion(factor=0.001), "kV": Conversion(factor=1000.0)},
    "power": {"W": Conversion(), "kW": Conversion(factor=1000.0), "MW": Conversion(factor=1e6)},
    "apparent power": {"VA": Conversion(), "kVA": Conversion(factor=1000.0), "MVA": Conversion(factor=1e6)},
    "reactive power": {"var": Conversion(), "kvar": Conversion(factor=1000.0), "Mvar": Conversion(factor=1e6)},
    "energy": {
        "Wh": Conversion(),
        "kWh": Conversion(factor=1000.0),
        "MWh": Conversion(factor=1e6),
        "GWh": Conversion(factor=1e9),
        "J": Conversion(factor=1 / 3600),
        "kJ": Conversion(factor=1000 / 3600),
        "MJ": Conversion(factor=1e6 / 3600),
        "GJ": Conversion(factor=1e9 / 3600),
    },
    "vibration": {"mm/s RMS": Conversion()},
    "speed": {
        "m/s": Conversion(),
        "mm/s": Conversion(factor=0.001),
        "km/h": Conversion(factor=1 / 3.6),
        "in/s": Conversion(factor=0.0254),
        "mph": Conversion(factor=0.44704),
        "kn": Conversion(factor=1852 / 3600),
        "ft/s": Conversion(factor=0.3048),
    },
    "rotation": {"rpm": Conversion(), "1/s": Conversion(factor=60.0)},
    "frequency": {"Hz": Conversion(), "kHz": Conversion(factor=1000.0)},
    "length": {
        "m": Conversion(),
        "cm": Conversion(factor=0.01),
        "mm": Conversion(factor=0.001),
        "km": Conversion(factor=1000.0),
        "in": Conversion(factor=0.0254),
        "ft": Conversion(factor=0.3048),
    },
    "mass": {"kg": Conversion(), "g": Conversion(factor=0.001), "t": Conversion(factor=1000.0)},
    "flow": {
        "L/s": Conversion(),
        "L/min": Conversion(factor=1 / 60),
        "L/h": Conversion(factor=1 / 3600),
        "m3/h": Conversion(factor=1 / 3.6),
        "m3/s": Conversion(factor=1000.0),
        "gal/min": Conversion(factor=3.785411784 / 60),  # of the United States
        "ft3/min": Conversion(factor=28.316846592 / 60),
        "ft3/s": Conversion(factor=28.316846592),
    },
    "time": {
        "s": Conversion(),
        "min": Conversion(factor=60.0),
        "h": Conversion(factor=3600.0),
        "ms": Conversion(factor=0.001),
    },
    "share": {"1": Conversion(), "percent": Conversion(factor=0.01)},
    "moisture of air": {"%RH": Conversion()},
    "truth": {"bool": Conversion()},
    "number": {"count": Conversion()},
    "concentration of mass": {
        "mg/L": Conversion(),
        "g/L": Conversion(factor=1000.0),
        "ug/L": Conversion(factor=0.001),
        "mg/m3": Conversion(factor=0.001),
        "ug/m3": Conversion(factor=1e-6),
    },
    "concentration of gas": {"ppm": Conversion(), "ppb": Conversion(factor=0.001)},
    "conductance": {"uS/cm": Conversion(), "mS/cm": Conversion(factor=1000.0)},
    "acidity": {"pH": Conversion()},
    "turbidity": {"NTU": Conversion()},
    "light": {"lux": Conversion()},
    "irradiance": {"W/m2": Conversion(), "kW/m2": Conversion(factor=1000.0)},
    "angle": {"deg": Conversion(), "rad": Conversion(factor=180 / math.pi)},
    "acceleration": {"m/s2": Conversion(), "gn": Conversion(factor=9.80665)},
    "force": {"N": Conversion(), "kN": Conversion(factor=1000.0)},
    "torque": {"Nm": Conversion()},
    "volume": {"L": Conversion(), "m3": Conversion(factor=1000.0)},
}

UNITS = frozenset(unit for members in _DIMENSIONS.values() for unit in members)

_STATED: dict[tuple[str, str], Conversion] = {
    # written out where the way over the base unit would round once more, or where the unit changes its meaning
    ("degF", "K"): Conversion(factor=5.0 / 9.0),  # a difference of temperatures, not a temperature
    ("psi", "kPa"): Conversion(factor=6.894757293168),
    ("bar", "kPa"): Conversion(factor=100.0),
    ("Pa", "kPa"): Conversion(factor=0.001),
    ("in/s", "mm/s RMS"): Conversion(factor=25.4),
}


def conversion(source: str, stored: str) -> Conversion | None:
    """How a value in ``source`` becomes one in ``stored``; ``None`` when no rule is known."""
    if source == stored:
        return Conversion()
    if (source, stored) in _STATED:
        return _STATED[source, stored]
    for members in _DIMENSIONS.values():
        if source in members and stored in members:
            there, back = members[source], members[stored]
            # (value + s1) * f1 = (stored + s2) * f2, solved for stored
            factor = there.factor / back.factor
            return Conversion(shift=there.shift - back.shift / factor, factor=factor)
    return None


def sources_for(stored: str, known: Iterable[str] = UNITS) -> list[str]:
    """Every source unit that converts to ``stored``."""
    return sorted(unit for unit in {*known, stored} if conversion(unit, stored) is not None)
