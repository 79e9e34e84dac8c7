"""What must never become an alert."""

from __future__ import annotations


class ShadowAlertsError(ValueError):
    """Scores of a version that is only being tried were handed to the alert job.

    Attributes:
        dataset: what they look like.
    """

    def __init__(self, dataset: str) -> None:
        super().__init__(dataset)
        self.dataset = dataset

    def __str__(self) -> str:
        return (
            f"alerts are asked to read {self.dataset}, whose scores have a deployment_role: a version in shadow wakes "
            "nobody. Read model_scores; a live canary puts its share of devices there."
        )
