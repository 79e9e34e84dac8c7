"""From readings to messages: when the gateway received each, how often, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mirror.synth.readings import Readings, garble


@dataclass(frozen=True)
class Transport:
    """How unreliable delivery is.

    Attributes:
        duplicate_share: messages delivered a second time within ``repeat_seconds``.
        late_share: messages held back for ``late_minutes``.
        latency_seconds: mean of the ordinary delay (exponential).
        out_of_order_share: messages that arrive behind those of the next ``overtaken_minutes``.
        lost_share: messages that never arrive.
        garbage_share: messages cut off or with text where a number belongs; text files only.
        drift_share: devices whose clock is off by ``drift_seconds``, ahead or behind, all the time.
    """

    duplicate_share: float = 0.0
    late_share: float = 0.0
    latency_seconds: float = 2.0
    repeat_seconds: tuple[float, float] = (1.0, 300.0)
    late_minutes: tuple[float, float] = (10.0, 240.0)
    out_of_order_share: float = 0.0
    overtaken_minutes: tuple[float, float] = (1.0, 5.0)
    lost_share: float = 0.0
    garbage_share: float = 0.0
    drift_share: float = 0.0
    drift_seconds: tuple[float, float] = (30.0, 600.0)

    @property
    def faults(self) -> bool:
        """Whether anything beyond repeats and delays was asked for."""
        return max(self.out_of_order_share, self.lost_share, self.garbage_share, self.drift_share) > 0.0


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


def deliver(
    readings: Readings, transport: Transport, rng: np.random.Generator, faults: Callable[[], np.random.Generator]
) -> Messages:
    """The order of arrival; a repeated message keeps its reading and gets a later place.

    ``faults`` gives the random stream of what is asked for beyond repeats and delays; it changes ``readings``.
    """
    length = readings.minutes.size
    seconds = readings.minutes * 60.0
    arrival = np.maximum(seconds, readings.held_until) + rng.exponential(transport.latency_seconds, length)
    # Drawn whether or not a share is set: turning one fault on must not move the other's draws.
    chance_late, chance_twice = rng.uniform(size=(2, length))
    delay = rng.uniform(*transport.late_minutes, length) * 60.0
    arrival += np.where(chance_late < transport.late_share, delay, 0.0)
    if transport.faults:
        arrival += _disturb(readings, transport, faults())
    copies = readings.copies + (chance_twice < transport.duplicate_share)
    reading = np.flatnonzero(readings.sent)
    again = np.repeat(reading, copies[reading] - 1)
    arrivals = arrival[reading]
    if again.size:
        arrivals = np.concatenate([arrivals, arrival[again] + rng.uniform(*transport.repeat_seconds, again.size)])
        reading = np.concatenate([reading, again])
    ingested = np.rint(arrivals * 1e6).astype(np.int64)
    order = np.argsort(ingested, kind="stable")
    reading = reading[order]
    device = np.rint(seconds[reading] * 1e6).astype(np.int64) + readings.clock_shift[reading] * 1_000_000
    return Messages(reading, device, ingested[order])


def _disturb(readings: Readings, transport: Transport, rng: np.random.Generator) -> NDArray[np.float64]:
    """Seconds by which each message is overtaken; what is lost, garbled or stamped wrongly is written to ``readings``.

    Every draw is made whatever is set, for the same reason as above.
    """
    length = readings.minutes.size
    chance_overtaken, chance_lost = rng.uniform(size=(2, length))
    overtaken = rng.uniform(*transport.overtaken_minutes, length) * 60.0
    garble(readings, slice(None), transport.garbage_share, 0.5, rng)
    chance_drift, sign = rng.uniform(size=2)
    drift = round(rng.uniform(*transport.drift_seconds))
    readings.sent &= chance_lost >= transport.lost_share
    if chance_drift < transport.drift_share:
        readings.clock_shift += drift if sign < 0.5 else -drift
    return np.where(chance_overtaken < transport.out_of_order_share, overtaken, 0.0)
