"""Units that are healthy in their own way: what a model of the whole fleet takes for a fault, a cohort's own does not.

SC-27, a display case whose door is hardly ever shut, and SC-29, a cabinet that is run at two degrees above zero.
"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from synthetic_windows import PROFILE, synthetic_windows

from mirror.synth import Anomaly, load_fleet
from model_adapters.autoencoder import AutoencoderAdapter
from model_training.autoencoder import fit_autoencoder
from model_training.frozen import reference_from
from model_training.rows import LearningRows, Rows

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(900)]

HOURS, SEED = 26, 18
ORDINARY, COHORT, JUDGED = 60, 24, 6
"""Units that the fleet's member learns from, that a cohort's does, and that neither has seen."""
COHORTS = ("busy_display_case", "medium_temperature_unit")
(SPEC,) = (model for model in PROFILE.models if model.family == "autoencoder")
NAMES = PROFILE.features_of(SPEC)


def _windows(first: int, units: int, kind: str | None) -> pd.DataFrame:
    planted = [] if kind is None else [Anomaly(None, kind)]
    rows = synthetic_windows(load_fleet(), SEED, range(first, first + units), HOURS, planted, minutes=60)
    # what a unit has no sensor for is filled as at model input: with the median, here of its like
    names = list(NAMES)
    rows[names] = rows[names].astype("float64").fillna(rows[names].median())
    return rows.assign(cohort_id=kind)


def _rows(windows: pd.DataFrame) -> Rows:
    columns = ("device_id", "cohort_id", "window_start", "window_end")
    return Rows(windows[list(NAMES)].to_numpy(np.float64), *(windows[name].to_numpy() for name in columns))


def _model(windows: pd.DataFrame) -> AutoencoderAdapter:
    train = _rows(windows)
    nobody = train.where(np.zeros(len(train), dtype=bool))
    rows = LearningRows(NAMES, train, nobody, nobody, nobody, "t1", datetime(2026, 1, 7, tzinfo=UTC))
    return fit_autoencoder(rows, reference_from(train.vectors, NAMES), SPEC, PROFILE)[0]


def _flagged(model: AutoencoderAdapter, windows: pd.DataFrame) -> float:
    """Share of the windows above the threshold, each judged by the member of its cohort."""
    scores = model.scores(windows[list(NAMES)].to_numpy(np.float64), windows["cohort_id"].to_numpy(dtype=object))
    return float((scores > model.constants["threshold"]).mean())


@pytest.fixture(scope="module")
def ordinary() -> pd.DataFrame:
    return _windows(0, ORDINARY, None)


def test_a_member_of_its_own_knows_what_is_normal_in_its_cohort(ordinary: pd.DataFrame) -> None:
    fleet = _model(ordinary)
    own = [_windows(100 * (n + 1), COHORT, kind) for n, kind in enumerate(COHORTS)]
    parted = _model(pd.concat([ordinary, *own], ignore_index=True))
    assert parted.constants["cohort_ids"] == list(COHORTS)
    calm = _windows(500, JUDGED, None)
    assert _flagged(parted, calm) <= 0.08
    for n, kind in enumerate(COHORTS):
        judged = _windows(100 * (n + 1) + COHORT, JUDGED, kind)
        own_share, as_any_other = _flagged(parted, judged), _flagged(fleet, judged.assign(cohort_id=None))
        assert own_share <= 0.15, kind  # a cohort of 24 units knows its edges less well than the fleet does
        assert as_any_other > (0.9 if kind == "medium_temperature_unit" else own_share), kind
