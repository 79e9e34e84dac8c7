"""Reads ``routing.yaml``: the one shipped beside this file, and over it what the repository's own says.

Refused with file and line: a route without owner, rotation, channel, runbook or an escalation for a severity; a list
of owners; two routes for the same alerts; names that are not declared or belong to the other kind; an alert that no
route takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mirror.errors import nearest
from mirror.health.deadlines import WEEKDAYS, Calendar, is_allowance
from mirror.health.errors import RoutingFileError
from mirror.health.rotations import Rotation, StandIn
from mirror.health.routing import (
    KINDS,
    OTHER_RUNBOOKS,
    SEVERITIES,
    Flapping,
    Inhibition,
    Policy,
    Route,
    Routing,
    Step,
)
from mirror.located import Located, parse, parse_file

ROUTING_FILE = "health/routing.yaml"
SECTIONS = ("policies", "rotations", "channels", "routes", "runbooks", "calendar", "grouping", "inhibition", "flapping")
MATCHED = ("fleet", "site", "family", "dataset")
GROUPED = ("fleet", "site", "family", "dataset", "severity", "owner")

_T = TypeVar("_T")


@cache
def shipped_routing() -> Routing:
    """The routing that holds without a file of the repository's own."""
    return _routing(_shipped(), ("routing.yaml",))


def load_routing(repository: Path) -> Routing:
    """The repository's routing. Raises RoutingFileError with file, line and the fix, for the first mistake."""
    root = parse_file(repository / ROUTING_FILE, ROUTING_FILE, RoutingFileError)
    if root is None:
        return shipped_routing()
    return _routing({**_shipped(), **root.mapping("the file", known=SECTIONS)}, ("routing.yaml", ROUTING_FILE))


def _shipped() -> dict[str, Located]:
    text = (resources.files("mirror.health") / "routing.yaml").read_text(encoding="utf-8")
    return parse(text, "routing.yaml", RoutingFileError).mapping("the file", known=SECTIONS, required=SECTIONS)


def _routing(parts: Mapping[str, Located], files: tuple[str, ...]) -> Routing:
    policies = _named(parts["policies"], "policies", _policy, lambda one: one.name)
    rotations = _named(parts["rotations"], "rotations", _rotation, lambda one: one.name)
    channels = dict(_named(parts["channels"], "channels", _channel, lambda one: one[0]).values())
    routes = _routes(parts["routes"], policies, rotations, channels)
    grouping = parts["grouping"].mapping("grouping", known=KINDS, required=KINDS)
    return Routing(
        policies=policies,
        rotations=rotations,
        channels=channels,
        routes=routes,
        runbooks={name: page.text(name) for name, page in _runbooks(parts["runbooks"]).items()},
        calendar=_calendar(parts["calendar"]),
        grouping={kind: _words(node, f"grouping of {kind}", GROUPED) for kind, node in grouping.items()},
        inhibition=tuple(_inhibition(item) for item in parts["inhibition"].items("inhibition")),
        flapping=_flapping(parts["flapping"]),
        files=files,
    )


def _named(node: Located, what: str, make: Callable[[Located], _T], name: Callable[[_T], str]) -> dict[str, _T]:
    found: dict[str, _T] = {}
    for item in node.items(what):
        made = make(item)
        if name(made) in found:
            item.wrong(f"{what} name {name(made)!r} twice; keep one.")
        found[name(made)] = made
    return found


def _policy(item: Located) -> Policy:
    keys = item.mapping("a policy", ("id", "kind", "acknowledge", "then", "pages"), ("id", "kind", "acknowledge"))
    steps = []
    for one in keys["then"].items("then") if "then" in keys else []:
        step = one.mapping("a step", ("after", "to"), ("after", "to"))
        steps.append(Step(_allowance(step["after"], "after"), step["to"].text("to")))
    pages = keys["pages"].value if "pages" in keys else False
    if not isinstance(pages, bool):
        keys["pages"].wrong(f"pages must be true or false, not {pages!r}.")
    name, acknowledge = keys["id"].text("id"), _allowance(keys["acknowledge"], "acknowledge")
    if pages and not steps:
        item.wrong(f"{name} pages somebody but says nobody who is next; add a step to `then`.")
    return Policy(name, _kind(keys["kind"]), acknowledge, tuple(steps), pages)


def _rotation(item: Located) -> Rotation:
    known = ("name", "kind", "people", "since", "every_days", "zone", "instead")
    keys = item.mapping("a rotation", known, ("name", "kind"))
    name = keys["name"].text("name")
    people = keys["people"].texts("people") if "people" in keys else ()
    if bool(people) != ("since" in keys):
        item.wrong(f"rotation {name!r} needs `people` and `since` together: whose turn it is follows from both.")
    if len(set(people)) < len(people):
        keys["people"].wrong(f"rotation {name!r} names a person twice.")
    zone = _zone(keys["zone"]) if "zone" in keys else ZoneInfo("UTC")
    stand_ins = []
    for one in keys["instead"].items("instead") if "instead" in keys else []:
        span = one.mapping("a stand-in", ("who", "from", "until"), ("who", "from", "until"))
        begin, end = _moment(span["from"], zone), _moment(span["until"], zone)
        if end <= begin:
            one.wrong("a stand-in must end after it begins.")
        stand_ins.append(StandIn(span["who"].text("who"), begin, end))
    return Rotation(
        name,
        _kind(keys["kind"]),
        people,
        _moment(keys["since"], zone) if "since" in keys else None,
        keys["every_days"].count("every_days") if "every_days" in keys else 7,
        zone,
        tuple(stand_ins),
    )


def _channel(item: Located) -> tuple[str, str]:
    keys = item.mapping("a channel", ("name", "kind"), ("name", "kind"))
    return keys["name"].text("name"), _kind(keys["kind"])


