"""A device clock that is wrong. The gateway's clock stays right."""

from __future__ import annotations

import numpy as np

from mirror.synth.effects import Effect
from mirror.synth.readings import Onset, Readings


class Clock(Effect):
    """The device stamps its readings ``ahead_hours`` too late (negative: too early)."""

    ahead_hours: float

    def apply(self, readings: Readings, onset: Onset, rng: np.random.Generator) -> None:
        readings.clock_shift[onset.part] += round(self.ahead_hours * 3600)
