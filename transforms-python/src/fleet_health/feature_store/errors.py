"""What can be wrong with the feature store; every text names the dataset, what was found and the way out.

FeatureStoreError
|-- UnknownLabelError           a label of a type or source that nobody mapped
|-- OrphanLabelError            a label about an alert that does not exist
|-- SnapshotGoneError           a pinned transaction that can no longer be read
|-- SnapshotMovedError          the features that would be read are not the pinned ones
|-- ChangedDefinitionError      another formula under a name that is taken
|-- BackfillDaysError           days missing between the chunks of a backfill, or covered twice
|-- BackfillWindowError         a window length that chunks of whole days would cut
`-- MixedFormulasError          chunks of one backfill computed with different formulas
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from fleet_health.definition_errors import nearest

SHOWN = 5


def _some(names: Sequence[object]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(map(str, names[:SHOWN])) + more


class FeatureStoreError(ValueError):
    """Root of all errors of this room."""


class UnknownLabelError(FeatureStoreError):
    """Attributes: ``dataset``, ``column``, ``found`` (the unknown words, sorted) and the ``known`` ones."""

    def __init__(self, dataset: str, column: str, found: tuple[str, ...], known: tuple[str, ...]) -> None:
        super().__init__(dataset, column, found, known)
        self.dataset, self.column, self.found, self.known = dataset, column, found, known

    def __str__(self) -> str:
        return (
            f"{self.dataset}: {self.column} holds {_some([repr(word) for word in self.found])}. "
            f"{nearest(self.found[0], self.known)} Correct the labels, or map the word in feature_store/labels.py."
        )


class OrphanLabelError(FeatureStoreError):
    """Attributes: ``dataset``, ``alerts`` (the dataset that should know them) and the unknown ``alert_ids``, sorted."""

    def __init__(self, dataset: str, alerts: str, alert_ids: tuple[str, ...]) -> None:
        super().__init__(dataset, alerts, alert_ids)
        self.dataset, self.alerts, self.alert_ids = dataset, alerts, alert_ids

    def __str__(self) -> str:
        return (
            f"{self.dataset}: {len(self.alert_ids)} alert_id(s) are not in {self.alerts}: {_some(self.alert_ids)}. "
            "Correct the id, or leave it empty where no alert led to the label."
        )


class SnapshotGoneError(FeatureStoreError):
    """Attributes: ``dataset`` and the ``snapshot_id`` that cannot be read."""

    def __init__(self, dataset: str, snapshot_id: str) -> None:
        super().__init__(dataset, snapshot_id)
        self.dataset, self.snapshot_id = dataset, snapshot_id

    def __str__(self) -> str:
        return (
            f"{self.dataset}: transaction {self.snapshot_id!r} can no longer be read. Use the training_data "
            "transaction that was assembled from it, or assemble anew without a pin; newer rows never stand in."
        )


class SnapshotMovedError(FeatureStoreError):
    """Attributes: ``dataset``, the ``pinned`` transaction and the one ``found``."""

    def __init__(self, dataset: str, pinned: str, found: str | None) -> None:
        super().__init__(dataset, pinned, found)
        self.dataset, self.pinned, self.found = dataset, pinned, found

    def __str__(self) -> str:
        return (
            f"{self.dataset}: training.snapshot_id pins {self.pinned!r}, the branch is at {self.found!r}. "
            "Build on a branch that ends there, set training.as_of instead, or remove the pin."
        )


class ChangedDefinitionError(FeatureStoreError):
    """Attributes: ``feature``, the ``recorded`` formula and the one that is ``given`` now."""

    def __init__(self, feature: str, recorded: str, given: str) -> None:
        super().__init__(feature, recorded, given)
        self.feature, self.recorded, self.given = feature, recorded, given

    def __str__(self) -> str:
        return (
            f"feature {self.feature!r} was recorded as {self.recorded} and is {self.given} now. Models read features "
            f"by name: give the new formula a new name such as {self.feature}_v2 and keep the old one beside it."
        )


class BackfillDaysError(FeatureStoreError):
    """Attributes: ``missing`` and ``doubled`` days, sorted."""

    def __init__(self, missing: tuple[date, ...], doubled: tuple[date, ...]) -> None:
        super().__init__(missing, doubled)
        self.missing, self.doubled = missing, doubled

    def __str__(self) -> str:
        parts = [f"missing {_some(self.missing)}"] if self.missing else []
        parts += [f"covered twice {_some(self.doubled)}"] if self.doubled else []
        return f"the backfill does not cover every day once: {'; '.join(parts)}. Plan the chunks anew."


class BackfillWindowError(FeatureStoreError):
    """Attributes: ``minutes``, the window length that is no part of a day."""

    def __init__(self, minutes: int) -> None:
        super().__init__(minutes)
        self.minutes = minutes

    def __str__(self) -> str:
        return (
            f"windows of {self.minutes} minutes do not end at midnight UTC, so a chunk of whole days would cut them. "
            "Run a full recomputation instead."
        )


class MixedFormulasError(FeatureStoreError):
    """Attributes: ``expected`` formula version and the other ones ``found``."""

    def __init__(self, expected: int, found: tuple[int, ...]) -> None:
        super().__init__(expected, found)
        self.expected, self.found = expected, found

    def __str__(self) -> str:
        return (
            f"chunks were computed with formula version {_some(self.found)}, the backfill is for {self.expected}. "
            "The profile changed in between: start the backfill over."
        )
