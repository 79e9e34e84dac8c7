"""Each message delivered several times, as at-least-once transport may do."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from mirror.synth.effects import Effect
from mirror.synth.readings import Onset, Readings


class Repeat(Effect):
    """``copies`` deliveries of each message."""

    copies: int = Field(ge=2)

    def apply(self, readings: Readings, onset: Onset, rng: np.random.Generator) -> None:
        readings.copies[onset.part] = self.copies
