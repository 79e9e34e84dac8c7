"""From readings to messages: when the gateway received each, how often, and in which order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mirror.synth.readings import Readings


@dataclass(frozen=True)
class Transport:
    """How unreliable delivery is.

    Attributes:
        duplicate_share: messages delivered a second time within ``repeat_seconds``.
        late_share: messages held back for ``late_minutes``.
        latency_seconds: mean of the ordinary delay (exponential).
    """

    duplicate_share: float = 0.0
    late_share: float = 0.0
    latency_seconds: float = 2.0
    repeat_seconds: tuple[float, float] = (1.0, 300.0)
    late_minutes: tuple[float, float] = (10.0, 240.0)


@dataclass(frozen=True)
class Messages:
    """The messages of one device in order of receipt; position in the order is the sequence number.

    Attributes:
        reading: which reading each message carries.
        device_us: device clock, microseconds since the start of the series.
        ingested_us: gateway clock, microseconds since the start of the series.
    """

    reading: NDArray[np.int64]
    device_us: NDArray[np.int64]
    ingested_us: NDArray[np.int64]


def deliver(readings: Readings, transport: Transport, rng: np.random.Generator) -> Messages:
    """The order of arrival; a repeated message keeps its reading and gets a later place."""
    length = readings.minutes.size
    seconds = readings.minutes * 60.0
    arrival = np.maximum(seconds, readings.held_until) + rng.exponential(transport.latency_seconds, length)
    # Drawn whether or not a share is set: turning one fault on must not move the other's draws.
    chance_late, chance_twice = rng.uniform(size=(2, length))
    delay = rng.uniform(*transport.late_minutes, length) * 60.0
    arrival += np.where(chance_late < transport.late_share, delay, 0.0)
    copies = readings.copies + (chance_twice < transport.duplicate_share)
    reading = np.flatnonzero(readings.sent)
    again = np.repeat(reading, copies[reading] - 1)
    arrivals = np.concatenate([arrival[reading], arrival[again] + rng.uniform(*transport.repeat_seconds, again.size)])
    reading = np.concatenate([reading, again])
    ingested = np.rint(arrivals * 1e6).astype(np.int64)
    order = np.argsort(ingested, kind="stable")
    reading = reading[order]
    device = np.rint(seconds[reading] * 1e6).astype(np.int64) + readings.clock_shift[reading] * 1_000_000
    return Messages(reading, device, ingested[order])
