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
from fleet_health.monitoring.measures import MEASURES


def text(name: str) -> str:
    return resources.files("fleet_health.monitoring").joinpath(name).read_text(encoding="utf-8")


def test_one_metric_of_each_family_with_owner_and_runbook() -> None:
    metrics = shipped_metrics(MEASURES)
    assert sorted(metric.family for metric in metrics) == sorted(FAMILIES)
    playbook = shipped_playbook()
    for metric in metrics:
        assert playbook.runbook(metric.runbook).steps
        assert playbook.channels[metric.channel].startswith("#")


@pytest.mark.parametrize(
    ("old", "new", "problem", "fix"),
    [
        (
            ', reason: "twice the target of 15 minutes is one lost run"',
            "",
            "thresholds.0.reason: Field required",
            "`reason`",
        ),
        ("    owner: ML Scientist\n", "", "metrics.4.owner: Field required", "whoever is paged needs it"),
        ("    rotation: On-call ML Platform\n", "", "metrics.4.rotation: Field required", "`rotation`"),
        (
            "    escalation: ESC-HIGH\n    runbook: RB-13",
            "    runbook: RB-13",
            "escalation: Field required",
            "`escalation`",
        ),
        ("    runbook: RB-13\n", "", "metrics.0.runbook: Field required", "`runbook`"),
        ("runbook: RB-08", "runbook: RB-8", "NUL-01: runbook 'RB-8' is not defined", "Did you mean 'RB-08'?"),
        ("channel: ml_model_alerts", "channel: ml_model_alert", "channel 'ml_model_alert' is not", "'ml_model_alerts'"),
        (
            "measure: minutes_behind_raw",
            "measure: minutes_behind",
            "measure 'minutes_behind' is not",
            "'minutes_behind_raw'",
        ),
        ("id: FRS-02", "id: VOL-01", "id 'VOL-01' is used twice", "Rename one"),
        ("family: volume", "family: volumes", "metrics.0.family", "`family`"),
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
    with pytest.raises(MetricDefinitionError, match=r"runbooks\.2\.steps: Field required"):
        parse_playbook(good[:start] + good[end:], "runbooks.yaml")
