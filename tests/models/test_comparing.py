"""Criteria that score stored rows: divergence, flagged share, top overlap, repeatability, slices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

import palantir_models as pm
from mirror.datasets import Workspace
from mirror.located import Located
from mirror.models import Governance, ModelBinder, Outcome
from mirror.models.criteria.base import Candidate
from mirror.models.criteria.contamination import Contamination
from mirror.models.criteria.fair_slices import FairSlices
from mirror.models.criteria.flagged_share import FlaggedShare
from mirror.models.criteria.maintenance_lift import MaintenanceLift
from mirror.models.criteria.regression_set import RegressionSet
from mirror.models.criteria.repeatable import Repeatable
from mirror.models.criteria.score_divergence import ScoreDivergence, divergence
from mirror.models.criteria.score_skewness import ScoreSkewness
from mirror.models.criteria.top_overlap import TopOverlap
from mirror.models.scoring import CannotJudgeError, Sample, sample_rows
from palantir_models.transforms import ModelOutput

from .conftest import FOREST, store, training_job

DEVICES = 40
PASS, REJECT, PENDING = Outcome.PASS, Outcome.REJECT, Outcome.PENDING
SAMPLE = Sample("{fleet}/device_features")


class Power(pm.ModelAdapter):
    """Scores ``x`` in 0..1 as its power; ``leak`` makes a row's score depend on its neighbours."""

    @pm.auto_serialize
    def __init__(self, exponent: float, leak: bool = False, breaks: bool = False) -> None:
        self.exponent, self.leak, self.breaks = exponent, leak, breaks

    @classmethod
    def api(cls) -> Any:
        return {"df_in": pm.Pandas()}, {"df_out": pm.Pandas()}

    def predict(self, df_in: pd.DataFrame) -> pd.DataFrame:
        if self.breaks:
            raise ValueError("no such feature")
        score = df_in["x"] ** self.exponent
        if self.leak:
            score = score.cummax()
        return df_in.assign(anomaly_score=score, anomaly_flag=score > 0.9)


