"""A boolean sensor that is true more (or less) often than usual, still in runs."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from mirror.synth.effects import Effect
from mirror.synth.readings import Onset, Readings
from mirror.synth.signals import share_runs


class Runs(Effect):
    """Runs of ``minutes`` covering ``share`` of the time replace what the sensor said."""

    minutes: tuple[float, float]
    share: float = Field(gt=0.0, lt=1.0)

    def apply(self, readings: Readings, onset: Onset, rng: np.random.Generator) -> None:
        step = float(readings.minutes[1] - readings.minutes[0]) if readings.minutes.size > 1 else 1.0
        for sensor in self.sensors:
            readings.values[sensor][onset.part] = share_runs(rng, onset.minutes.size, self.minutes, self.share, step)
