"""Values moved by an amount: at once, over a ramp and then held, or further with every hour (a drift)."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from mirror.synth.effects import Effect
from mirror.synth.readings import Onset, Readings


class Shift(Effect):
    """``value + amount * min(1, minutes / over_minutes) + per_hour * hours``; after ``back_after_minutes`` nothing is
    added.
    """

    amount: float = 0.0
    over_minutes: float = Field(default=0.0, ge=0.0)
    per_hour: float = 0.0
    back_after_minutes: float | None = Field(default=None, gt=0.0)

    def apply(self, readings: Readings, onset: Onset, rng: np.random.Generator) -> None:
        ramp = np.minimum(1.0, onset.minutes / self.over_minutes) if self.over_minutes else np.ones_like(onset.minutes)
        added = self.amount * ramp + self.per_hour * onset.minutes / 60.0
        if self.back_after_minutes is not None:
            added = np.where(onset.minutes < self.back_after_minutes, added, 0.0)
        for sensor in self.sensors:
            readings.values[sensor][onset.part] += added
