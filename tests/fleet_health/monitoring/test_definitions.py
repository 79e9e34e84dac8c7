"""Metric definitions: the shipped ones are sound, and one nobody could act on is refused."""

from __future__ import annotations

from importlib import resources

import pytest

from fleet_health.monitoring.definitions import (
    FAMILIES,
    parse_metrics,
    parse_playbook,
    shipped_metrics,
    shipped_playbook,
)
from fleet_health.monitoring.errors import MetricDefinitionError
from fleet_health.monitoring.passes import MEASURES
from fleet_health.monitoring.retraining import parse_triggers, shipped_triggers


def text(name: str) -> str:
    return resources.files("fleet_health.monitoring").joinpath(name).read_text(encoding="utf-8")


def test_all_metrics_have_owner_and_runbook_and_nothing_is_measured_for_nobody() -> None:
    metrics = shipped_metrics(MEASURES)
    assert len(metrics) == 77
    assert set(FAMILIES) < {metric.family for metric in metrics}
    playbook = shipped_playbook()
    for metric in metrics:
        assert playbook.runbook(metric.runbook).steps
        assert playbook.channels[metric.channel].startswith("#")
    asked = {metric.measure for metric in metrics if metric.watched_by == "transform"}
    asked |= {condition.measure for trigger in shipped_triggers() for condition in trigger.any_of}
    assert set(MEASURES) - asked == set()
    assert len(playbook.runbooks) == 18
    assert {runbook.id for runbook in playbook.runbooks} >= {metric.runbook for metric in metrics}


@pytest.mark.parametrize(
    ("old", "new", "problem", "fix"),
    [
        (
            ', reason: "twice the target of 15 minutes is one lost run"',
            "",
            "thresholds.0.reason: Field required",
            "`reason`",
        ),
        ("    owner: ML Scientist\n", "", "owner: Field required", "whoever is paged needs it"),
        ("    rotation: On-call ML Platform\n", "", "rotation: Field required", "`rotation`"),
        (
            "    escalation: ESC-HIGH\n    runbook: RB-13",
            "    runbook: RB-13",
            "escalation: Field required",
            "`escalation`",
        ),
        ("    runbook: RB-13\n", "", "metrics.0.runbook: Field required", "`runbook`"),
        ("runbook: RB-08", "runbook: RB-8", "runbook 'RB-8' is not defined", "Did you mean 'RB-"),
        ("channel: ml_model_alerts", "channel: ml_model_alert", "channel 'ml_model_alert' is not", "'ml_model_alerts'"),
        (
            "measure: minutes_behind_raw",
            "measure: minutes_behind",
            "measure 'minutes_behind' is not",
            "'minutes_behind_",
        ),
        ("owner: Data Engineer", "owner: [Data Engineer, ML Platform]", "metrics.0.owner", "each waits for the other"),
        (
            "owner: Data Engineer",
            "owner: Data Engineer and ML Platform",
            "VOL-01: owner 'Data Engineer and ML",
            "Data Engineer",
        ),
        (
            "owner: Data Engineer",
            "owner: Data Engineer\n    owner: ML Platform",
            "key 'owner' is written twice",
            "Remove one",
        ),
        (
            "dataset: raw_sensor_readings",
            "dataset: raw_sensor_reading",
            "dataset 'raw_sensor_reading'",
            "'raw_sensor_readings'",
        ),
        ("id: FRS-02", "id: VOL-01", "id 'VOL-01' is used twice", "Rename one"),
        ("family: volume", "family: volumes", "metrics.0.family", "`family`"),
        (
            "    against: {what: earlier, as: difference, periods: 168, least: 3}\n",
            "",
            "NUL-01 limits a change",
            "`against`",
        ),
        (
            '    how: "the hub',
            '    measure: rows_of_expected\n    how: "the hub',
            "VOL-02 is watched by the source",
            "`how`",
        ),
        ("metrics:\n", "metrics:\n  - [\n", "not valid YAML", "brackets"),
    ],
)
def test_unusable_metrics_are_refused(old: str, new: str, problem: str, fix: str) -> None:
    good = text("metrics.yaml")
    assert old in good
    with pytest.raises(MetricDefinitionError) as caught:
        parse_metrics(good.replace(old, new, 1), "metrics.yaml", shipped_playbook(), MEASURES)
    told = str(caught.value)
    assert told.startswith("metrics.yaml, line ")
    assert problem in told
    assert fix in told


def test_runbook_without_steps_is_refused() -> None:
    good = text("runbooks.yaml")
    start = good.index("    steps:\n", good.index("id: RB-09"))
    end = good.index("  - id: RB-10")
    with pytest.raises(MetricDefinitionError, match=r"runbooks\.8\.steps: Field required"):
        parse_playbook(good[:start] + good[end:], "runbooks.yaml")


@pytest.mark.parametrize(
    ("old", "new", "problem", "fix"),
    [
        ("measure: group_psi", "measure: group_pse", "RT-02: measure 'group_pse' is not defined", "'group_psi'"),
        ("action: halt_model", "action: release", "action: Input should be", "`action`"),
        ("    declared: true\n", "", "RT-10: condition None is not defined", "any_of"),
    ],
)
def test_unusable_triggers_are_refused(old: str, new: str, problem: str, fix: str) -> None:
    good = text("retraining.yaml")
    assert old in good
    with pytest.raises(MetricDefinitionError) as caught:
        parse_triggers(good.replace(old, new, 1), "retraining.yaml")
    assert problem in str(caught.value)
    assert fix in str(caught.value)
