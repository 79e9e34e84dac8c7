"""Values that die away exponentially to a level (a machine that cools down)."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from mirror.synth.effects import Effect
from mirror.synth.readings import Onset, Readings


class Decay(Effect):
    """``level + (value - level) * exp(-minutes / time_constant_minutes)``."""

    level: float
    time_constant_minutes: float = Field(gt=0.0)

    def apply(self, readings: Readings, onset: Onset, rng: np.random.Generator) -> None:
        rest = np.exp(-onset.minutes / self.time_constant_minutes)
        for sensor in self.sensors:
            values = readings.values[sensor]
            values[onset.part] = self.level + (values[onset.part] - self.level) * rest
