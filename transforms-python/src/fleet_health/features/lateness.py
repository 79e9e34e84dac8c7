"""Which readings a window knows, and since when; decided by receipt stamps alone, never by when a build ran.

A fleet is worked through at the *boundaries* of each window length: the instants ``close_after`` past a multiple of
the length. At a boundary everything received until then counts. A reading belongs to the *version* of its window that
the first boundary made at which both the window was closed and the reading there; one received more than the horizon
after the window's first boundary belongs to none. So the versions of a window are a function of its readings, however
many builds they arrived in.

All times are whole microseconds since the epoch. The same arithmetic stands here for numpy and for Spark.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyspark.sql import Column
from pyspark.sql import functions as F

from fleet_health.profiles.model import Profile

MICROS_PER_MINUTE = 60_000_000
MICROS_PER_DAY = 1440 * MICROS_PER_MINUTE

Ints = NDArray[np.int64]

NEVER = np.iinfo(np.int64).min
"""The boundary before the first one."""


@dataclass(frozen=True)
class Length:
    """One window length with its lateness, in microseconds."""

    minutes: int
    close: int
    horizon: int

    @classmethod
    def of(cls, minutes: int, profile: Profile) -> Length:
        late = profile.lateness_of(minutes)
        return cls(minutes, late.close_after.minutes * MICROS_PER_MINUTE, late.horizon.hours * 60 * MICROS_PER_MINUTE)

    @property
    def micros(self) -> int:
        return self.minutes * MICROS_PER_MINUTE

    def boundary(self, watermark: int) -> int:
        """The last boundary that the watermark has passed or stands on."""
        return watermark - (watermark - self.close) % self.micros

    def versions(self, micros: Ints, received: Ints) -> Ints:
        """Of each reading, the instant of the version that first holds it; the largest integer when none ever does."""
        version = micros - micros % self.micros + (self.micros + self.close)
        late = np.flatnonzero(received > version)
        came = received[late]
        taken = came <= version[late] + self.horizon
        version[late] = np.where(taken, came + (self.close - came) % self.micros, np.iinfo(np.int64).max)
        return version

    def start_column(self, micros: Column) -> Column:
        return micros - F.pmod(micros, F.lit(self.micros))

    def first_column(self, micros: Column) -> Column:
        """When the window of a reading is first written."""
        return self.start_column(micros) + F.lit(self.micros + self.close)

    def version_column(self, micros: Column, received: Column) -> Column:
        """:meth:`versions` in Spark; null when no version ever holds the reading."""
        first = self.first_column(micros)
        version = F.greatest(first, received + F.pmod(F.lit(self.close) - received, F.lit(self.micros)))
        return F.when(received <= first + F.lit(self.horizon), version)


@dataclass(frozen=True)
class Due:
    """What is due for one length: versions after ``before`` up to ``boundary``; ``before`` is NEVER for all of them."""

    length: Length
    before: int
    boundary: int

    @property
    def advanced(self) -> bool:
        return self.boundary > self.before

    @property
    def everything(self) -> bool:
        return self.before == NEVER


def lengths(profile: Profile) -> tuple[Length, ...]:
    """Every window length of the profile."""
    return tuple(Length.of(minutes, profile) for minutes in profile.windows_minutes)


def due(profile: Profile, before: int | None, watermark: int) -> tuple[Due, ...]:
    """Per length, from the watermark that earlier runs had reached to the one that holds now."""
    found = []
    for length in lengths(profile):
        earlier = NEVER if before is None else length.boundary(before)
        found.append(Due(length, earlier, length.boundary(watermark)))
    return tuple(found)
