"""Units a profile may use, and how a source unit becomes the unit that is stored.

All conversions are affine: ``stored = (value + shift) * factor``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Conversion:
    """``stored = (value + shift) * factor``."""

    shift: float = 0.0
    factor: float = 1.0

    @property
    def is_identity(self) -> bool:
        return self.shift == 0.0 and self.factor == 1.0


STORED_UNITS = frozenset(
    {"degC", "K", "Pa", "kPa", "A", "V", "W", "mm/s RMS", "mm/s", "%RH", "1", "bool", "count", "L/s"}
)

_CONVERSIONS: dict[tuple[str, str], Conversion] = {
    ("degF", "degC"): Conversion(shift=-32.0, factor=5.0 / 9.0),
    ("degF", "K"): Conversion(factor=5.0 / 9.0),  # a difference of temperatures, not a temperature
    ("psi", "Pa"): Conversion(factor=6894.757293168),
    ("psi", "kPa"): Conversion(factor=6.894757293168),
    ("inH2O", "Pa"): Conversion(factor=249.08891),  # water at 4 degC
    ("bar", "kPa"): Conversion(factor=100.0),
    ("Pa", "kPa"): Conversion(factor=0.001),
    ("kPa", "Pa"): Conversion(factor=1000.0),
    ("percent", "1"): Conversion(factor=0.01),
    ("mA", "A"): Conversion(factor=0.001),
    ("in/s", "mm/s RMS"): Conversion(factor=25.4),
}

SOURCE_UNITS = STORED_UNITS | {source for source, _ in _CONVERSIONS}


def conversion(source: str, stored: str) -> Conversion | None:
    """How a value in ``source`` becomes one in ``stored``; ``None`` when no rule is known."""
    return Conversion() if source == stored else _CONVERSIONS.get((source, stored))


def sources_for(stored: str) -> list[str]:
    """Every source unit that converts to ``stored``."""
    return sorted({stored, *(source for source, target in _CONVERSIONS if target == stored)})
