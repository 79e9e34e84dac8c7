"""Why somebody may not let something through.

UsageError (exit 2)                              VerdictError (exit 1)
|-- UnknownGateError                             |-- OverrideRefusedError
|-- NoEmergencyError, EmergencyReasonError       |-- ReviewRefusedError
`-- NothingToReviewError                         `-- EmergencyUnreviewedError
"""

from __future__ import annotations

from mirror.errors import UsageError, VerdictError, nearest
from mirror.promotion.errors import some


class UnknownGateError(UsageError):
    """``args``: gate, gates of the step, the step."""

    def __str__(self) -> str:
        gate, known, step = self.args
        return f"the step {step} has no gate {gate!r}.{nearest(gate, known)} Gates: {some(known)}."


class NoEmergencyError(UsageError):
    """``args``: source, target."""

    def __str__(self) -> str:
        source, target = self.args
        return f"the policy calls the step from {source!r} to {target!r} no emergency; leave --emergency out."


class EmergencyReasonError(UsageError):
    """``args``: source, target, why the policy has the step."""

    def __str__(self) -> str:
        source, target, reason = self.args
        return (
            f"the step from {source!r} to {target!r} is for emergencies ({reason}). "
            "Say why the usual order cannot be kept: --emergency 'what is broken'."
        )


class NothingToReviewError(UsageError):
    """``args``: entry number, what is open."""

    def __str__(self) -> str:
        number, known = self.args
        return (
            f"entry {number} of the audit log is no emergency that waits for a review. Open: {some(known) or 'none'}."
        )


class OverrideRefusedError(VerdictError):
    """``args``: gate, who wants to override it, why not."""

    def __str__(self) -> str:
        gate, by, why = self.args
        return f"{by!r} cannot override gate {gate!r}: {why}."


class ReviewRefusedError(VerdictError):
    """``args``: who wants to review, entry number, why not."""

    def __str__(self) -> str:
        by, number, why = self.args
        return f"{by!r} cannot review the emergency of entry {number}: {why}."


class EmergencyUnreviewedError(VerdictError):
    """``args``: target, emergencies that are overdue."""

    def __str__(self) -> str:
        target, overdue = self.args
        return (
            f"nothing goes to {target!r} while an emergency waits for its review: {'; '.join(overdue)}. "
            "Review it: mirror review --emergency ENTRY --approve-as NAME --reason 'what was looked at'."
        )
