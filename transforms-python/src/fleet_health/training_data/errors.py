"""What can be wrong with the rows a model should learn from."""

from __future__ import annotations


class NoTrainingWindowsError(ValueError):
    """No window passes the training filters of the profile.

    Attributes:
        profile: the fleet.
        minutes: the window length that its model asks for.
        filters: the filters, in words.
    """

    def __init__(self, profile: str, minutes: int, filters: str) -> None:
        super().__init__(profile, minutes, filters)
        self.profile, self.minutes, self.filters = profile, minutes, filters

    def __str__(self) -> str:
        return (
            f"no window of {self.minutes} minutes of {self.profile!r} may train its model, which asks for "
            f"{self.filters}. Compare with device_features, then correct `model` in the profile, or ingest the days "
            "it names."
        )


class RegressionSetChangedError(ValueError):
    """The rows of ``regression_test_features`` are not those that were written.

    Attributes:
        dataset: where they lie.
        version: of the set.
        expected: the digest that was stored with them.
        found: that of the rows.
    """

    def __init__(self, dataset: str, version: str, expected: str, found: str) -> None:
        super().__init__(dataset, version, expected, found)
        self.dataset, self.version, self.expected, self.found = dataset, version, expected, found

    def __str__(self) -> str:
        return (
            f"{self.dataset} {self.version}: the rows have the digest {self.found}, stored is {self.expected}. Models "
            "that were compared on it before cannot be compared with later ones: roll the dataset back to the "
            "transaction that first wrote it."
        )
