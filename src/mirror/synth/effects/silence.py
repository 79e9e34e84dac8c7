"""No messages: all of them, or all but every n-th (a device that reports too slowly)."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from mirror.synth.effects import Effect
from mirror.synth.readings import Onset, Readings


class Silence(Effect):
    """Nothing is sent, or with ``keep_every`` only each n-th reading."""

    keep_every: int | None = Field(default=None, ge=2)

    def apply(self, readings: Readings, onset: Onset, rng: np.random.Generator) -> None:
        sent = np.zeros(onset.minutes.size, dtype=np.bool_)
        if self.keep_every is not None:
            sent[:: self.keep_every] = True
        readings.sent[onset.part] &= sent
