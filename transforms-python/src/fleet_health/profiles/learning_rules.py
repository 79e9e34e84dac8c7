"""Whether the sections about learning agree with the rest of a profile."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from fleet_health.profiles.learning import BUFFER_HOURS_MAX
from fleet_health.profiles.model import Profile

Path = tuple[str | int, ...]


class Check(Protocol):
    """What the rules of a profile are checked with; both raise an error that names file and line."""

    @property
    def profile(self) -> Profile: ...

    def fail(self, path: Path, problem: str, fix: str) -> None: ...

    def known(self, path: Path, name: str, known: Iterable[str], kind: str) -> None: ...

    def unique(self, section: Path, names: Iterable[str], kind: str) -> None: ...


def check_learning(check: Check) -> None:
    """Labels, ages and properties; raises for the first disagreement."""
    profile = check.profile
    training = profile.training
    if training.join_labels and not profile.has_labels:
        fix = "Declare `labels` with the dataset that lists them, or leave `join_labels` out."
        check.fail(("training", "join_labels"), "there are no labels to join", fix)
    buffer = training.label_delay_buffer_hours.value
    if not 0 <= buffer <= BUFFER_HOURS_MAX or buffer != int(buffer):
        problem = f"a label delay buffer of {buffer:g} hours is not supported"
        check.fail(("training", "label_delay_buffer_hours"), problem, f"Use whole hours from 0 to {BUFFER_HOURS_MAX}.")
    if training.label_lookback_hours.value <= 0:
        check.fail(("training", "label_lookback_hours"), "no window can lie in this look-back", "Use hours above 0.")
    for key in ("max_age_hours", "max_age_hours_daily"):
        if getattr(profile.imputation, key).value < 0:
            check.fail(("imputation", key), f"{key} is negative", "Use 0 to fill nothing forward.")
    if profile.labels is not None and profile.labels.format == "inventory" and profile.labels.recorded_at is None:
        fix = "Add the day on which it was recorded: labels count from then on."
        check.fail(("labels",), "an inventory of faults needs `recorded_at`", fix)
    _split(check)
    _models(check)
    _properties(check)


def _split(check: Check) -> None:
    training = check.profile.training
    for index, one in enumerate(training.exclude):
        if one.start >= one.end:
            check.fail(("training", "exclude", index), "the period ends before it begins", "Give `end` after `start`.")
    split = training.split
    if split is None:
        return
    path: Path = ("training", "split")
    if split.kind != "temporal":
        problem = f"a split of kind {split.kind!r} is refused: its validation rows are neighbours of training rows"
        check.fail((*path, "kind"), problem, "Use `kind: temporal`, or leave the key out.")
    for key, least in (("gap_days", 0), ("validation_days", 1), ("window_days", 1)):
        days = getattr(split, key).value
        if days < least or days != int(days):
            check.fail((*path, key), f"{key} is {days:g}", f"Use whole days from {least} up.")
    if split.holdout_validation + split.holdout_test >= 0.5:
        fix = "Use 0.1 and 0.1, so that eight of ten devices train."
        check.fail((*path, "holdout_validation"), "half of the devices or more are held out", fix)


def _models(check: Check) -> None:
    profile = check.profile
    check.unique(("models",), (one.family for one in profile.every_model), "model family")
    names = [feature.name for feature in profile.features]
    for index, one in enumerate(profile.models):
        path: Path = ("models", index)
        for name in profile.features_of(one):
            check.known((*path, "features"), name, names, "feature")
        if one.window_duration_minutes not in profile.windows_minutes:
            fix = f"Use one of windows_minutes: {', '.join(map(str, profile.windows_minutes))}."
            check.fail((*path, "window_duration_minutes"), f"no window of {one.window_duration_minutes} minutes", fix)
        if not 0.0 < one.flagged_share.value < 1.0:
            check.fail((*path, "flagged_share"), "flagged_share must lie between 0 and 1", "Write 0.05 for 5 percent.")
    check.unique(("in_service",), (one.family for one in profile.in_service), "model in service")
    for index, served in enumerate(profile.in_service):
        check.known(("in_service", index, "family"), served.family, [one.family for one in profile.models], "model")
        if served.until is not None and served.until <= served.since:
            fix = "Give `until` after `since`, or leave it out."
            check.fail(("in_service", index, "until"), f"{served.family} is in service on no day", fix)


def _properties(check: Check) -> None:
    profile = check.profile
    check.unique(("properties",), (one.name for one in profile.properties), "property")
    for index, one in enumerate(profile.properties):
        path: Path = ("properties", index)
        if one.score == (one.feature is not None):
            fix = "Give `feature` with `window_duration_minutes`, or `score: true`."
            check.fail(path, f"property {one.name!r} shows either a feature or the score", fix)
        if one.feature is not None:
            check.known((*path, "feature"), one.feature, [f.name for f in profile.features], "feature")
            if one.window_duration_minutes not in profile.windows_minutes:
                fix = f"Use one of windows_minutes: {', '.join(map(str, profile.windows_minutes))}."
                problem = f"property {one.name!r} has no window of {one.window_duration_minutes} minutes"
                check.fail((*path, "window_duration_minutes"), problem, fix)
