"""The isolation forest as it is published: forest and frozen constants; no result depends on the batch."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import palantir_models as pm
from model_adapters.errors import FeatureMismatchError
from palantir_models.serializers import DillSerializer, JsonSerializer

TOP = 5


class Constants(TypedDict):
    """What training froze beside the forest. Lists run parallel to ``feature_names``.

    ``cohort_medians`` maps cohorts to medians, feature by feature; it is empty where the fleet has no cohorts.
    """

    model_id: str
    model_version: str
    granularity: str
    window_duration_minutes: int
    feature_names: list[str]
    medians: list[float]
    cohort_medians: list[dict[str, float]]
    scales: list[float]
    raw_min: float
    raw_max: float
    threshold: float
    seed: int
    training_rows: int


def normalised(raw: NDArray[Any], low: float, high: float) -> NDArray[Any]:
    """``raw`` on the scale on which the training rows reach from 0 to 1, clipped; 0 when they were all alike."""
    spread = high - low
    return np.clip((raw - low) / spread, 0.0, 1.0) if spread > 0.0 else np.zeros(len(raw))


class IsolationForestAdapter(pm.ModelAdapter):
    """Scores windows of device_features by name.

    :display-name: Isolation forest on window features
    :description: Anomaly score in 0..1 with frozen normalisation, flag, and the five features farthest from normal.
    """

    @pm.auto_serialize(forest=DillSerializer(), constants=JsonSerializer())  # type: ignore[untyped-decorator]  # as in Foundry
    def __init__(self, forest: Any, constants: Constants) -> None:
        self.forest = forest
        self.constants = constants

    @classmethod
    def api(cls) -> tuple[dict[str, Any], dict[str, Any]]:
        """One frame in, one frame out. The feature columns are the model's own list and travel undeclared."""
        key: list[Any] = [("device_id", str), ("window_start", datetime), ("window_end", datetime)]
        verdict: list[Any] = [
            ("anomaly_score", float),
            ("anomaly_flag", bool),
            ("threshold_used", float),
            ("top_contributors", list[str]),
            ("contributor_scores", list[float]),
            ("imputed_feature_count", int),
        ]
        return {"df_in": pm.Pandas(columns=key)}, {"df_out": pm.Pandas(columns=[*key, *verdict])}

    def predict(self, df_in: pd.DataFrame) -> pd.DataFrame:
        """``df_in`` plus the verdict of every row; a row's result depends on that row alone.

        Columns added: ``anomaly_score`` (0..1), ``anomaly_flag`` (score > threshold), ``threshold_used``,
        ``top_contributors`` and ``contributor_scores`` (at most five features by ``|value - training median| / robust
        spread``, strongest first; null when nothing deviates), ``imputed_feature_count``.

        Raises:
            FeatureMismatchError: a feature column is missing. Null values are fine.
        """
        names = self.constants["feature_names"]
        missing = [name for name in names if name not in df_in.columns]
        if missing:
            raise FeatureMismatchError(self.constants["model_id"], missing)
        values = df_in[names].to_numpy(dtype="float64", na_value=np.nan)
        absent = np.isnan(values)
        vectors = np.where(absent, np.asarray(self.constants["medians"]), values)
        scores = self.scores(vectors)
        contributors, magnitudes = self._contributors(vectors)
        return df_in.assign(
            anomaly_score=scores,
            anomaly_flag=scores > self.constants["threshold"],
            threshold_used=self.constants["threshold"],
            top_contributors=pd.Series(contributors, index=df_in.index, dtype="object"),
            contributor_scores=pd.Series(magnitudes, index=df_in.index, dtype="object"),
            imputed_feature_count=absent.sum(axis=1).astype("int32"),
        )

    def scores(self, vectors: NDArray[Any], cohorts: NDArray[Any] | None = None) -> NDArray[Any]:
        """Raw isolation mapped to 0..1 by the smallest and largest raw value of the training rows, clipped."""
        if not len(vectors):
            return np.empty(0)
        raw = -self.forest.decision_function(vectors)
        return normalised(raw, self.constants["raw_min"], self.constants["raw_max"])

    def distances(self, vectors: NDArray[Any], cohorts: NDArray[Any] | None = None) -> NDArray[Any]:
        """How many robust spreads each value lies from its training median, either way."""
        found: NDArray[Any] = np.abs(vectors - self.constants["medians"]) / np.asarray(self.constants["scales"])
        return found

    def _contributors(self, vectors: NDArray[Any]) -> tuple[list[list[str] | None], list[list[float] | None]]:
        distance = self.distances(vectors)
        order = np.argsort(-distance, axis=1, kind="stable")[:, :TOP]
        strengths = np.take_along_axis(distance, order, axis=1)
        names = np.asarray(self.constants["feature_names"], dtype=object)[order]
        counts = (strengths > 0.0).sum(axis=1)
        return (
            [row[:count].tolist() if count else None for row, count in zip(names, counts, strict=True)],
            [row[:count].tolist() if count else None for row, count in zip(strengths, counts, strict=True)],
        )
