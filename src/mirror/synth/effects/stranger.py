"""Messages under an identity that the registry does not know."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from mirror.synth.effects import Effect
from mirror.synth.readings import Onset, Readings


class Stranger(Effect):
    """A ``share`` of the messages names an unregistered device."""

    share: float = Field(default=1.0, gt=0.0, le=1.0)

    def apply(self, readings: Readings, onset: Onset, rng: np.random.Generator) -> None:
        readings.stranger[onset.part] |= rng.uniform(size=onset.minutes.size) < self.share
