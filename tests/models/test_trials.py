"""What a trial showed, read from the windows that candidate and champion both scored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mirror.datasets import Workspace
from mirror.models import ModelRegistry, Outcome
from mirror.models.criteria.base import Candidate
from mirror.models.criteria.beside_production import BesideProduction
from mirror.models.scoring import CannotJudgeError
from mirror.models.trial_measures import MEASURES

from .conftest import Publish, store

DATASET = "{fleet}/canary_comparison"
START = pd.Timestamp("2026-01-05T23:30:00Z")
OTHER_PAIR = "forest_v1 9.9.9 vs forest_v1 9.9.8 2026-01-06T00:00:00"


@pytest.fixture
def candidate(workspace: Workspace, publish: Publish) -> Candidate:
    registry = ModelRegistry(workspace)
    champion = registry.by_rid(publish(0.5))[1]
    model, version = registry.by_rid(publish(0.6))
    return Candidate(registry, model, version, champion)


def keep(candidate: Candidate, folder: Path, **columns: list[Any]) -> None:
    """Four windows of four devices over two days, scored by both; and one row of other versions that would fail all."""
    names = [f"{candidate.model.name}_v1 {one.semantic}" for one in (candidate.version, candidate.champion) if one]
    rows = pd.DataFrame(
        {
            "comparison_id": f"{names[0]} vs {names[1]} 2026-01-06T00:00:00",
            "device_id": ["A", "B", "C", "D"],
            "window_end": [START, START, START + pd.Timedelta(hours=1), START + pd.Timedelta(hours=1)],
            **columns,
        }
    )
    stray = rows.head(1).assign(
        comparison_id=OTHER_PAIR, candidate_score=1.0, champion_score=0.0, candidate_flag=True, champion_flag=False
    )
    store(candidate.registry.workspace, pd.concat([stray, rows]), folder, "canary_comparison")


@pytest.mark.nightly
def test_each_figure_is_taken_of_the_two_versions_alone(candidate: Candidate, tmp_path: Path) -> None:
    keep(
        candidate,
        tmp_path / "rows",
        candidate_score=[0.22, 0.42, 0.52, 0.92],
        champion_score=[0.22, 0.32, 0.96, 0.92],
        candidate_flag=[False, False, False, True],
        champion_flag=[False, False, True, True],
    )
    expected = {
        "flagged_points": 25.0,
        "mean_difference": 0.135,
        "top_overlap": 0.0,  # D leads one list, C the other
        "daily_spread": 0.2,
        "flag_agreement": 0.75,
        "flagged_in_common": 0.5,
    }
    for name, value in expected.items():
        text = MEASURES[name][1]
        over = f"{text} is {value:.3f} over 4 windows of 4 devices"
        inside = BesideProduction(DATASET, name, max=value + 1e-9).judge(candidate)
        assert (inside.outcome, inside.detail[: len(over)]) == (Outcome.PASS, over)
        assert BesideProduction(DATASET, name, max=value - 1e-6).judge(candidate).outcome is Outcome.REJECT
        assert BesideProduction(DATASET, name, min=value + 1e-6).judge(candidate).outcome is Outcome.REJECT
    small = BesideProduction(DATASET, "daily_spread", 0.03, untried=Outcome.PASS, min_devices=5).judge(candidate)
    assert (small.outcome, small.detail[:9]) == (Outcome.PASS, "4 devices")
    # two scores of four lie in other bins: (1.5 ln 3 - 0.5 ln 3) twice over 14, with half a row more in each of 20 bins
    found = BesideProduction(DATASET, "divergence", max=0.31).judge(candidate)
    assert found.detail == "KL divergence of scores is 0.157 over 4 windows of 4 devices, at most 0.31"


def test_without_a_trial_the_objective_says_whether_it_is_a_duty(candidate: Candidate, tmp_path: Path) -> None:
    duty, choice = (
        BesideProduction(DATASET, "divergence", 0.1, untried=one) for one in (Outcome.PENDING, Outcome.PASS)
    )
    text = "no window was scored by both forest_v1 1.0.1 and forest_v1 1.0.0 yet"
    assert (duty.judge(candidate).outcome, duty.judge(candidate).detail[:29]) == (Outcome.PENDING, text[:29])
    assert choice.judge(candidate).outcome is Outcome.PASS
    first = Candidate(candidate.registry, candidate.model, candidate.version)
    assert duty.judge(first).outcome is Outcome.PASS
    one_day = {"window_end": [START] * 4, "candidate_flag": [False] * 4, "champion_flag": [False] * 4}
    keep(candidate, tmp_path / "rows", candidate_score=[0.1] * 4, champion_score=[0.1] * 4, **one_day)
    young = BesideProduction(DATASET, "daily_spread", 0.03).judge(candidate)
    assert (young.outcome, young.detail) == (Outcome.PENDING, "the trial has not lasted two days")
    assert BesideProduction(DATASET, "flagged_in_common", min=0.5).judge(candidate).outcome is Outcome.PASS


def test_volumes_and_unrest_are_measured_of_consecutive_windows_and_of_enough_of_them() -> None:
    """Thirty devices over three windows: every flag of the candidate turns, none of the champion's does."""
    places = [(device, window) for device in range(30) for window in range(3)]
    ends = [START + pd.Timedelta(minutes=15 * window) for _, window in places]
    ranks = [(device / 100, (device if window != 1 else 29 - device) / 100) for device, window in places]
    rows = pd.DataFrame(
        {
            "device_id": [f"D{device:02}" for device, _ in places],
            "window_start": [end - pd.Timedelta(minutes=15) for end in ends],
            "window_end": ends,
            "champion_score": [0.6 + rank for rank, _ in ranks],
            "candidate_score": [0.6 + rank for _, rank in ranks],
            "champion_flag": [device < 10 for device, _ in places],
            "candidate_flag": [device < 10 and window != 1 for device, window in places],
        }
    )
    measured = {name: measure(rows.sample(frac=1.0, random_state=1)) for name, (measure, _) in MEASURES.items()}
    assert (measured["flips_more"], measured["flagged_change"]) == (1.0, pytest.approx(1 / 3))
    assert measured["order_less"] == pytest.approx(2.0)  # from the same order to the reverse one, and back
    # above 0.85 are 4 devices in each of the three windows, in the champion's order and in the candidate's
    assert rows["champion_score"].gt(0.85).sum() == 12
    assert measured["urgent_change"] == 0.0
    rose = rows.assign(candidate_score=rows["candidate_score"].where(rows["device_id"] != "D10", 0.9))
    assert MEASURES["urgent_change"][0](rose) == pytest.approx(0.25)
    with pytest.raises(CannotJudgeError, match="4 such windows, 20 are needed to speak of a volume"):
        MEASURES["urgent_change"][0](rows[rows["window_end"] == ends[0]].head(28))
    with pytest.raises(CannotJudgeError, match="no two windows follow each other"):
        MEASURES["flips_more"][0](rows[rows["window_end"] == ends[0]])
    with pytest.raises(CannotJudgeError, match="no window ranks one device above another"):
        MEASURES["order_less"][0](rows[rows["device_id"] == "D00"])
    none_before = rows.assign(champion_flag=False)
    assert MEASURES["flagged_change"][0](none_before) == float("inf")
