"""What one device measured, minute by minute, before it becomes messages. Effects change it in place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass
class Readings:
    """The series of one device; every array has one entry per reading.

    Attributes:
        minutes: minutes since the start of the series.
        values: per sensor, float64 or bool.
        missing: per sensor, true where the message carries no value (null, which is not NaN).
        sent: false where the device sent no message at all.
        clock_shift: seconds by which the device's clock runs ahead (negative: behind).
        copies: how often the message arrives, 1 in health.
        held_until: seconds since the start before which the gateway cannot have received the message.
        stranger: the message names a device that nobody registered.
        garbled: the message arrives broken: 0 whole, 1 cut off, 2 with text where a number belongs.
    """

    minutes: NDArray[np.float64]
    values: dict[str, NDArray[np.float64] | NDArray[np.bool_]]
    missing: dict[str, NDArray[np.bool_]]
    sent: NDArray[np.bool_]
    clock_shift: NDArray[np.int64]
    copies: NDArray[np.int64]
    held_until: NDArray[np.float64]
    stranger: NDArray[np.bool_]
    garbled: NDArray[np.int8]

    @property
    def numeric(self) -> tuple[str, ...]:
        """Sensors that carry numbers, in the fleet's order."""
        return tuple(name for name, values in self.values.items() if values.dtype != np.bool_)


@dataclass(frozen=True)
class Onset:
    """The part of a series an effect works on.

    Attributes:
        part: the readings concerned.
        minutes: minutes since the onset, one per reading of ``part``.
        end_seconds: when the scenario ends, in seconds since the start of the series.
    """

    part: slice
    minutes: NDArray[np.float64]
    end_seconds: float


CUT_OFF, TEXT = 1, 2


def garble(readings: Readings, part: slice, share: float, text_share: float, rng: np.random.Generator) -> None:
    """Breaks a ``share`` of the messages of ``part``, ``text_share`` of those by text."""
    struck, kind = rng.uniform(size=(2, readings.minutes[part].size))
    broken = np.where(kind < text_share, TEXT, CUT_OFF).astype(np.int8)
    readings.garbled[part] = np.where(struck < share, broken, readings.garbled[part])
