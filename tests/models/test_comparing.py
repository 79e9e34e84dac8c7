"""Criteria that score stored rows: divergence, flagged share, top overlap, repeatability, slices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

import palantir_models as pm
from mirror.datasets import TransactionType, Workspace
from mirror.datasets.output_port import DatasetWritePort
from mirror.located import Located
from mirror.models import Governance, ModelBinder, Outcome
from mirror.models.criteria.base import Candidate
from mirror.models.criteria.fair_slices import FairSlices
from mirror.models.criteria.flagged_share import FlaggedShare
from mirror.models.criteria.repeatable import Repeatable
from mirror.models.criteria.score_divergence import ScoreDivergence, divergence
from mirror.models.criteria.top_overlap import TopOverlap
from mirror.models.scoring import CannotJudgeError, Sample, sample_rows
from palantir_models.transforms import ModelOutput

from .conftest import FOREST, training_job

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


def store(workspace: Workspace, rows: pd.DataFrame, folder: Any) -> None:
    """The rows as two Parquet files of one transaction."""
    dataset = workspace.store.create("/Fleet/air_handler/device_features")
    opened = workspace.store.open_transaction(dataset, "master", TransactionType.SNAPSHOT)
    folder.mkdir()
    for part in range(2):
        pq.write_table(pa.Table.from_pandas(rows.iloc[part::2], preserve_index=False), folder / f"{part}.parquet")
    DatasetWritePort(opened).write_files(str(folder))
    opened.commit()


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
