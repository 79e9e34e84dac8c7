"""The sections about learning: defaults hold for any fleet, and what cannot hold is refused with its line."""

from __future__ import annotations

from importlib import resources

import pytest

from fleet_health.profiles.errors import ProfileReferenceError, ProfileSchemaError
from fleet_health.profiles.learning import Imputation, Training
from fleet_health.profiles.loader import parse_profile, shipped_profile

TEXT = (resources.files("fleet_health.profiles") / "refrigeration.yaml").read_text(encoding="utf-8")


def refused(old: str, new: str) -> str:
    assert TEXT.count(old) >= 1
    with pytest.raises(ProfileReferenceError) as caught:
        parse_profile(TEXT.replace(old, new, 1), "r.yaml")
    return str(caught.value)


def test_a_profile_that_says_nothing_gets_the_usual_numbers() -> None:
    training, imputation = Training(), Imputation()
    assert (training.label_delay_buffer_hours.value, training.label_lookback_hours.value) == (24, 168)
    assert not training.join_labels
    assert [imputation.max_age_of(minutes) for minutes in (15, 60, 1440, 10_080)] == [24, 24, 168, 168]


def test_no_shipped_fleet_trains_with_labels() -> None:
    assert [shipped_profile(name).training.join_labels for name in ("air_handler", "refrigeration")] == [False, False]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("join_labels: false", "join_labels: true", "there are no labels to join. Declare `labels`"),
        (
            "label_delay_buffer_hours:\n    value: 24",
            "label_delay_buffer_hours:\n    value: 169",
            "of 169 hours is not",
        ),
        ("label_delay_buffer_hours:\n    value: 24", "label_delay_buffer_hours:\n    value: 0.5", "Use whole hours"),
        ("label_lookback_hours:\n    value: 168", "label_lookback_hours:\n    value: 0", "no window can lie in"),
        ("max_age_hours:\n    value: 24", "max_age_hours:\n    value: -1", "max_age_hours is negative"),
        ("feature: temp_evaporator_mean, window", "feature: temp_evaporator_meen, window", "temp_evaporator_mean'?"),
        (
            "feature: reading_count, window_duration_minutes: 1440",
            "feature: reading_count, window_duration_minutes: 30",
            "property 'reading_count_24h' has no window of 30 minutes",
        ),
        ("score: true", "score: false", "property 'latest_anomaly_score' shows either a feature or the score"),
        ("name: reading_count_24h", "name: latest_anomaly_score", "'latest_anomaly_score' is declared twice"),
    ],
)
def test_what_cannot_hold_is_refused(old: str, new: str, told: str) -> None:
    text = refused(old, new)
    assert told in text
    assert text.startswith("r.yaml, line ")


def test_an_inventory_says_when_it_was_recorded() -> None:
    labels = "labels:\n  dataset: /Fleet/refrigeration/label_landing\n  reason: tickets of the service desk\n"
    with pytest.raises(ProfileReferenceError, match="an inventory of faults needs `recorded_at`"):
        parse_profile(f"{TEXT}\n{labels}", "r.yaml")
    orders = TEXT.replace("  # no label_confidence", "  label_confidence: {value: 0.8, reason: seen on site}\n  # none")
    inventory = f'{orders}\n{labels}  recorded_at: "2026-01-01"\n'
    with pytest.raises(ProfileReferenceError, match="work orders cannot be labels beside it"):
        parse_profile(inventory, "r.yaml")
    events = parse_profile(f"{TEXT}\n{labels}  format: events\n", "r.yaml")
    assert events.labels is not None
    assert events.labels.recorded_at is None


def test_only_a_declared_model_that_may_be_heard_is_put_in_service() -> None:
    text = (resources.files("fleet_health.profiles") / "air_handler.yaml").read_text(encoding="utf-8")

    def said(*families: str, until: str = "") -> str:
        told = [
            f"  - {{family: {one}, since: 2026-01-05, {until} reason: it names the same units}}\n" for one in families
        ]
        return f"{text}\nin_service:\n{''.join(told)}"

    served = parse_profile(said("statistical_baseline"), "a.yaml")
    assert [model.family for model in served.models_in_service] == ["statistical_baseline"]
    assert shipped_profile("refrigeration").models_in_service == ()
    refused = {
        "'autoencoder'": said("autoencoder"),
        "is declared twice": said("statistical_baseline", "statistical_baseline"),
        "in service on no day": said("statistical_baseline", until="until: 2026-01-05,"),
    }
    for problem, profile in refused.items():
        with pytest.raises(ProfileReferenceError, match=problem):
            parse_profile(profile, "a.yaml")
    with pytest.raises(ProfileSchemaError, match="'statistical_baseline' or 'autoencoder'"):
        parse_profile(said("dbscan_cohort"), "a.yaml")
