"""A device that was offline and then sends all it had stored."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from mirror.synth.effects import Effect
from mirror.synth.readings import Onset, Readings


class Buffer(Effect):
    """Readings arrive, in order, within ``release_minutes`` after the scenario ends."""

    release_minutes: float = Field(default=10.0, gt=0.0)

    def apply(self, readings: Readings, onset: Onset, rng: np.random.Generator) -> None:
        spread = np.linspace(0.0, self.release_minutes * 60.0, onset.minutes.size)
        readings.held_until[onset.part] = onset.end_seconds + spread
