"""What a profile says about lasting records: archives of readings and of failures, work orders, verdicts of experts."""

from __future__ import annotations

from fleet_health.profiles.keys import Reason, ReasonedNumber, Strict


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
