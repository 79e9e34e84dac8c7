"""A score that equals the threshold is not above it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import IsolationForest

from model_adapters.isolation_forest import IsolationForestAdapter


class _FirstFeature(IsolationForestAdapter):
    """One whose forest isolates by the first feature itself."""

    def raw(self, vectors: Any, cohorts: Any = None) -> Any:
        return vectors[:, 0]


@pytest.mark.case("SRV-EC-01")
def test_a_score_equal_to_the_threshold_is_not_flagged() -> None:
    constants: Any = {
        "model_id": "isolation_forest_v1",
        "feature_names": ["a"],
        "medians": [0.0],
        "scales": [1.0],
        "raw_min": 0.0,
        "raw_max": 1.0,
        "threshold": 0.6,
    }
    rows = pd.DataFrame({"a": [np.nextafter(0.6, 0.0), 0.6, np.nextafter(0.6, 1.0)]})
    forest = IsolationForest(n_estimators=1).fit(rows.to_numpy())
    made = _FirstFeature(forest, constants).predict(rows)
    assert made["anomaly_score"].tolist() == rows["a"].tolist()
    assert made["anomaly_flag"].tolist() == [False, False, True]