@pytest.fixture
def rows() -> pd.DataFrame:
    x = np.linspace(0.0, 1.0, 2000)
    order = np.random.default_rng(3).permutation(2000)
    device = (np.arange(2000) * DEVICES // 2000)[order]
    return pd.DataFrame(
        {"device_id": [f"D{d:02}" for d in device], "x": x[order], "zone": np.where(x[order] > 0.8, "hot", "mild")}
    )


@pytest.fixture
def compare(workspace: Workspace) -> Any:
    """Publishes champion and candidate and gives what a criterion is handed."""

    def run(champion: Power | None, candidate: Power) -> Candidate:
        binder = ModelBinder(workspace)
        declared, versions = ModelOutput(FOREST), []
        for adapter in filter(None, (champion, candidate)):
            job = training_job(workspace)
            port = binder.bind(declared, binder.resolve(job.spec.params[0], "master"), job)
            rid = declared._bind(port).publish(adapter)
            with workspace.catalog.writing() as connection:
                binder.commit(connection, job)
            versions.append(binder.registry.by_rid(rid))
        model, version = versions[-1]
        return Candidate(binder.registry, model, version, versions[0][1] if champion else None)

    return run


def test_a_candidate_is_compared_with_the_champion_over_stored_rows(
    workspace: Workspace, rows: pd.DataFrame, compare: Any, tmp_path: Any
) -> None:
    store(workspace, rows, tmp_path / "parts")
    same = compare(Power(1.0), Power(1.05))
    found = {type(c).__name__: c.judge(same) for c in (
        ScoreDivergence(SAMPLE, 0.1), FlaggedShare(SAMPLE, 2.0), TopOverlap(SAMPLE, 0.8), Repeatable(SAMPLE),
    )}  # fmt: skip
    assert {name: f.outcome for name, f in found.items()} == dict.fromkeys(found, PASS)
    assert found["FlaggedShare"].detail == "flags 9.55 % of 2000 rows, production 10.00 %, at most 2 points apart"
    assert found["TopOverlap"].detail == "100% of the top 2 by device_id are those of production, at least 80%"
    assert found["Repeatable"].detail == "2000 scores are identical when scored again in another order"
    assert len(same.scored) == 2
    other = compare(Power(1.0), Power(0.2))
    assert ScoreDivergence(SAMPLE, 0.1).judge(other).outcome is REJECT
    assert FlaggedShare(SAMPLE, 2.0).judge(other).outcome is REJECT
    unfair = FairSlices(SAMPLE, "zone", 2.0).judge(same)
    assert unfair.outcome is REJECT
    assert unfair.detail == "flagged more than 2 times the fleet's 9.6 %: hot 47.8 %"
    assert FairSlices(SAMPLE, "zone", 6.0).judge(same).detail.startswith("2 slices of zone within 6 times")
    assert FairSlices(SAMPLE, "zone", 2.0, min_rows=401).judge(same).outcome is PASS
    small = FairSlices(Sample("{fleet}/device_features", min_devices=41), "zone", 2.0).judge(same)
    assert (small.outcome, small.detail[:10]) == (PASS, "40 devices")
    leaky = Repeatable(SAMPLE).judge(compare(None, Power(1.0, leak=True)))
    assert leaky.outcome is REJECT
    assert leaky.detail.endswith("scores differ when scored again in another order")


def test_every_nth_row_is_taken_over_all_files(
    workspace: Workspace, rows: pd.DataFrame, compare: Any, tmp_path: Any
) -> None:
    store(workspace, rows, tmp_path / "parts")
    candidate = compare(None, Power(1.0))
    taken = sample_rows(candidate, "/Fleet/air_handler/device_features", 300)
    joined = pd.concat([rows.iloc[0::2], rows.iloc[1::2]], ignore_index=True)
    assert taken["x"].tolist() == joined["x"].iloc[::7].tolist()
    hot = sample_rows(
        candidate, "/Fleet/air_handler/device_features", 10_000, (("x", 0.5, None), ("zone", "mild", "mild"))
    )
    assert hot["x"].tolist() == joined["x"][(joined["x"] >= 0.5) & (joined["x"] <= 0.8)].tolist()
    for where, text in (
        ((("y", 1, 1),), "/Fleet/air_handler/device_features has no column 'y'"),
        ((("x", "$window", None),), "version 1.0.0 records no fact 'window'"),
        ((("x", 2.0, None),), "/Fleet/air_handler/device_features holds no rows to score"),
    ):
        with pytest.raises(CannotJudgeError, match=text):
            sample_rows(candidate, "/Fleet/air_handler/device_features", 300, where)


def test_which_rows_count_is_read_from_the_file() -> None:
    text = "{dataset: /d, rows: 10, where: {window: $window, zone: hot, complete: {min: 0.5}}}"
    item = Located("x.yml", yaml.compose(text, Loader=yaml.SafeLoader))
    sample = Sample.read(item.mapping("a check"))
    assert sample == Sample(
        "/d", 10, where=(("window", "$window", "$window"), ("zone", "hot", "hot"), ("complete", 0.5, None))
    )


def test_without_rows_or_champion_nothing_is_claimed(compare: Any) -> None:
    alone = compare(None, Power(1.0))
    assert ScoreDivergence(SAMPLE).judge(alone).outcome is PASS
    pair = compare(Power(1.0), Power(2.0))
    finding = TopOverlap(SAMPLE).judge(pair)
    assert (finding.outcome, finding.detail) == (
        PENDING,
        "there is no dataset /Fleet/air_handler/device_features to score",
    )
    for criterion in (Repeatable(SAMPLE), FairSlices(SAMPLE, "zone")):
        assert criterion.judge(pair).outcome is PENDING


def test_an_adapter_that_breaks_is_pending_with_its_reason_and_others_still_report(
    workspace: Workspace, rows: pd.DataFrame, compare: Any, tmp_path: Any
) -> None:
    store(workspace, rows, tmp_path / "parts")
    compare(None, Power(1.0, breaks=True))
    checks = "    checks:\n      - {name: loads, kind: loads, reason: r}\n"
    checks += (
        "      - {name: again, kind: repeatable, dataset: '{fleet}/device_features', reason: r, blocks: [staging]}\n"
    )
    text = f"objectives:\n  forest:\n    model: {FOREST}\n    owner: me\n{checks}"
    (workspace.config.repository / "ci" / "objectives.yml").write_text(text)
    verdicts = Governance(workspace).submit(FOREST, owner="ada", branch="master").verdicts
    assert [(v.name, v.outcome) for v in verdicts] == [("loads", PASS), ("again", PENDING)]
    assert verdicts[1].detail == "cannot be judged: ValueError: no such feature"


def test_divergence_is_zero_for_equal_and_grows_with_distance() -> None:
    low, high = np.full(1000, 0.1), np.full(1000, 0.9)
    half = np.concatenate([low[:500], high[:500]])
    assert divergence(low, low) == 0.0
    assert divergence(low, half) == pytest.approx(np.log(2), abs=0.02)
    assert divergence(low, high) > 5.0


def test_what_is_flagged_and_how_scores_lie_is_judged_without_a_champion(
    workspace: Workspace, rows: pd.DataFrame, compare: Any, tmp_path: Any
) -> None:
    store(workspace, rows, tmp_path / "parts")
    alone = compare(None, Power(8.0))
    assert Contamination(SAMPLE, 0.01, 0.1).judge(alone).detail == "flags 1.35% of 2000 rows, wanted 1% to 10%"
    assert Contamination(SAMPLE, 0.02, 0.1).judge(alone).outcome is REJECT
    assert Contamination(SAMPLE, 0.001, 0.012).judge(alone).outcome is REJECT
    small = Sample("{fleet}/device_features", min_devices=DEVICES + 1)
    found = Contamination(small, 0.02, 0.1).judge(alone)
    assert (found.outcome, found.detail) == (PASS, "40 devices, 41 are needed for a share to mean anything")
    assert ScoreSkewness(small, 99.0).judge(alone).outcome is PASS
    expected = (rows["x"] ** 8).skew()
    assert expected > 2.0
    assert ScoreSkewness(SAMPLE, 1.0).judge(alone).detail.startswith(f"skewness of scores is {expected:.2f} over 2000")
    assert ScoreSkewness(SAMPLE, 1.0).judge(compare(None, Power(1.0))).outcome is REJECT


def test_a_fixed_set_is_answered_as_before_and_what_was_planted_is_still_found(
    workspace: Workspace, rows: pd.DataFrame, compare: Any, tmp_path: Any
) -> None:
    fixed = rows.assign(scenario=np.where(rows["x"] > 0.89, "FAR_ABOVE", None))
    store(workspace, fixed, tmp_path / "parts", "regression_test_features")
    sample = Sample("{fleet}/regression_test_features")
    near = compare(Power(1.0), Power(0.97))
    found = RegressionSet(sample, 0.05, "scenario").judge(near)
    planted = int((fixed["x"] > 0.89).sum())
    flagged = int((fixed["x"] ** 0.97 > 0.9).sum()), int((fixed["x"] > 0.9).sum())
    assert found.outcome is PASS
    assert f"{flagged[0]} of {planted} planted ones are flagged, {flagged[1]} in production" in found.detail
    fewer = RegressionSet(sample, 0.05, "scenario").judge(compare(Power(1.0), Power(1.03)))
    assert fewer.outcome is REJECT
    assert RegressionSet(sample, 0.05).judge(compare(Power(1.0), Power(1.03))).outcome is PASS
    assert RegressionSet(sample, 0.05).judge(compare(Power(1.0), Power(1.5))).outcome is REJECT
    assert RegressionSet(sample, 0.05, "planted").judge(near).outcome is PENDING


@pytest.mark.nightly
def test_subsets_are_judged_by_themselves_with_columns_of_the_registry(
    workspace: Workspace, rows: pd.DataFrame, compare: Any, tmp_path: Any
) -> None:
    """The whole hardly moves; the devices of one model do."""
    store(workspace, rows, tmp_path / "parts")
    devices = sorted(rows["device_id"].unique())
    registry = pd.DataFrame({"device_id": devices, "model": ["new" if n >= 36 else "old" for n in range(DEVICES)]})
    store(workspace, registry, tmp_path / "registry", "device_registry")
    pair = compare(Power(1.0), Power(1.1))
    assert FlaggedShare(SAMPLE, 2.0).judge(pair).outcome is PASS
    by_model = Sample("{fleet}/device_features", lookup="{fleet}/device_registry", subsets=("model",))
    found = FlaggedShare(by_model, 2.0).judge(pair)
    assert found.outcome is REJECT
    assert found.detail.startswith("in subset model new: ")
    quarters = Sample("{fleet}/device_features", subsets=("x",))
    assert "in subset x quarter 4: " in FlaggedShare(quarters, 2.0).judge(pair).detail
    assert FlaggedShare(by_model, 20.0).judge(pair).detail.endswith("; so in 2 subsets")
    assert FlaggedShare(SAMPLE, 2.0, max_relative=0.05).judge(pair).outcome is REJECT
    few = Sample("{fleet}/device_features", lookup="{fleet}/device_registry", subsets=("model",), subset_rows=500)
    assert FlaggedShare(few, 2.0).judge(pair).outcome is PASS
    assert FlaggedShare(Sample("{fleet}/device_features", subsets=("y",)), 2.0).judge(pair).outcome is PENDING
    unfair = FairSlices(by_model, "model", 2.0).judge(pair)
    assert unfair.outcome is REJECT
    assert ": new " in unfair.detail


@pytest.mark.nightly
def test_flags_are_followed_by_maintenance_where_labels_are(
    workspace: Workspace, rows: pd.DataFrame, compare: Any, tmp_path: Any
) -> None:
    start = pd.Timestamp("2026-01-05T00:00:00Z")
    timed = rows.assign(window_end=start + pd.to_timedelta(np.arange(len(rows)) % 100, unit="h"))
    store(workspace, timed, tmp_path / "parts")
    criterion = MaintenanceLift(
        SAMPLE, "{fleet}/label_events", 1.5, min_events=4, hours=200.0, types=("failure_confirmed",)
    )
    pair = compare(Power(1.0), Power(1.05))
    without = criterion.judge(pair)
    assert (without.outcome, without.detail[:21]) == (PASS, "no labels to judge by")
    hot = [f"D{n:02}" for n in range(36, 40)]
    events = pd.DataFrame({"device_id": [*hot, "D00"], "event_timestamp": start + pd.Timedelta(days=5)})
    events["label_type"] = [*["failure_confirmed"] * 4, "other"]
    store(workspace, events, tmp_path / "labels", "label_events")
    found = criterion.judge(pair)
    assert found.outcome is PASS
    assert (
        found.detail == "an event follows a flagged row 10.00 times as often as any, at least 1.5; 10.00 in production"
    )
    assert criterion.judge(compare(None, Power(1.0))).outcome is PASS
    too_few = MaintenanceLift(SAMPLE, "{fleet}/label_events", 1.5, min_events=6, hours=200.0).judge(pair)
    assert (too_few.outcome, too_few.detail) == (PASS, "5 events follow scored rows, 6 are needed to judge")
    blind = criterion.judge(compare(Power(1.0), Power(0.01)))
    assert blind.outcome is REJECT
    assert blind.detail.endswith("10.00 in production, which is better by more than chance")
