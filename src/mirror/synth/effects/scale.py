"""Values multiplied by a factor, at once or further with every hour (a leak)."""

from __future__ import annotations

import numpy as np

from mirror.synth.effects import Effect
from mirror.synth.readings import Onset, Readings


class Scale(Effect):
    """``value * max(floor, factor + per_hour * hours)``."""

    factor: float = 1.0
    per_hour: float = 0.0
    floor: float = 0.0

    def apply(self, readings: Readings, onset: Onset, rng: np.random.Generator) -> None:
        factors = np.maximum(self.floor, self.factor + self.per_hour * onset.minutes / 60.0)
        for sensor in self.sensors:
            readings.values[sensor][onset.part] *= factors
