"""Metrics with thresholds, owners and runbooks, from YAML; one that nobody could act on is refused when loaded."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fleet_health.contracts.loader import contract_names
from fleet_health.definition_errors import nearest
from fleet_health.monitoring.errors import MetricDefinitionError
from fleet_health.yaml_lines import Lines, load_with_lines

FAMILIES = ("volume", "freshness", "null_rate", "outlier_rate", "feature_drift")
"""Every fleet must have metrics of these."""
OTHER_FAMILIES = ("model_drift", "agreement", "slices", "serving", "alert_quality", "consistency")
Text = Annotated[str, Field(min_length=3)]
Severity = Literal["LOW", "MEDIUM", "HIGH", "CRITICAL"]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Against(Strict):
    """What a figure is compared with before its limits are asked.

    ``given`` is what the measure itself expects; ``earlier`` the mean of up to ``periods`` figures before it, of which
    there must be ``least``. ``as``: difference, ratio, relative drop (1 - ratio), or deviations of those figures. A
    ratio is never taken to less than ``floor``, or the first of something rare would be infinitely more than before.
    """

    what: Literal["given", "earlier"]
    as_: Literal["difference", "ratio", "drop", "deviations"] = Field(alias="as")
    periods: int = Field(default=1, gt=0)
    least: int = Field(default=1, gt=0)
    floor: float = Field(default=0.0, ge=0)


class Threshold(Strict):
    """``op`` read literally: ``>`` is silent at the limit. It must hold ``for`` that many periods in a row.

    ``of`` says whether the figure or its change is held against it, ``parts`` whether the whole, each of its parts or
    both are; ``value`` may differ by part.
    """

    severity: Severity
    op: Literal["<", "<=", ">", ">=", "!=", "abs >"]
    value: float | dict[str, float]
    for_: int = Field(default=1, alias="for", gt=0)
    of: Literal["figure", "change"] = "figure"
    parts: Literal["all", "whole", "each"] = "all"
    reason: Annotated[str, Field(min_length=10)]

    def limit(self, dimension: str) -> float | None:
        """The limit for one part; null where this threshold says nothing about it."""
        if self.parts != "all" and (self.parts == "whole") != (dimension == "ALL"):
            return None
        return self.value.get(dimension) if isinstance(self.value, dict) else self.value


class Metric(Strict):
    """``measure`` is what the code computes; a metric ``watched_by`` the platform or the source has none here."""

    id: Annotated[str, Field(pattern=r"^[A-Z]{3}-[0-9]{2}$")]
    family: Literal[
        "volume",
        "freshness",
        "null_rate",
        "outlier_rate",
        "feature_drift",
        "model_drift",
        "agreement",
        "slices",
        "serving",
        "alert_quality",
        "consistency",
    ]
    name: Text
    dataset: Text
    watched_by: Literal["transform", "platform", "source"] = "transform"
    measure: str | None = None
    how: str | None = None
    expected: float | None = None
    against: Against | None = None
    least_rows: int = Field(default=0, ge=0)
    thresholds: tuple[Threshold, ...] = Field(min_length=1)
    owner: Text
    rotation: Text
    channel: Text
    escalation: Text
    runbook: Text


class Escalation(Strict):
    id: Text
    acknowledge: Text
    then: Text


class Runbook(Strict):
    id: Text
    title: Text
    owner: Text
    when: Text
    steps: tuple[Text, ...] = Field(min_length=1)


_Model = TypeVar("_Model", bound=BaseModel)


class _Metrics(Strict):
    metrics: tuple[Metric, ...] = Field(min_length=1)


class Playbook(Strict):
    """Who there is, how they are reached, and what they do."""

    owners: tuple[str, ...]
    rotations: tuple[str, ...]
    channels: dict[str, str]
    escalations: tuple[Escalation, ...]
    runbooks: tuple[Runbook, ...]

    def runbook(self, runbook_id: str) -> Runbook:
        return next(runbook for runbook in self.runbooks if runbook.id == runbook_id)


def parse_playbook(text: str, file: str) -> Playbook:
    """Runbooks and escalation policies.

    Raises:
        MetricDefinitionError: not YAML, a key missing or unknown, a runbook without steps or of an unknown owner, or an
            id used twice.
    """
    playbook, lines = parse_definitions(text, file, Playbook)
    unique("runbooks", [runbook.id for runbook in playbook.runbooks], file, lines)
    unique("escalations", [escalation.id for escalation in playbook.escalations], file, lines)
    for index, runbook in enumerate(playbook.runbooks):
        known("owner", runbook.owner, playbook.owners, runbook.id, file, lines.of(("runbooks", index, "owner")))
    return playbook


def parse_metrics(text: str, file: str, playbook: Playbook, measures: Iterable[str]) -> tuple[Metric, ...]:
    """Metric definitions.

    Args:
        text: the YAML.
        file: how the file is named in errors.
        playbook: every metric must name one of its owners, rotations, channels, escalations and runbooks.
        measures: names the code can compute.

    Raises:
        MetricDefinitionError: not YAML; a threshold without reason; no owner, or two; no rotation, channel, escalation
            or runbook; or a name that is not known, with the nearest one.
    """
    parsed, lines = parse_definitions(text, file, _Metrics)
    unique("metrics", [metric.id for metric in parsed.metrics], file, lines)
    names = {
        "dataset": contract_names(),
        "owner": playbook.owners,
        "rotation": playbook.rotations,
        "channel": tuple(playbook.channels),
        "escalation": tuple(escalation.id for escalation in playbook.escalations),
        "runbook": tuple(runbook.id for runbook in playbook.runbooks),
    }
    computed = tuple(measures)
    for index, metric in enumerate(parsed.metrics):
        place = ("metrics", index)
        for key, there in names.items():
            known(key, getattr(metric, key), there, metric.id, file, lines.of((*place, key)))
        if metric.watched_by == "transform":
            known("measure", metric.measure, computed, metric.id, file, lines.of((*place, "measure")))
        elif metric.how is None or metric.measure is not None:
            problem = f"{metric.id} is watched by the {metric.watched_by}, not by a measure of this code"
            raise MetricDefinitionError(file, lines.of(place), problem, "Say `how` instead of `measure`.")
        if metric.against is None and any(threshold.of == "change" for threshold in metric.thresholds):
            problem = f"{metric.id} limits a change and does not say of what"
            raise MetricDefinitionError(file, lines.of((*place, "thresholds")), problem, "Add `against`.")
    return parsed.metrics


def known(key: str, name: str | None, names: Sequence[str], about: str, file: str, line: int | None) -> None:
    """Raises MetricDefinitionError, with the nearest of ``names``, when ``name`` is none of them."""
    if name not in names:
        raise MetricDefinitionError(file, line, f"{about}: {key} {name!r} is not defined", nearest(str(name), names))


def parse_definitions(text: str, file: str, model: type[_Model]) -> tuple[_Model, Lines]:
    """A definition file and where each of its keys was written. Raises MetricDefinitionError."""
    data, lines = load_with_lines(text, file, MetricDefinitionError)
    try:
        return model.model_validate(data), lines
    except ValidationError as error:
        first: Any = error.errors(include_url=False)[0]
        place = tuple(first["loc"])
        key = str(place[-1]) if place else "file"
        fix = f"Add or correct `{key}`; whoever is paged needs it."
        if key in ("owner", "rotation") and isinstance(first.get("input"), list):
            fix = f"Name one {key}; of two each waits for the other."
        problem = f"{'.'.join(map(str, place))}: {first['msg']}"
        raise MetricDefinitionError(file, lines.of(place), problem, fix) from error


def unique(section: str, ids: Sequence[str], file: str, lines: Lines) -> None:
    """Raises MetricDefinitionError for the second use of an id."""
    for index, name in enumerate(ids):
        if name in ids[:index]:
            raise MetricDefinitionError(file, lines.of((section, index)), f"id {name!r} is used twice", "Rename one.")


@functools.cache
def shipped_playbook() -> Playbook:
    return parse_playbook(shipped_text("runbooks.yaml"), "fleet_health/monitoring/runbooks.yaml")


def shipped_metrics(measures: Iterable[str]) -> tuple[Metric, ...]:
    file = "fleet_health/monitoring/metrics.yaml"
    return parse_metrics(shipped_text("metrics.yaml"), file, shipped_playbook(), measures)


def by_measure(metrics: Iterable[Metric]) -> Mapping[str, tuple[Metric, ...]]:
    """The metrics that each measure feeds."""
    found: dict[str, tuple[Metric, ...]] = {}
    for metric in metrics:
        if metric.measure is not None:
            found[metric.measure] = (*found.get(metric.measure, ()), metric)
    return found


def shipped_text(name: str) -> str:
    return resources.files("fleet_health.monitoring").joinpath(name).read_text(encoding="utf-8")
