"""What can be wrong with definitions of metrics and runbooks, and with the baselines that drift is measured against."""

from __future__ import annotations

from collections.abc import Sequence

from fleet_health.definition_errors import DefinitionError


class MetricDefinitionError(DefinitionError):
    """A metric that nobody could act on: no reason, no owner, no runbook, no escalation; or a broken file."""


class BaselineMismatchError(ValueError):
    """The references are of another model version, or of other features than the model has."""

    def __init__(self, profile: str, model: str, minutes: int, missing: Sequence[str], versions: Sequence[str]) -> None:
        super().__init__(profile, model, minutes, missing, versions)
        self.profile, self.model, self.minutes = profile, model, minutes
        self.missing, self.versions = tuple(missing), tuple(versions)

    def __str__(self) -> str:
        shown = ", ".join(self.missing[:3]) + (f" and {len(self.missing) - 3} more" if len(self.missing) > 3 else "")
        there = ", ".join(self.versions) or "none"
        return (
            f"/Fleet/{self.profile}/drift_baselines has no reference of {self.model} for {shown} in windows of "
            f"{self.minutes} minutes (there: {there}). "
            "Build drift_baselines from the transaction that trained this version, or train it again."
        )


class BaselineVersionError(LookupError):
    """A baseline belongs to a version that the profile no longer describes, so its rows cannot be chosen again."""

    def __init__(self, dataset: str, recorded: str, minutes: int, present: str) -> None:
        super().__init__(dataset, recorded, minutes, present)
        self.dataset, self.recorded, self.minutes, self.present = dataset, recorded, minutes, present

    def __str__(self) -> str:
        return (
            f"{self.dataset} holds a baseline of {self.recorded} in windows of {self.minutes} minutes, and the profile "
            f"is of {self.present}. "
            "Verify it with the repository as it was then: mirror --repository DIR monitor baseline verify."
        )
