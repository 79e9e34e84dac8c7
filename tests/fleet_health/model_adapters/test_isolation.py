"""How early trees isolate a row: what scikit-learn says, in arithmetic that is the same on every machine."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from model_adapters.isolation import Isolation, expected_depth, power_of_two, single


def test_a_forest_isolates_as_scikit_learn_says() -> None:
    """One tree, one sampled row, an offset of its own, rows at a split, a batch of one."""
    drawn = np.random.default_rng(11)
    rows = drawn.normal(size=(500, 4))
    settings: list[dict[str, Any]] = [
        {"n_estimators": 50},
        {"n_estimators": 1, "max_samples": 1},
        {"n_estimators": 3, "max_samples": 2},
        {"n_estimators": 5, "contamination": 0.1},
    ]
    for setting in settings:
        forest = IsolationForest(random_state=1, n_jobs=1, **setting).fit(rows[:300])
        splits = np.concatenate([tree.tree_.threshold for tree in forest.estimators_])
        probe = single(np.vstack([rows, np.repeat(splits[:200, None], 4, axis=1)]))
        expected = -forest.decision_function(probe)
        found = Isolation(forest).raw(probe)
        np.testing.assert_allclose(found, expected, rtol=0, atol=5e-16)
        assert Isolation(forest).raw(probe[7:8]).tolist() == found[7:8].tolist()


def test_powers_are_right_to_the_last_bit_or_its_neighbour() -> None:
    """Against exact arithmetic, because the machine's own powers are what differs between machines."""
    exponents = -np.random.default_rng(2).uniform(0.0, 6.0, 500)
    exact = np.array([float(Decimal(2) ** Decimal(float(one))) for one in exponents])
    assert (np.abs(power_of_two(exponents) - exact) <= np.spacing(exact)).all()
    assert power_of_two(np.array([0.0, -1.0, -2.0, 3.0])).tolist() == [1.0, 0.5, 0.25, 8.0]
    assert [expected_depth(rows) for rows in (0, 1, 2)] == [0.0, 0.0, 1.0]
    assert expected_depth(256) == pytest.approx(10.2448, abs=1e-4)
