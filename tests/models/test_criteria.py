"""What each kind of check says about a version, with and without a version in production."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from mirror.datasets import Workspace
from mirror.models import ModelRegistry, Outcome
from mirror.models.criteria.api_unchanged import ApiUnchanged
from mirror.models.criteria.base import Candidate, Criterion
from mirror.models.criteria.loads import Loads
from mirror.models.criteria.metric_range import MetricRange
from mirror.models.criteria.not_worse import NotWorse
from mirror.models.criteria.own_version import OwnVersion
from mirror.models.criteria.provenance import Provenance
from mirror.models.criteria.required_facts import RequiredFacts
from mirror.models.criteria.temporal_split import TemporalSplit

from .conftest import Publish

PASS, REJECT, PENDING = Outcome.PASS, Outcome.REJECT, Outcome.PENDING


@pytest.fixture
def candidate(workspace: Workspace, publish: Publish) -> Candidate:
    registry = ModelRegistry(workspace)
    champion = registry.by_rid(publish(0.5, auc=0.8))[1]
    model, version = registry.by_rid(publish(0.6, auc=0.79))
    return Candidate(registry, model, version, champion)


RAISE = "raise it in the profile (a patch for new data) and train again"
CASES: list[tuple[Criterion, Outcome, str]] = [
    (MetricRange("auc", min=0.75), PASS, "auc is 0.79, wanted at least 0.75"),
    (MetricRange("auc", max=0.79), PASS, "auc is 0.79, wanted at most 0.79"),
    (MetricRange("auc", 0.8, 0.9), REJECT, "auc is 0.79, wanted 0.8 to 0.9"),
    (MetricRange("auk", 0.8), REJECT, "auk was never measured for this version. Did you mean 'auc'?"),
    (NotWorse("auc"), REJECT, "auc is 0.79, in production 0.8 (higher is better)"),
    (NotWorse("auc", tolerance=0.05), PASS, "auc is 0.79, in production 0.8 (higher is better)"),
    (NotWorse("auc", better="lower"), PASS, "auc is 0.79, in production 0.8 (lower is better)"),
    (NotWorse("f1"), PENDING, "f1 was never measured for the version in production"),
    (Provenance(), PASS, "trained from ri.data@ri.tx.7 by training:train"),
    (RequiredFacts(metrics=("auc",), facts=("seed",)), PASS, "2 recorded"),
    (RequiredFacts(metrics=("f1",), facts=("seed", "threshold")), REJECT, "not recorded: f1, threshold"),
    (
        OwnVersion("rate"),
        REJECT,
        "calls itself 0.05 as 1.0.0 in production does: raise it in the profile (a patch for new data) and train again",
    ),
    (OwnVersion("auc"), PASS, "calls itself 0.79"),
    (OwnVersion("name"), REJECT, "the artefact does not say its name"),
    (ApiUnchanged(), PASS, "same interface as 1.0.0 in production"),
]


def test_each_criterion_judges_with_one_sentence(candidate: Candidate) -> None:
    for criterion, outcome, detail in CASES:
        finding = criterion.judge(candidate)
        assert (finding.outcome, finding.detail) == (outcome, detail), criterion


def test_without_a_champion_nothing_can_be_worse_or_break(candidate: Candidate) -> None:
    alone = dataclasses.replace(candidate, champion=None)
    assert NotWorse("f1").judge(alone).outcome is PASS
    assert ApiUnchanged().judge(alone).outcome is PASS


def test_nothing_measured_at_all_is_pending(candidate: Candidate) -> None:
    bare = dataclasses.replace(candidate, version=dataclasses.replace(candidate.version, facts={}))
    assert MetricRange("auc", min=0.1).judge(bare).outcome is PENDING


def test_missing_provenance_is_named(candidate: Candidate) -> None:
    version = dataclasses.replace(
        candidate.version, provenance={"inputs": [], "transform": "t", "packages": {"a": "1"}}
    )
    finding = Provenance().judge(dataclasses.replace(candidate, version=version))
    assert finding.outcome is REJECT
    assert finding.detail.startswith("not recorded: inputs, logic_version, seed (log_param('seed'")


def test_a_changed_interface_and_an_artefact_that_does_not_load_are_rejected(candidate: Candidate) -> None:
    api: dict[str, Any] = {**candidate.version.api, "inputs": [{"name": "other", "type": "tabular"}]}
    version = dataclasses.replace(candidate.version, api=api)
    finding = ApiUnchanged().judge(dataclasses.replace(candidate, version=version))
    assert finding.detail == "the declared interface changed: input 'df_in' is gone, input 'other' is new"
    assert Loads().judge(candidate).detail.startswith("Threshold loads, sha256 ")
    gone = dataclasses.replace(candidate.version, adapter="tests.models.conftest:Gone")
    finding = Loads().judge(dataclasses.replace(candidate, version=gone))
    assert finding.outcome is REJECT
    assert "the adapter class is gone" in finding.detail


def test_a_split_that_leaks_in_time_or_devices_is_rejected(candidate: Candidate) -> None:
    def judged(criterion: TemporalSplit, **facts: Any) -> tuple[Outcome, str]:
        version = dataclasses.replace(candidate.version, facts=facts)
        finding = criterion.judge(dataclasses.replace(candidate, version=version))
        return finding.outcome, finding.detail

    times = {"training_window_end": "2026-01-01T00:00:00+00:00", "validation_window_start": "2026-01-08"}
    assert judged(TemporalSplit(7), **times) == (PASS, "validation starts 7.0 days after training ends")
    close = {**times, "validation_window_start": "2026-01-07T23:59:00+00:00"}
    assert judged(TemporalSplit(7), **close) == (
        REJECT, "training ends 2026-01-01 00:00, validation starts 2026-01-07 23:59: less than 7 days apart",
    )  # fmt: skip
    held_out = TemporalSplit(7, devices=True)
    assert judged(held_out, **times)[1] == "not recorded: training_devices, validation_devices"
    assert judged(held_out, **times)[0] is PENDING
    devices = {"training_devices": ["D1", "D2"], "validation_devices": ["D2", "D3"]}
    assert judged(held_out, **times, **devices) == (REJECT, "1 devices trained and validate, D2 among them")
    apart = {**devices, "validation_devices": ["D3"]}
    assert judged(held_out, **times, **apart)[0] is PASS