def _routes(
    node: Located, policies: Mapping[str, Policy], rotations: Mapping[str, Rotation], channels: Mapping[str, str]
) -> tuple[Route, ...]:
    routes: list[Route] = []
    for item in node.items("routes"):
        route = _route(item, policies, rotations, channels)
        for earlier in routes:
            if earlier.kind == route.kind and earlier.match.items() <= route.match.items():
                item.wrong(
                    f"no alert reaches route {route.name!r}: {earlier.name!r} (owner {earlier.owner}) takes all of its "
                    "alerts. An alert has one owner; put the narrower route first, or drop one."
                )
        routes.append(route)
    for kind in KINDS:
        if not any(route.kind == kind and not route.match for route in routes):
            node.wrong(f"an {kind} alert that matches no route would reach nobody; end with a route without `match`.")
    return tuple(routes)


def _route(
    item: Located, policies: Mapping[str, Policy], rotations: Mapping[str, Rotation], channels: Mapping[str, str]
) -> Route:
    required = ("name", "kind", "owner", "rotation", "channel", "runbook", "escalation", "step")
    keys = item.mapping("a route", (*required, "match"), required)
    kind = _kind(keys["kind"])
    if isinstance(keys["owner"].value, list):
        keys["owner"].wrong("a route has one owner: of two, each waits for the other.")
    match = keys["match"].mapping("match", MATCHED) if "match" in keys else {}
    rotation = _declared(keys["rotation"], "rotation", {name: one.kind for name, one in rotations.items()}, kind)
    channel = _declared(keys["channel"], "channel", channels, kind)
    kinds = {name: one.kind for name, one in policies.items()}
    escalation = keys["escalation"].mapping("escalation", SEVERITIES, SEVERITIES)
    steps = keys["step"].mapping("step", SEVERITIES, SEVERITIES)
    return Route(
        name=keys["name"].text("name"),
        kind=kind,
        match={key: value.text(key) for key, value in match.items()},
        owner=keys["owner"].text("owner"),
        rotation=rotation,
        channel=channel,
        runbook=keys["runbook"].text("runbook"),
        escalation={severity: _declared(one, "policy", kinds, kind) for severity, one in escalation.items()},
        step={severity: one.text("step") for severity, one in steps.items()},
    )


def _runbooks(node: Located) -> dict[str, Located]:
    pages = node.mapping("runbooks", required=(OTHER_RUNBOOKS,))
    if "{id}" not in pages[OTHER_RUNBOOKS].text(OTHER_RUNBOOKS):
        pages[OTHER_RUNBOOKS].wrong(f"{OTHER_RUNBOOKS} is for many runbooks; put {{id}} where the page has its name.")
    return pages


def _declared(node: Located, what: str, known: Mapping[str, str], kind: str) -> str:
    name = node.text(what)
    if name not in known:
        node.wrong(f"no {what} is called {name!r}.{nearest(name, known)} Declared: {', '.join(known)}.")
    if known[name] != kind:
        node.wrong(f"{what} {name!r} is for {known[name]} alerts; the two kinds never mix.")
    return name


def _calendar(node: Located) -> Calendar:
    known = ("zone", "from", "until", "review")
    keys = node.mapping("calendar", known, known)
    begin, end = _time(keys["from"]), _time(keys["until"])
    if end <= begin:
        keys["until"].wrong("working hours must end after they begin.")
    return Calendar(_zone(keys["zone"]), begin, end, WEEKDAYS.index(_word(keys["review"], "review", WEEKDAYS)))


def _inhibition(item: Located) -> Inhibition:
    keys = item.mapping("an inhibition", ("family", "silences"), ("family", "silences"))
    return Inhibition(keys["family"].text("family"), frozenset(keys["silences"].texts("silences")))


def _flapping(node: Located) -> Flapping:
    known = ("changes", "within_minutes", "calm_minutes")
    keys = node.mapping("flapping", known, known)
    if keys["changes"].count("changes") < 3:
        keys["changes"].wrong("an alert that was raised and is over has changed twice; flapping begins at 3 changes.")
    within, calm = (timedelta(minutes=keys[key].positive(key)) for key in known[1:])
    return Flapping(keys["changes"].count("changes"), within, calm)


def _allowance(node: Located, what: str) -> str:
    text = node.text(what)
    if not is_allowance(text):
        node.wrong(
            f"{what} must be like `30 min`, `2 h`, `3 days`, `8 working hours` or `weekly review`, not {text!r}."
        )
    return text


def _kind(node: Located) -> str:
    return _word(node, "kind", KINDS)


def _word(node: Located, what: str, known: tuple[str, ...]) -> str:
    text = node.text(what)
    if text not in known:
        node.wrong(f"{what} must be one of {', '.join(known)}, not {text!r}.{nearest(text, known)}")
    return text


def _words(node: Located, what: str, known: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_word(item, f"an entry of {what}", known) for item in node.items(what))


def _zone(node: Located) -> ZoneInfo:
    try:
        return ZoneInfo(node.text("zone"))
    except (ZoneInfoNotFoundError, ValueError):
        node.wrong(f"zone must be an IANA time zone such as Europe/Berlin, not {node.value!r}.")


def _time(node: Located) -> time:
    try:
        return time.fromisoformat(node.text("a time of day"))
    except ValueError:
        node.wrong(f'a time of day must be like "08:00", not {node.value!r}.')


def _moment(node: Located, zone: ZoneInfo) -> datetime:
    """A moment in UTC; without an offset it is local time in ``zone``. YAML's own timestamps are naive UTC."""
    try:
        found = datetime.fromisoformat(str(node.node.value))
    except ValueError:
        node.wrong(f"a moment must be like 2026-01-05T08:00, not {node.node.value!r}.")
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
