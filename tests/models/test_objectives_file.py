"""``ci/objectives.yml``: the repository's own file loads, and every mistake is told with file, line and fix."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from mirror.located import Located
from mirror.models import load_objectives
from mirror.models.criteria import criterion_kinds
from mirror.models.errors import ObjectivesFileError

ROOT = Path(__file__).resolve().parents[2]
HEAD = "objectives:\n  forest:\n    model: /m\n    owner: me\n"
CHECK = HEAD + "    checks:\n      - "


def loaded(tmp_path: Path, text: str) -> ObjectivesFileError | None:
    (tmp_path / "ci").mkdir()
    (tmp_path / "ci" / "objectives.yml").write_text(text)
    try:
        load_objectives(tmp_path)
    except ObjectivesFileError as error:
        return pickle.loads(pickle.dumps(error))  # noqa: S301
    return None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "ci/objectives.yml:1: the file is empty"),
        ("objectives: [\n", "ci/objectives.yml:2: not valid YAML"),
        ("? [a]: b\n", "ci/objectives.yml:1: this value cannot be read: found unhashable key"),
        ("objective: {}\n", "ci/objectives.yml:1: the file has no 'objective'. Did you mean 'objectives'?"),
        ("objectives:\n  forest:\n    owner: me\n", "ci/objectives.yml:3: objective 'forest' needs 'model'"),
        (HEAD + "    owner: you\n", "ci/objectives.yml:5: 'owner' is given twice"),
        (HEAD + "    keep_versions: 0\n", "ci/objectives.yml:5: keep_versions must be a whole number from 1 up, not 0"),
        (HEAD + "    environments:\n      prod: {}\n", "ci/objectives.yml:6: environments has no 'prod'"),
        (
            HEAD + "    environments:\n      production: {approvers: [Ada], approvals: 2}\n",
            "ci/objectives.yml:6: 2 approvals cannot come from 1 approver(s)",
        ),
        (CHECK + "{name: a, kind: loads}\n", "ci/objectives.yml:6: a check needs 'reason'. Say why it must hold."),
        (
            CHECK + "{name: a, kind: metric_rnge, reason: r}\n",
            "ci/objectives.yml:6: there is no check of kind 'metric_rnge'. Did you mean 'metric_range'?",
        ),
        (
            CHECK + "{name: a, kind: loads, reason: r, blocks: [prod]}\n",
            "there is no environment 'prod'. Known: staging",
        ),
        (CHECK + "{name: a, kind: loads, reason: r, metric: x}\n", "this kind of check has no 'metric'"),
        (CHECK + "{name: a, kind: metric_range, reason: r}\n", "this kind of check needs 'metric'"),
        (CHECK + "{name: a, kind: metric_range, reason: r, metric: x}\n", "a metric_range needs 'min' or 'max'"),
        (
            CHECK + "{name: a, kind: metric_range, reason: r, metric: x, min: 2, max: 1}\n",
            "ci/objectives.yml:6: min 2 is above max 1",
        ),
        (
            CHECK + "{name: a, kind: not_worse, reason: r, metric: x, better: bigger}\n",
            "better is 'higher' or 'lower', not 'bigger'",
        ),
        (
            CHECK + "{name: a, kind: beside_production, reason: r, dataset: /d, measure: overlap, min: 1}\n",
            "ci/objectives.yml:6: nothing is measured as 'overlap'. Known: divergence,",
        ),
        (
            CHECK + "{name: a, kind: beside_production, reason: r, dataset: /d, measure: divergence}\n",
            "this kind of check needs either 'max' or 'min'",
        ),
        (
            CHECK
            + "{name: a, kind: beside_production, reason: r, dataset: /d, measure: divergence, max: 1, untried: so}\n",
            "untried is pass or pending",
        ),
        (CHECK + "{name: a, kind: loads, reason: r, halts: 1}\n", "halts must be true or false, not 1"),
        (
            CHECK + "{name: a, kind: loads, reason: r}\n      - {name: a, kind: loads, reason: r}\n",
            "ci/objectives.yml:7: the check 'a' is given twice",
        ),
    ],
)
def test_a_mistake_is_pointed_at(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in str(loaded(tmp_path, text))


def test_a_repository_without_the_file_governs_nothing(tmp_path: Path) -> None:
    objectives = load_objectives(tmp_path)
    assert objectives.all == ()
    assert objectives.for_model("/any") is None


def test_this_repositorys_objectives_govern_the_forests_of_every_fleet() -> None:
    objectives = load_objectives(ROOT)
    found = {p: objectives.for_model(f"/Fleet/{p}/models/isolation_forest") for p in ("air_handler", "refrigeration")}
    assert {o.name for o in found.values() if o} == {"isolation_forest"}
    objective = objectives.named("isolation_forest")
    assert [objective.environment_of(b) for b in ("master", "release", "develop", "feature/x")] == [
        "production", "production", "staging", "staging",
    ]  # fmt: skip
    assert all(check.reason for check in objective.checks)


def test_every_kind_of_check_reads_itself_and_says_what_it_is() -> None:
    import yaml

    samples = {
        "api_unchanged": "{}",
        "loads": "{}",
        "metric_range": "{metric: a, min: 1}",
        "not_worse": "{metric: a, better: lower, tolerance: 0.1}",
        "provenance": "{seed: false}",
        "required_facts": "{facts: [seed]}",
        "temporal_split": "{gap_days: 7, devices: true}",
        "score_divergence": "{dataset: /d, max: 0.1}",
        "flagged_share": "{dataset: /d, max_change: 2}",
        "top_overlap": "{dataset: /d, min: 0.8, share: 0.05, key: device_id}",
        "repeatable": "{dataset: '{fleet}/device_features', rows: 1000, score: s, flag: f}",
        "contamination": "{dataset: /d, min: 0.01, max: 0.1, subsets: [zone], subset_rows: 10}",
        "regression_set": "{dataset: /d, max_difference: 0.05, planted: scenario}",
        "score_skewness": "{dataset: /d, min: 1, lookup: /r}",
        "own_version": "{}",
        "maintenance_lift": "{dataset: /d, labels: /l, min: 1.5, min_events: 200, hours: 24, types: [a], time: at}",
        "beside_production": "{dataset: /c, measure: divergence, max: 0.1, untried: pass, min_devices: 9}",
        "scoring_failures": "{shadow: /s, live: /l, max: 0.01}",
        "canary_alerts": "{scores: /s, alerts: /a, max: 2, least: 3}",
        "fair_slices": "{dataset: /d, column: device_type, max_factor: 2, min_rows: 50}",
    }
    assert set(samples) == set(criterion_kinds())
    for name, text in samples.items():
        item = Located("x.yml", yaml.compose(text, Loader=yaml.SafeLoader))
        criterion = criterion_kinds()[name].read(item, item.mapping("a check"))
        assert criterion == criterion_kinds()[name].read(item, item.mapping("a check"))
        assert criterion_kinds()[name].__module__.endswith(name)
