"""What a profile says about records that outlive the daily run: the archive of raw readings."""

from __future__ import annotations

from fleet_health.profiles.keys import Reason, ReasonedNumber, Strict


class Archive(Strict):
    """Raw readings are copied when the UTC day of their receipt is over; one may land ``late_days`` after it."""

    late_days: ReasonedNumber
    reason: Reason
