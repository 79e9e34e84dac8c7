"""Messages that arrive broken: cut off, or with text where a number belongs. Only text files can hold them."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from mirror.synth.effects import Effect
from mirror.synth.readings import Onset, Readings, garble


class Garble(Effect):
    """A ``share`` of the messages is broken; ``text_share`` of those by text, the others are cut off."""

    share: float = Field(gt=0.0, le=1.0)
    text_share: float = Field(default=0.5, ge=0.0, le=1.0)

    def apply(self, readings: Readings, onset: Onset, rng: np.random.Generator) -> None:
        garble(readings, onset.part, self.share, self.text_share, rng)
