"""A reading that stands still: a stuck sensor or a stopped machine. Missing values are overwritten too."""

from __future__ import annotations

import numpy as np

from mirror.synth.effects import Effect
from mirror.synth.readings import Onset, Readings


class Hold(Effect):
    """Every value becomes ``value``."""

    value: float | bool

    def apply(self, readings: Readings, onset: Onset, rng: np.random.Generator) -> None:
        for sensor in self.sensors:
            readings.values[sensor][onset.part] = self.value
            readings.missing[sensor][onset.part] = False
