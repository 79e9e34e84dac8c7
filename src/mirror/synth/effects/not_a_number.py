"""NaN where null was meant: passes null checks and poisons means."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from mirror.synth.effects import Effect
from mirror.synth.readings import Onset, Readings


class NotANumber(Effect):
    """In ``share`` of the rows the numeric sensors carry NaN."""

    share: float = Field(default=1.0, gt=0.0, le=1.0)

    def apply(self, readings: Readings, onset: Onset, rng: np.random.Generator) -> None:
        struck = rng.uniform(size=onset.minutes.size) < self.share
        for sensor in self.sensors:
            values = readings.values[sensor]
            values[onset.part] = np.where(struck, np.nan, values[onset.part])
