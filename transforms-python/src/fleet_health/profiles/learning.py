"""What a profile says about learning from windows: labels, missing values, cohorts, and properties of a device."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from fleet_health.profiles.keys import Duration, Name, Reason, ReasonedNumber, Strict

BUFFER_HOURS_MAX = 168


class Split(Strict):
    """Which windows train and which judge, by time and by device.

    The validation period is the last ``validation_days`` whole UTC days of the data, or ends with the day ``until``;
    ``gap_days`` before it nothing is used; the ``window_days`` before that train. The devices are divided as well: the
    shares ``holdout_validation`` and ``holdout_test`` never train. Rows that are drawn at random are neighbours in time
    of rows that train, so ``temporal`` is the only ``kind``.
    """

    kind: str = "temporal"
    gap_days: ReasonedNumber
    validation_days: ReasonedNumber
    window_days: ReasonedNumber
    holdout_validation: float = Field(gt=0, lt=0.5)
    holdout_test: float = Field(ge=0, lt=0.5)
    holdout_reason: Reason
    folds: int = Field(default=3, ge=0, le=5)
    until: date | None = None


class ExcludedPeriod(Strict):
    """A period that teaches nothing normal: of one device, or of all without ``device_id``; ``end`` is not part of it.

    ``maintenance`` goes on for ``after_maintenance_hours``. What ``label_events`` tell of it needs no entry here.
    """

    kind: Literal["outage", "firmware_rollout", "maintenance"]
    device_id: str | None = None
    start: datetime
    end: datetime
    reason: Reason


class Training(Strict):
    """How training rows are assembled.

    A label joins the windows that end before ``event - buffer`` and not more than ``lookback`` before that.
    ``as_of`` (UTC) reads the windows and labels as they were known then; ``snapshot_id`` pins the transaction of the
    features that must be read. Without ``split`` every row trains and nothing is validated; the experiment says so.
    """

    split: Split | None = None
    exclude: tuple[ExcludedPeriod, ...] = ()
    after_maintenance_hours: ReasonedNumber = ReasonedNumber(
        value=48, reason="a machine that was just repaired runs in for two days and is neither its old nor its new self"
    )
    rows_max: ReasonedNumber = ReasonedNumber(
        value=500_000,
        reason="scores move little beyond it, and training holds its rows in the memory of one machine",
    )

    join_labels: bool = False
    label_delay_buffer_hours: ReasonedNumber = ReasonedNumber(
        value=24, reason="a warning should come a day ahead, so the hours just before an event teach nothing useful"
    )
    label_lookback_hours: ReasonedNumber = ReasonedNumber(
        value=168, reason="a week; without a lower limit every older window of the device would inherit the label"
    )
    as_of: datetime | None = None
    snapshot_id: str | None = None


class Imputation(Strict):
    """How old a value may be that stands in for a missing one of the same device and window length."""

    max_age_hours: ReasonedNumber = ReasonedNumber(
        value=24, reason="a machine goes through its daily cycle in a day; an older value describes another state"
    )
    max_age_hours_daily: ReasonedNumber = ReasonedNumber(
        value=168, reason="windows of a day and longer carry no daily cycle; within a week a machine changes little"
    )

    def max_age_of(self, minutes: int) -> float:
        """The limit in hours for windows of one length."""
        return (self.max_age_hours_daily if minutes >= 1440 else self.max_age_hours).value


class Cohorts(Strict):
    """Which devices are alike: by the registry's ``cohort_id``, else by these registry columns together.

    A device that lacks one of them has no cohort, and the whole fleet speaks for it.
    """

    by: tuple[Literal["model", "climate_zone", "region", "firmware_version"], ...] = Field(min_length=1)
    reason: Reason


class Property(Strict):
    """A value that is shown on the device itself: the newest window's ``feature``, or the newest anomaly score."""

    name: Name
    feature: Name | None = None
    score: bool = False
    window_duration_minutes: Duration | None = None
