"""On and off in turn (short cycling): untouched while on, a fixed level while off."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from mirror.synth.effects import Effect
from mirror.synth.readings import Onset, Readings


class Cycle(Effect):
    """``on_minutes`` as measured, then ``off_minutes`` at ``off_value``."""

    on_minutes: float = Field(gt=0.0)
    off_minutes: float = Field(gt=0.0)
    off_value: float = 0.0

    def apply(self, readings: Readings, onset: Onset, rng: np.random.Generator) -> None:
        off = onset.minutes % (self.on_minutes + self.off_minutes) >= self.on_minutes
        for sensor in self.sensors:
            values = readings.values[sensor]
            values[onset.part] = np.where(off, self.off_value, values[onset.part])
