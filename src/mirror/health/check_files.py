"""``health/checks/*.yaml`` of the repository: what is watched, against which limit, why there, and who is told.

defaults: {owner: Data Engineer, view: my fleet}       # of every check in the file that does not say otherwise
checks:
  - name: clean readings keep coming
    type: timeSinceLastUpdated
    dataset: /Fleet/air_handler/clean_sensor_readings
    bounds: {upperBoundInSeconds: 1800, severity: MODERATE, reason: twice the target is one lost run}
    subscribers: [{who: On-call Data Engineer, level: all failures}]

A threshold without a reason is refused, as are unknown keys, two checks of one name, and two that ask the same thing.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from mirror.errors import nearest
from mirror.health.declaration import HealthCheck
from mirror.health.errors import HealthCheckFileError, UnknownHealthCheckError
from mirror.health.kinds import check_kinds
from mirror.located import Located, parse_file

HEALTH_FOLDER = "health/checks"
_DEFAULTS = ("branch", "notes", "owner", "runbook", "subscribers", "view")
_SYNC = {
    "syncStatus": "status of a sync",
    "syncDuration": "duration of a sync",
    "syncFreshness": "freshness of a sync",
    "timeSinceSyncLastUpdated": "time since a sync was last updated",
}
"""Kinds that Foundry has and that can have no meaning here."""


@dataclass(frozen=True)
class HealthChecks:
    """All checks of a repository, by file and then in the file's order."""

    files: tuple[str, ...] = ()
    all: tuple[HealthCheck, ...] = ()

    def named(self, name: str) -> HealthCheck:
        """A check by name. Raises UnknownHealthCheckError naming the nearest."""
        for check in self.all:
            if check.name == name:
                return check
        raise UnknownHealthCheckError(name, tuple(check.name for check in self.all), HEALTH_FOLDER)


def load_checks(repository: Path) -> HealthChecks:
    """Reads the repository's checks; a repository without the folder has none.

    Raises:
        HealthCheckFileError: with file, line and the fix, for the first mistake.
    """
    files: list[str] = []
    found: list[HealthCheck] = []
    names: dict[str, str] = {}
    identities: dict[tuple[str, ...], str] = {}
    for path in sorted((repository / HEALTH_FOLDER).glob("*.y*ml")):
        file = path.relative_to(repository).as_posix()
        root = parse_file(path, file, HealthCheckFileError)
        if root is None:
            continue
        files.append(file)
        for check, where in _checks(root):
            if check.name in names:
                where.wrong(f"two checks are called {check.name!r}; the other is in {names[check.name]}. Rename one.")
            if check.identity in identities:
                where.wrong(
                    f"{check.name!r} asks what {identities[check.identity]!r} asks: one check of type {check.type} on "
                    f"{check.subject}. Give the other a second threshold, or subscribe to it."
                )
            names[check.name] = f"{where.file}:{where.line}"
            identities[check.identity] = check.name
            found.append(check)
    return HealthChecks(tuple(files), tuple(found))


def _checks(root: Located) -> Iterator[tuple[HealthCheck, Located]]:
    top = root.mapping("the file", known=("checks", "defaults"), required=("checks",))
    defaults: Mapping[str, Located] = {}
    if "defaults" in top:
        defaults = top["defaults"].mapping("defaults", known=_DEFAULTS)
    for item in top["checks"].items("checks"):
        yield _check(item, defaults), item


def _check(item: Located, defaults: Mapping[str, Located]) -> HealthCheck:
    given = item.mapping("a health check", required=("name", "type"))
    name, kind = given["name"].text("name"), given["type"].text("type")
    what = f"the check {name!r}"
    if kind in _SYNC:
        given["type"].wrong(f"the {_SYNC[kind]} cannot be checked: nothing is synced to another store outside Foundry.")
    model = check_kinds().get(kind)
    if model is None:
        kinds = check_kinds()
        given["type"].wrong(f"no check has the type {kind!r}.{nearest(kind, kinds)} Known: {', '.join(sorted(kinds))}.")
    _refuse_repeats(item)
    inherited = {key: node.value for key, node in defaults.items() if key not in given}
    try:
        check = model.model_validate({**inherited, **item.value})
    except ValidationError as error:
        _explain(error, model, what, item, defaults)
    _demand_reasons(check, what, item)
    return check


def _demand_reasons(check: HealthCheck, what: str, item: Located) -> None:
    thresholds = check.thresholds
    if not thresholds and check.reason is None:
        item.wrong(f"{what} has no reason: say in `reason` why somebody must look when it fails.")
    served = check.reason is not None and len(thresholds) == 1
    bare = [_at(item, place) for place, threshold in thresholds if threshold.reason is None and not served]
    if bare:
        min(bare, key=lambda node: node.line).wrong(
            f"a threshold of {what} has no reason: say in its `reason` why the limit lies there and nowhere else."
        )


def _explain(
    error: ValidationError, model: type[BaseModel], what: str, item: Located, defaults: Mapping[str, Located]
) -> typing.NoReturn:
    found = error.errors()
    # a key that is missing is often the one that is misspelt
    first = next((one for one in found if one["type"] == "extra_forbidden"), found[0])
    place, key = tuple(first["loc"]), str(first["loc"][-1]) if first["loc"] else ""
    inherited = bool(place) and place[0] in defaults and place[0] not in item.mapping(what)
    node = _at(defaults[str(place[0])], place[1:]) if inherited else _at(item, place)
    where = ".".join(str(part) for part in place if isinstance(part, str) and part != "function-before")
    if first["type"] == "extra_forbidden":
        known = sorted(_keys(model, place[:-1]) - {"type"} | ({"type"} if len(place) == 1 else set()))
        inside = f"{'.'.join(str(p) for p in place[:-1] if isinstance(p, str))} of " if len(place) > 1 else ""
        node.wrong(f"{inside}{what} has no {key!r}.{nearest(key, known)} Known: {', '.join(known)}.")
    if first["type"] == "missing":
        node.wrong(f"{what} needs {where!r}.")
    said = first["msg"].removeprefix("Value error, ")
    node.wrong(f"{where} of {what}: {said}." if where else f"{what}: {said}.")


def _at(node: Located, place: Sequence[str | int]) -> Located:
    """The node of a place that pydantic names, or the deepest one on the way that is written."""
    for step in place:
        if isinstance(node.node, yaml.MappingNode) and isinstance(step, str):
            for key, value in node.node.value:
                if key.value == step:
                    last = step == place[-1] and isinstance(value, yaml.ScalarNode)
                    node = Located(node.file, key if last else value, node.error)
                    break
        elif isinstance(node.node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.node.value):
            node = Located(node.file, node.node.value[step], node.error)
    return node


def _keys(model: type[BaseModel], place: Sequence[str | int]) -> set[str]:
    """The keys that a part of a check may have."""
    for step in place:
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        if isinstance(step, str) and step in fields:
            model = next(_models(fields[step].annotation), model)
    return {str(field.alias or name) for name, field in model.model_fields.items()}


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from _models(inner)


def _refuse_repeats(node: Located) -> None:
    if isinstance(node.node, yaml.MappingNode):
        for value in node.mapping("a health check").values():
            _refuse_repeats(value)
    elif isinstance(node.node, yaml.SequenceNode):
        for value in node.items("a list"):
            _refuse_repeats(value)
