"""Halting what scores: by a person, and because a candidate on trial broke a limit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mirror.datasets import TransactionType, Workspace
from mirror.datasets.errors import TransactionOpenError
from mirror.models import PRODUCTION, STAGING, Governance, Outcome
from mirror.models.criteria.base import Candidate
from mirror.models.criteria.canary_alerts import CanaryAlerts
from mirror.models.decisions import on_trial
from mirror.models.errors import ReleaseRefusedError

from .conftest import FOREST, OBJECTIVES, Publish, store
from .test_decisions import ADA, put, written

LIMIT = """\
      - name: CC-09
        kind: beside_production
        dataset: "{fleet}/canary_comparison"
        measure: mean_difference
        max: 0.5
        halts: true
        reason: such scores say nothing
"""
NAMED = {"model_id": "isolation_forest_v1"}


@pytest.fixture
def governance(workspace: Workspace) -> Governance:
    text = OBJECTIVES.replace("    owner:", '    decisions: "{fleet}/release_landing"\n    owner:') + LIMIT
    (workspace.config.repository / "ci" / "objectives.yml").write_text(text)
    return Governance(workspace)


def told(governance: Governance, newest: int) -> list[tuple[str, ...]]:
    names = ("deployment_role", "model_version", "traffic_fraction", "approved_by_role", "change_reason")
    return [tuple(row[name] for name in names) for row in written(governance.workspace)[-newest:]]


def on_record(governance: Governance) -> list[tuple[str, str, str]]:
    trail = governance.trail(governance.registry.model(FOREST))
    return [(entry.actor, entry.action, entry.outcome) for entry in trail if entry.action in ("halt", "resume")]


def test_one_command_stops_the_model_and_one_lets_it_score_again(governance: Governance, publish: Publish) -> None:
    put(governance, publish, 0.5, STAGING, PRODUCTION, model_version="7.0.0", **NAMED)
    for changed, sentence in ((True, "is halted in production (release 2)"), (False, "is halted already")):
        done = governance.halt(FOREST, actor="night", reason="PSI above 1")
        assert (done.changed, done.sentence) == (changed, f"{FOREST} 1.0.0 {sentence}")
    assert told(governance, 1) == [("champion", "7.0.0", "0.0", "night", "halt: PSI above 1")]
    for step in (
        lambda: governance.release(FOREST, to=PRODUCTION, **ADA),
        lambda: governance.rollback(FOREST, environment=PRODUCTION, version="1.0.0", **ADA),
    ):
        with pytest.raises(ReleaseRefusedError) as refused:
            step()
        assert "it is in production and halted (release 2)" in str(refused.value)
        assert f"`mirror models resume {FOREST} --approve-as NAME --reason TEXT`" in str(refused.value)
    with pytest.raises(ReleaseRefusedError, match="is not resumed in production: it has 0 approval"):
        governance.resume(FOREST, actor="night", approved_by=(), reason="quiet again")
    for changed, sentence in ((True, "scores again in production (release 3)"), (False, "is not halted")):
        done = governance.resume(FOREST, **ADA)
        assert (done.changed, done.sentence) == (changed, f"{FOREST} 1.0.0 {sentence}")
    assert told(governance, 1) == [("champion", "7.0.0", "1.0", "Ada", f"resume: {ADA['reason']}")]
    assert on_record(governance) == [
        ("night", "halt", "done"),
        ("night", "resume", "refused"),
        ("ada", "resume", "done"),
    ]


@pytest.mark.nightly
def test_another_version_ends_a_halt(governance: Governance, publish: Publish) -> None:
    put(governance, publish, 0.5, STAGING, PRODUCTION, model_version="7.0.0", **NAMED)
    put(governance, publish, 0.6, STAGING, PRODUCTION, model_version="7.1.0", **NAMED)
    governance.halt(FOREST, actor="night", reason="floods")
    assert governance.rollback(FOREST, environment=PRODUCTION, **ADA).sentence.endswith("1.1.0 -> 1.0.0 (release 4)")
    rows = [row[:3] for row in told(governance, 2)]
    assert rows == [("champion", "7.1.0", "0.0"), ("champion", "7.0.0", "1.0")]


def test_what_cannot_be_halted_is_refused_and_on_record(governance: Governance, publish: Publish) -> None:
    put(governance, publish, 0.5, STAGING)
    for step, why in (
        (governance.halt, "1.0.0 is not halted in production: nothing is released there"),
        (governance.halt_trial, "1.0.0 is not halted in production: no candidate is on trial"),
    ):
        with pytest.raises(ReleaseRefusedError, match=why):
            step(FOREST, actor="night", reason="because")
    assert on_record(governance) == [("night", "halt", "refused")] * 2


def compared(governance: Governance, folder: Path, difference: float) -> None:
    """One window that both versions scored, ``difference`` apart."""
    row = {"device_id": ["A"], "window_end": [pd.Timestamp("2026-01-06T00:00:00Z")], "champion_score": [0.1]}
    scores = {"candidate_score": [0.1 + difference], "candidate_flag": [True], "champion_flag": [False]}
    names = "isolation_forest_v1 7.1.0 vs isolation_forest_v1 7.0.0 2026-01-06T00:00:00"
    store(governance.workspace, pd.DataFrame({**row, **scores, "comparison_id": [names]}), folder, "canary_comparison")


def test_a_candidate_that_breaks_a_limit_is_stopped_once_by_the_build_that_shows_it(
    governance: Governance, publish: Publish, tmp_path: Path
) -> None:
    put(governance, publish, 0.5, STAGING, PRODUCTION, model_version="7.0.0", **NAMED)
    put(governance, publish, 0.6, STAGING, model_version="7.1.0", **NAMED)
    governance.try_out(FOREST, role="canary_live", share=0.05, **ADA)
    built = {"/Fleet/air_handler/canary_comparison"}
    assert governance.halt_broken_trials(built) == ()  # nothing was compared yet
    compared(governance, tmp_path / "inside", 0.49)
    assert governance.halt_broken_trials(built) == ()
    compared(governance, tmp_path / "beyond", 0.51)
    assert governance.halt_broken_trials({"/Fleet/refrigeration/canary_comparison"}) == ()
    (done,) = governance.halt_broken_trials(built)
    assert done.sentence == f"{FOREST} 1.1.0 is not tried any more as canary_live (trial 2)"
    why = "CC-09: mean absolute difference of scores is 0.510 over 1 windows of 1 devices, at most 0.5"
    assert told(governance, 1) == [("canary_live", "7.1.0", "0.0", "mirror build", f"trial: {why}")]
    assert on_record(governance) == [("mirror build", "halt", "done")]
    assert governance.halt_broken_trials(built) == ()
    # who tries it again is told again; a person may stop it as well
    governance.try_out(FOREST, role="shadow", share=1.0, **ADA)
    assert governance.halt_trial(FOREST, actor="night", reason="enough").sentence.endswith("as shadow (trial 4)")
    assert [row[:3] for row in told(governance, 2)] == [("shadow", "7.1.0", "1.0"), ("shadow", "7.1.0", "0.0")]


@pytest.mark.nightly
def test_a_row_that_could_not_be_written_is_written_by_the_next_build(
    governance: Governance, publish: Publish, tmp_path: Path
) -> None:
    put(governance, publish, 0.5, STAGING, PRODUCTION, model_version="7.0.0", **NAMED)
    put(governance, publish, 0.6, STAGING, model_version="7.1.0", **NAMED)
    compared(governance, tmp_path / "beyond", 0.51)
    built, store = {"/Fleet/air_handler/canary_comparison"}, governance.workspace.store
    landing = store.dataset("/Fleet/air_handler/release_landing")
    with (
        store.transaction(landing, "master", TransactionType.APPEND),
        pytest.raises(TransactionOpenError),
    ):
        governance.halt_broken_trials(built)
    assert [trial.share for trial in governance.trials(governance.registry.model(FOREST))] == [0.0]
    assert governance.halt_broken_trials(built) == ()
    assert [row[:3] for row in told(governance, 1)] == [("challenger", "7.1.0", "0.0")]


@pytest.mark.nightly
def test_the_offline_canary_of_a_new_staging_release_is_stopped_too(
    governance: Governance, publish: Publish, tmp_path: Path
) -> None:
    put(governance, publish, 0.5, STAGING, PRODUCTION, model_version="7.0.0", **NAMED)
    model = governance.registry.model(FOREST)
    assert on_trial(governance, model) is None  # what is in staging is in production as well
    put(governance, publish, 0.6, STAGING, model_version="7.1.0", **NAMED)
    compared(governance, tmp_path / "beyond", 0.51)
    (done,) = governance.halt_broken_trials({"/Fleet/air_handler/canary_comparison"})
    assert done.sentence.endswith("is not tried any more as challenger (trial 1)")
    assert [row[:3] for row in told(governance, 1)] == [("challenger", "7.1.0", "0.0")]
    assert on_trial(governance, model) is None


@pytest.mark.nightly
def test_alerts_of_the_canary_are_counted_per_device_and_against_its_own_time(
    governance: Governance, publish: Publish, tmp_path: Path
) -> None:
    put(governance, publish, 0.5, STAGING, PRODUCTION, model_version="7.0.0", **NAMED)
    put(governance, publish, 0.6, STAGING, model_version="7.1.0", **NAMED)
    registry, model = governance.registry, governance.registry.model(FOREST)
    champion, version = registry.versions(model)
    criterion = CanaryAlerts("{fleet}/model_scores", "{fleet}/device_alerts", 2.0, least=3)

    def judged() -> tuple[Outcome, str]:
        found = criterion.judge(Candidate(registry, model, version, champion, on_trial(governance, model)))
        return found.outcome, found.detail

    assert judged() == (Outcome.PASS, "no live canary serves devices with it")
    governance.try_out(FOREST, role="canary_live", share=0.2, **ADA)
    assert judged()[1].startswith("nothing to compare yet: there is no dataset")
    day = pd.Timestamp("2026-01-06T00:00:00Z")
    # a canary of two devices beside four; before it began, everybody was the champion's
    scores = [("7.0.0", device, day - pd.Timedelta(days=1)) for device in "ABCDEF"]
    scores += [("7.1.0" if device in "AB" else "7.0.0", device, day) for device in "ABCDEF"]
    frame = pd.DataFrame(scores, columns=["model_version", "device_id", "window_end"])
    store(governance.workspace, frame.assign(model_id="isolation_forest_v1"), tmp_path / "s", "model_scores")

    def alerts(folder: str, *devices: str) -> None:
        rows = [(device, day, "ANOMALY_DETECTED", False) for device in devices]
        rows += [("A", day, "ANOMALY_RESOLVED", False), ("A", day, "ANOMALY_DETECTED", True)]
        rows += [("A", day - pd.Timedelta(days=1), "ANOMALY_DETECTED", False)]
        names = ["device_id", "window_end", "alert_type", "suppressed"]
        store(governance.workspace, pd.DataFrame(rows, columns=names), tmp_path / folder, "device_alerts")

    alerts("few", "A", "B", "C")
    assert judged() == (Outcome.PASS, "2 alerts of 2 devices beside 1 of 4, 3 are needed to judge")
    alerts("inside", "A", "A", "B", "B", "C", "D", "E", "F")
    assert judged() == (Outcome.PASS, "4 alerts of 2 devices beside 4 of 4: 2.00 times as many per device, at most 2")
    alerts("beyond", "A", "A", "B", "B", "B", "C", "D", "E", "F")
    assert judged()[0] is Outcome.REJECT
    alerts("alone", "A", "A", "B")
    assert judged() == (Outcome.REJECT, "3 alerts of 2 devices beside 0 of 4: inf times as many per device, at most 2")


@pytest.mark.nightly
def test_the_version_in_production_is_listed_as_halted(governance: Governance, publish: Publish, capsys: Any) -> None:
    from .test_cli import mirror

    put(governance, publish, 0.5, STAGING, PRODUCTION)
    code, out = mirror(governance.workspace, capsys, "halt", FOREST, "--reason", "r", "--as", "night", as_json=False)
    assert (code, out) == (0, f"{FOREST} 1.0.0 is halted in production (release 2)\n")
    assert '"halted": true' in mirror(governance.workspace, capsys, "list")[1]
    code, out = mirror(
        governance.workspace, capsys, "resume", FOREST, "--approve-as", "Ada", "--reason", "r", as_json=False
    )
    assert (code, out) == (0, f"{FOREST} 1.0.0 scores again in production (release 3)\n")
    assert mirror(governance.workspace, capsys, "halt", FOREST, "--trial", "--reason", "r")[0] == 1
