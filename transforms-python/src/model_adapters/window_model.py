"""What all families share: the columns they take, the verdict they give, and how raw values become scores."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import palantir_models as pm
from model_adapters.arrays import Arrays, digest
from model_adapters.constants import Constants
from model_adapters.errors import (
    ArtefactError,
    FeatureMismatchError,
    FeatureOrderError,
    FeatureTypeError,
    InfiniteFeatureError,
)

Floats = NDArray[np.float64]
TOP = 5


def normalised(raw: Floats, low: float | Floats, high: float | Floats) -> Floats:
    """``raw`` on the scale on which ``low`` is 0 and ``high`` is 1, clipped; 0 where the two are one.

    What is no number stays none, without a warning: scoring refuses it by name.
    """
    spread = np.asarray(high, dtype=np.float64) - low
    apart = np.where(spread > 0.0, spread, 1.0)
    with np.errstate(invalid="ignore"):
        found: Floats = np.where(spread > 0.0, np.clip((raw - low) / apart, 0.0, 1.0), 0.0)
    return found


def robust_distances(vectors: Floats, medians: Sequence[float], scales: Sequence[float]) -> Floats:
    """How many robust spreads each value lies from its training median, either way."""
    found: Floats = np.abs(vectors - np.asarray(medians, dtype=np.float64)) / np.asarray(scales, dtype=np.float64)
    return found


class WindowModelAdapter(pm.ModelAdapter):
    """The call that every family answers; see the package's docstring for its columns.

    A family says how its raw values come about (:meth:`raw`), how they are placed on the scale (:meth:`scores`), and
    how far each feature is from normal (:meth:`distances`).
    """

    constants: Constants

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

    @abstractmethod
    def raw(self, vectors: Floats, cohorts: NDArray[Any] | None) -> Floats:
        """One number per complete vector, larger where it is less normal. Rows are independent of each other.

        ``cohorts`` are texts or null, one per row; ``None`` is a fleet without.
        """

    @abstractmethod
    def fitted_arrays(self) -> Arrays:
        """The fitted numbers, whose digest the constants record."""

    def scores(self, vectors: Floats, cohorts: NDArray[Any] | None = None) -> Floats:
        """0..1: raw values between the two that training froze, clipped."""
        if not len(vectors):
            return np.empty(0)
        return normalised(self.raw(vectors, cohorts), self.constants["raw_min"], self.constants["raw_max"])

    def distances(self, vectors: Floats, cohorts: NDArray[Any] | None) -> Floats | None:
        """How far each value of each row is from normal, never negative; ``None`` where a family cannot tell.

        Robust spreads from the training median: one subtraction and one division per value, the same for every batch.
        Attribution along the paths of 200 trees costs ten times as much, and names the planted feature no more often.
        """
        return robust_distances(vectors, self.constants["medians"], self.constants["scales"])

    def predict(self, df_in: pd.DataFrame) -> pd.DataFrame:
        """``df_in`` plus the verdict of every row; a row's result depends on that row alone.

        Raises:
            FeatureMismatchError: a feature column is missing, or has another name.
            FeatureOrderError: the frame's ``feature_names`` are not the model's.
            FeatureTypeError: a value is no number.
            InfiniteFeatureError: a value is infinite. Null and NaN are fine.
        """
        vectors, cohorts, filled = self.vectors(df_in)
        scores = self.scores(vectors, cohorts)
        threshold = self.constants["threshold"]
        contributors, magnitudes = self._contributors(self.distances(vectors, cohorts), len(vectors))
        return df_in.assign(
            anomaly_score=scores,
            anomaly_flag=scores > threshold,
            threshold_used=threshold,
            top_contributors=pd.Series(contributors, index=df_in.index, dtype="object"),
            contributor_scores=pd.Series(magnitudes, index=df_in.index, dtype="object"),
            imputed_feature_count=filled,
        )

    def vectors(self, df_in: pd.DataFrame) -> tuple[Floats, NDArray[Any] | None, NDArray[np.int32]]:
        """Complete vectors in the model's order, each row's cohort, and how many values of it were filled."""
        constants = self.constants
        names, model_id = constants["feature_names"], constants["model_id"]
        missing = [name for name in names if name not in df_in.columns]
        if missing:
            raise FeatureMismatchError(model_id, missing, [str(name) for name in df_in.columns])
        if "feature_names" in df_in.columns:
            for listed in {tuple(one) for one in df_in["feature_names"]} - {tuple(names)}:
                raise FeatureOrderError.between(model_id, names, listed)
        try:
            values = df_in[names].to_numpy(dtype="float64", na_value=np.nan)
        except (TypeError, ValueError) as error:
            raise _no_number(model_id, df_in[names]) from error
        infinite = np.isinf(values)
        if infinite.any():
            odd = [name for name, wrong in zip(names, infinite.any(axis=0), strict=True) if wrong]
            raise InfiniteFeatureError(model_id, odd, int(infinite.any(axis=1).sum()))
        known = df_in["cohort_id"].to_numpy(dtype=object) if "cohort_id" in df_in.columns else None
        absent = np.isnan(values)
        filled = absent.sum(axis=1).astype("int32")
        if filled.any():
            values = np.where(absent, self._stand_ins(known, len(values)), values)
        return values, known, filled

    def _stand_ins(self, cohorts: NDArray[Any] | None, rows: int) -> Floats:
        """The frozen medians per row: of its cohort where there are any, else of the fleet."""
        fleet = np.asarray(self.constants["medians"], dtype=np.float64)
        per_feature = self.constants.get("cohort_medians") or []
        if cohorts is None or not per_feature:
            return np.broadcast_to(fleet, (rows, len(fleet)))
        codes, known = pd.factorize(cohorts, use_na_sentinel=True)
        own = [[one.get(str(cohort), np.nan) for one in per_feature] for cohort in known]
        medians = np.vstack([*own, fleet]) if own else fleet[None, :]
        found: Floats = np.where(np.isnan(medians), fleet, medians)[codes]  # code -1 is the last row: no cohort
        return found

    def _contributors(
        self, distance: Floats | None, rows: int
    ) -> tuple[list[list[str] | None], list[list[float] | None]]:
        if distance is None:
            return [None] * rows, [None] * rows
        order = np.argsort(-distance, axis=1, kind="stable")[:, :TOP]
        strengths = np.take_along_axis(distance, order, axis=1)
        names = np.asarray(self.constants["feature_names"], dtype=object)[order]
        counts = (strengths > 0.0).sum(axis=1)
        return (
            [row[:count].tolist() if count else None for row, count in zip(names, counts, strict=True)],
            [row[:count].tolist() if count else None for row, count in zip(strengths, counts, strict=True)],
        )

    def refuse_other_parts(self, width: int) -> None:
        """Raises :class:`ArtefactError` unless the fitted part was published with these names and constants.

        ``width``: how many features it takes. A version that records no digest is from before there was one.
        """
        if not self.constants.get("fitted_sha256"):
            return
        constants = self.constants
        names, wanted = constants["feature_names"], constants["fitted_sha256"]
        if width != len(names):
            raise ArtefactError(constants["model_id"], f"it was fitted on {width} features and lists {len(names)}")
        if len(constants["medians"]) != len(names) or len(constants["scales"]) != len(names):
            raise ArtefactError(constants["model_id"], "medians and scales do not run parallel to feature_names")
        found = digest(names, self.fitted_arrays())
        if found != wanted:
            problem = f"its fitted part and feature names have the hash {found}, recorded is {wanted}"
            raise ArtefactError(constants["model_id"], problem)


def _no_number(model_id: str, rows: pd.DataFrame) -> FeatureTypeError:
    """The error about the first column that cannot be read as numbers, with the first value that is to blame."""
    name = next(name for name in rows.columns if not _is_numeric(rows[name]))
    known = rows[name].dropna()
    wrong = pd.to_numeric(known, errors="coerce").isna()
    return FeatureTypeError(model_id, str(name), repr((known[wrong] if wrong.any() else known).iloc[0])[:80])


def _is_numeric(column: pd.Series[Any]) -> bool:
    try:
        column.to_numpy(dtype="float64", na_value=np.nan)
    except (TypeError, ValueError):
        return False
    return True
