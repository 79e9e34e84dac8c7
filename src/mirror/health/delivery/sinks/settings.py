"""Reads ``[alerts.sinks.NAME]`` of the workspace's configuration, and knows which sink serves whom."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from mirror.errors import nearest
from mirror.health.delivery.sinks.sink import Sink, Surroundings
from mirror.health.delivery.sinks.stdout import StdoutSink
from mirror.health.errors import SinkSettingsError
from mirror.health.routing import SEVERITIES, Routing

STDOUT = "stdout"
"""The name of the sink that is always there."""

_COMMON = frozenset({"type", "serves", "severities"})


@dataclass(frozen=True)
class Sinks:
    """The sinks of a workspace by name; ``serves`` (channels, people and desks) and ``severities`` of each."""

    by_name: Mapping[str, Sink]
    serves: Mapping[str, frozenset[str]]
    severities: Mapping[str, frozenset[str]]

    def named(self, name: str) -> Sink:
        """The sink; what was meant for one that is configured no more is printed."""
        return self.by_name.get(name, self.by_name[STDOUT])

    def receivers(self, recipients: Iterable[str], severity: str) -> tuple[str, ...]:
        """The sinks for a message, by name; :data:`STDOUT` where none is configured: a message never goes nowhere."""
        wanted = set(recipients)
        found = [
            name
            for name, served in sorted(self.serves.items())
            if not wanted.isdisjoint(served) and severity in self.severities[name]
        ]
        return tuple(found) or (STDOUT,)


def read_sinks(section: Mapping[str, Any], routing: Routing, surroundings: Surroundings) -> Sinks:
    """``section`` is ``[alerts]`` of ``config.toml``. Raises SinkSettingsError; no secret is looked up."""
    unknown = sorted(set(section) - {"sinks"})
    if unknown:
        raise SinkSettingsError("NAME", f"[alerts] has no {unknown[0]!r}; sinks are [alerts.sinks.NAME] sections")
    sinks: dict[str, Sink] = {STDOUT: StdoutSink({}, surroundings)}
    serves: dict[str, frozenset[str]] = {}
    severities: dict[str, frozenset[str]] = {}
    for name, settings in section.get("sinks", {}).items():
        if not isinstance(settings, dict):
            raise SinkSettingsError(name, "it must be a section of its own")
        sinks[name], serves[name], severities[name] = _sink(name, settings, routing, surroundings)
    return Sinks(sinks, serves, severities)


def _sink(
    name: str, settings: Mapping[str, Any], routing: Routing, surroundings: Surroundings
) -> tuple[Sink, frozenset[str], frozenset[str]]:
    types = sink_types()
    kind = settings.get("type")
    if kind not in types:
        there = ", ".join(sorted(types))
        raise SinkSettingsError(name, f"type {kind!r} is none of {there}.{nearest(str(kind), types)}")
    keys = _COMMON | types[kind].keys
    for key in settings:
        if key not in keys:
            raise SinkSettingsError(name, f"a {kind} sink has no {key!r}.{nearest(key, keys)}")
    serves = _names(name, "serves", settings.get("serves"))
    known = _receivers(routing)
    for one in sorted(serves - set(known)):
        raise SinkSettingsError(name, f"routing knows no channel, person or desk {one!r}.{nearest(one, known)}")
    if kind != STDOUT and len({known[one] for one in serves if known[one]}) > 1:
        raise SinkSettingsError(name, "it serves both kinds; quality and equipment alerts never mix")
    severities = _names(name, "severities", settings.get("severities", list(SEVERITIES)))
    wrong = sorted(severities - set(SEVERITIES))
    if wrong:
        raise SinkSettingsError(name, f"{wrong[0]!r} is no severity; known are {', '.join(SEVERITIES)}")
    try:
        return types[kind](settings, surroundings), serves, severities
    except ValueError as error:
        raise SinkSettingsError(name, str(error)) from None


def _receivers(routing: Routing) -> dict[str, str]:
    """Everybody that a message can be for, and the kind they hear of; empty for a person who hears of both."""
    found = dict(routing.channels)
    pairs = [(step.to, policy.kind) for policy in routing.policies.values() for step in policy.then]
    for rotation in routing.rotations.values():
        names = (rotation.name, f"second person of {rotation.name}", *rotation.people)
        pairs += [(name, rotation.kind) for name in (*names, *(one.who for one in rotation.instead))]
    for name, kind in pairs:
        found[name] = kind if found.get(name, kind) == kind else ""
    return found


def _names(sink: str, key: str, value: object) -> frozenset[str]:
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return frozenset(value)
    raise SinkSettingsError(sink, f'{key} must list names, such as {key} = ["..."]')


@cache
def sink_types() -> dict[str, type[Sink]]:
    """Every sink class of this package by its type."""
    package = importlib.import_module("mirror.health.delivery.sinks")
    found: dict[str, type[Sink]] = {}
    for module in pkgutil.iter_modules(package.__path__):
        loaded = importlib.import_module(f"{package.__name__}.{module.name}")
        for one in vars(loaded).values():
            if inspect.isclass(one) and one.__module__ == loaded.__name__ and {"keys", "type"} <= vars(one).keys():
                sink: Any = one
                found[sink.type] = sink
    return found
