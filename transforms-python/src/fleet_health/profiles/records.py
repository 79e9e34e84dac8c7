"""What a profile says about lasting records: archives, work orders, verdicts of experts, the log of sensors."""

from __future__ import annotations

from datetime import date

from fleet_health.profiles.keys import Name, Reason, ReasonedNumber, Strict


class Archive(Strict):
    """Raw readings are copied when the UTC day of their receipt is over; one may land ``late_days`` after it."""

    late_days: ReasonedNumber
    reason: Reason


class Maintenance(Strict):
    """Where the maintenance system's work orders land, as CSV with the columns of ``maintenance_events`` but scores.

    With ``label_confidence`` completed orders are rows of ``label_events`` as well, and count as maintenance wherever
    labels do: in the effectiveness of alerts, and in what does not train. Without it whoever reads labels waits for no
    work order.
    """

    dataset: str
    label_confidence: ReasonedNumber | None = None
    reason: Reason


class Reviews(Strict):
    """Where verdicts of experts land, as CSV with the columns of ``expert_labels``."""

    dataset: str
    reason: Reason


class Exemplars(Strict):
    """The windows before each confirmed failure of ``label_events`` are kept for good."""

    reason: Reason


class SensorNote(Strict):
    """What people know of a sensor: a change of firmware or calibration, the day from which on not to use it."""

    sensor: Name
    says: str
    deprecated: date | None = None


class SchemaLog(Strict):
    """Since when each sensor is there. It can be trained on from the first day with more than ``covered_above``."""

    covered_above: ReasonedNumber
    notes: tuple[SensorNote, ...] = ()
    reason: Reason
