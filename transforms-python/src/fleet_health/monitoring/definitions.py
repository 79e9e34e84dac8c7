"""Metrics with thresholds, owners and runbooks, from YAML; one that nobody could act on is refused when loaded."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from importlib import resources
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fleet_health.definition_errors import nearest
from fleet_health.monitoring.errors import MetricDefinitionError
from fleet_health.yaml_lines import Lines, load_with_lines

FAMILIES = ("volume", "freshness", "null_rate", "outlier_rate", "feature_drift")
Text = Annotated[str, Field(min_length=3)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Threshold(_Strict):
    severity: Literal["LOW", "MEDIUM", "HIGH", "CRITICAL"]
    op: Literal["<", "<=", ">", ">="]
    value: float
    reason: Annotated[str, Field(min_length=10)]


class Metric(_Strict):
    id: Annotated[str, Field(pattern=r"^[A-Z]{3}-[0-9]{2}$")]
    family: Literal["volume", "freshness", "null_rate", "outlier_rate", "feature_drift"]
    name: Text
    dataset: Text
    measure: Text
    expected: float
    thresholds: tuple[Threshold, ...] = Field(min_length=1)
    owner: Text
    rotation: Text
    channel: Text
    escalation: Text
    runbook: Text


class Escalation(_Strict):
    id: Text
    acknowledge: Text
    then: Text


class Runbook(_Strict):
    id: Text
    title: Text
    owner: Text
    steps: tuple[Text, ...] = Field(min_length=1)


_Model = TypeVar("_Model", bound=BaseModel)


class _Metrics(_Strict):
    metrics: tuple[Metric, ...] = Field(min_length=1)


class Playbook(_Strict):
    """Runbooks, escalation policies and channel handles."""

    channels: dict[str, str]
    escalations: tuple[Escalation, ...]
    runbooks: tuple[Runbook, ...]

    def runbook(self, runbook_id: str) -> Runbook:
        return next(runbook for runbook in self.runbooks if runbook.id == runbook_id)


def parse_playbook(text: str, file: str) -> Playbook:
    """Runbooks and escalation policies.

    Raises:
        MetricDefinitionError: not YAML, a key missing or unknown, a runbook without steps, or an id used twice.
    """
    playbook, lines = _parse(text, file, Playbook)
    _unique("runbooks", [runbook.id for runbook in playbook.runbooks], file, lines)
    _unique("escalations", [escalation.id for escalation in playbook.escalations], file, lines)
    return playbook


def parse_metrics(text: str, file: str, playbook: Playbook, measures: Iterable[str]) -> tuple[Metric, ...]:
    """Metric definitions.

    Args:
        text: the YAML.
        file: how the file is named in errors.
        playbook: every metric must name one of its runbooks, escalations and channels.
        measures: names the code can compute.

    Raises:
        MetricDefinitionError: not YAML; a threshold without reason; no owner, rotation, channel, escalation or runbook;
            or a name that is not known.
    """
    parsed, lines = _parse(text, file, _Metrics)
    _unique("metrics", [metric.id for metric in parsed.metrics], file, lines)
    known = {
        "measure": list(measures),
        "runbook": [runbook.id for runbook in playbook.runbooks],
        "escalation": [escalation.id for escalation in playbook.escalations],
        "channel": list(playbook.channels),
    }
    for index, metric in enumerate(parsed.metrics):
        for key, names in known.items():
            name = getattr(metric, key)
            if name not in names:
                line = lines.of(("metrics", index, key))
                raise MetricDefinitionError(
                    file, line, f"{metric.id}: {key} {name!r} is not defined", nearest(name, names)
                )
    return parsed.metrics


def _parse(text: str, file: str, model: type[_Model]) -> tuple[_Model, Lines]:
    data, lines = load_with_lines(text, file, MetricDefinitionError)
    try:
        return model.model_validate(data), lines
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = tuple(first["loc"])
        key = str(place[-1]) if place else "file"
        fix = f"Add or correct `{key}`; whoever is paged needs it."
        raise MetricDefinitionError(
            file, lines.of(place), f"{'.'.join(map(str, place))}: {first['msg']}", fix
        ) from error


def _unique(section: str, ids: Sequence[str], file: str, lines: Lines) -> None:
    for index, name in enumerate(ids):
        if name in ids[:index]:
            raise MetricDefinitionError(file, lines.of((section, index)), f"id {name!r} is used twice", "Rename one.")


@functools.cache
def shipped_playbook() -> Playbook:
    return parse_playbook(_resource("runbooks.yaml"), "fleet_health/monitoring/runbooks.yaml")


def shipped_metrics(measures: Iterable[str]) -> tuple[Metric, ...]:
    return parse_metrics(
        _resource("metrics.yaml"), "fleet_health/monitoring/metrics.yaml", shipped_playbook(), measures
    )


def _resource(name: str) -> str:
    return resources.files("fleet_health.monitoring").joinpath(name).read_text(encoding="utf-8")
