"""Messages that arrive without their values: all sensors named, all numeric ones, or all there are."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from mirror.synth.effects import Effect
from mirror.synth.readings import Onset, Readings


class Blank(Effect):
    """In ``share`` of the rows the sensors are null together; ``every`` names a group instead of ``sensors``."""

    share: float = Field(default=1.0, gt=0.0, le=1.0)
    every: Literal["numeric", "sensor"] | None = None

    def apply(self, readings: Readings, onset: Onset, rng: np.random.Generator) -> None:
        struck = rng.uniform(size=onset.minutes.size) < self.share
        groups = {None: self.sensors, "numeric": readings.numeric, "sensor": tuple(readings.values)}
        for sensor in groups[self.every]:
            readings.missing[sensor][onset.part] |= struck
