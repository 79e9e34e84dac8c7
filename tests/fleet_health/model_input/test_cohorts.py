"""Cohort statistics: frozen at a cut-off, never live, never infinite."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fleet_health.model_input.cohorts import cohort_medians, frozen_statistics, z_scores

CUT_OFF = pd.Timestamp("2026-02-01")


def rows(values: list[float], cohorts: list[str | None], days: list[int]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "device_id": [f"d{n}" for n in range(len(values))],
            "cohort_id": cohorts,
            "window_end": [CUT_OFF + pd.Timedelta(days=day) for day in days],
            "humidity_mean": values,
        }
    )


TRAINED = rows([1.0, 3.0, 10.0, 10.0, 50.0], ["A", "A", "B", "B", None], [-3, -2, -1, 0, -1])


@pytest.mark.case("XSN-FL-01")
def test_rows_after_the_cut_off_change_nothing() -> None:
    before = frozen_statistics(TRAINED, ["humidity_mean"], CUT_OFF)
    later = rows([1e9, -1e9], ["A", "B"], [1, 2])
    after = frozen_statistics(pd.concat([TRAINED, later]), ["humidity_mean"], CUT_OFF)
    pd.testing.assert_frame_equal(before, after, check_exact=True)
    assert before.set_index("cohort_id")["count"].to_dict() == {None: 5, "A": 2, "B": 2}
    assert before.set_index("cohort_id")["median"].to_dict() == {None: 10.0, "A": 2.0, "B": 10.0}


@pytest.mark.case("XSN-DI-02")
def test_another_device_moves_no_z_score() -> None:
    frozen = frozen_statistics(TRAINED, ["humidity_mean"], CUT_OFF)
    live = rows([5.0, 2.0], ["A", "A"], [1, 1])
    changed = rows([5.0, 1e6], ["A", "A"], [1, 1])
    first = [z_scores(one, frozen, "humidity_mean").iloc[0] for one in (live, changed)]
    assert first == [pytest.approx(3.0 / np.sqrt(2.0))] * 2
    assert first[0] == first[1]


@pytest.mark.case("XSN-EC-04")
def test_a_deviation_of_zero_or_null_gives_null() -> None:
    trained = pd.concat([TRAINED, rows([7.0], ["C"], [-1])])
    frozen = frozen_statistics(trained, ["humidity_mean"], CUT_OFF)
    scores = z_scores(rows([11.0, 10.0, 8.0, 5.0], ["B", "B", "C", "A"], [1] * 4), frozen, "humidity_mean")
    assert scores.isna().tolist() == [True, True, True, False]  # B has deviation 0, C a single row
    assert not np.isinf(scores).any()


def test_a_device_without_cohort_is_measured_against_the_fleet() -> None:
    frozen = frozen_statistics(TRAINED, ["humidity_mean"], CUT_OFF)
    fleet = frozen[frozen["cohort_id"].isna()].iloc[0]
    scores = z_scores(rows([20.0, 20.0], [None, "never trained"], [1, 1]), frozen, "humidity_mean")
    assert scores.tolist() == [(20.0 - fleet["mean"]) / fleet["std"]] * 2


def test_medians_leave_out_cohorts_that_never_had_a_value() -> None:
    trained = pd.concat([TRAINED, rows([np.nan], ["Z"], [-1])]).sample(frac=1.0, random_state=4)
    assert cohort_medians(trained, "humidity_mean") == {"A": 2.0, "B": 10.0}
